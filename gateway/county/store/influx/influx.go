// Package influx stores records in InfluxDB (1.8 or 2.x); its books are in a
// SQLite file. It is the only importer of the InfluxDB client, and uses its
// blocking write API only: the asynchronous one loses what it could not write.
package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
)

// Options of a Store.
type Options struct {
	URL    string // http://127.0.0.1:8086
	Token  string // 1.8: user:password
	Org    string // empty for 1.8
	Bucket string // 1.8: database/retention-policy
	County string
	// CheckEvery is how often a commit checks, after it has written and before it is
	// noted, that this is still the database that was written to; 2 s when 0.
	CheckEvery time.Duration
	Now        func() time.Time // nil: time.Now
}

// requestTimeout bounds one request; a write that takes longer is repeated.
const requestTimeout = 20 * time.Second

// Store implements store.Store. One Commit at a time.
type Store struct {
	opts    Options
	books   *books.Books
	client  influxdb2.Client
	writer  api.WriteAPIBlocking
	checked time.Time // when the marker was last read
	marked  time.Time // the time of the marker point
}

var _ store.Store = (*Store)(nil)

// New returns a store with its books. The database need not be there yet.
func New(o Options, b *books.Books) *Store {
	if o.CheckEvery == 0 {
		o.CheckEvery = 2 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := influxdb2.NewClientWithOptions(o.URL, o.Token, influxdb2.DefaultOptions().
		SetPrecision(time.Nanosecond).SetUseGZip(true).SetLogLevel(0).
		SetHTTPClient(newHTTPClient()))
	return &Store{opts: o, books: b, client: c, writer: c.WriteAPIBlocking(o.Org, o.Bucket)}
}

// Close closes the connections to the database, not the books.
func (s *Store) Close() { s.client.Close() }

// Commit implements store.Store: the points first, then, when the marker shows
// that they are in the right database, the books, which are durable when it
// returns. After a crash in between identical points are written again.
func (s *Store) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	if s.checked.IsZero() {
		if _, err := s.checkDatabase(ctx); err != nil {
			return nil, err
		}
	}
	for {
		receipts, began, err := s.commit(ctx, batches)
		if err != nil || !began {
			return receipts, err
		}
	}
}

// commit plans and writes batches. When the database turns out to be another one
// than before it saves nothing, and reports that a new term began.
func (s *Store) commit(ctx context.Context, batches []store.Batch) (r []store.Receipt, began bool, err error) {
	plan, err := s.plan(ctx, batches)
	if err != nil {
		return nil, false, err
	}
	rejected, err := s.write(ctx, plan.points)
	if err != nil {
		return nil, false, err
	}
	if s.opts.Now().Sub(s.checked) >= s.opts.CheckEvery {
		if began, err = s.checkDatabase(ctx); err != nil || began {
			return nil, began, err
		}
	}
	for i, reason := range rejected {
		plan.reject(i, reason)
	}
	outcomes, err := plan.withoutRefused(ctx, s.books)
	if err != nil {
		return nil, false, err
	}
	return plan.receipts, false, s.books.Save(ctx, outcomes)
}

// later is an error with the time after which the database may be asked again.
type later struct {
	error
	after time.Duration
}

func (l later) Unwrap() error             { return l.error }
func (l later) RetryAfter() time.Duration { return l.after }

// explain adds to an error what an engineer can do about it.
func (s *Store) explain(err error) error {
	e := statusOf(err)
	what := fmt.Sprintf("InfluxDB at %s, bucket %s", s.opts.URL, s.opts.Bucket)
	if other, is := errors.AsType[*stranger](err); is {
		err = fmt.Errorf("%s: %w; nothing is lost, agents keep their records", what, other)
		if other.after > 0 {
			return later{err, other.after}
		}
		return err
	}
	switch {
	case e == nil || e.StatusCode == 0:
		return fmt.Errorf("%s does not answer; nothing is lost, agents keep their records until it does: %w",
			what, err)
	case e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden:
		err = fmt.Errorf("%s refuses the token (%d): check token_file (InfluxDB 1.8: user:password): %w",
			what, e.StatusCode, err)
	case e.StatusCode == http.StatusNotFound || strings.Contains(err.Error(), "no database"):
		err = fmt.Errorf("%s is not there: create the database (1.8: influx -execute 'CREATE DATABASE …') "+
			"or the bucket: %w", what, err)
	default:
		err = fmt.Errorf("%s answers %d: %w", what, e.StatusCode, err)
	}
	if e.RetryAfter > 0 {
		return later{err, time.Duration(e.RetryAfter) * time.Second}
	}
	return err
}
