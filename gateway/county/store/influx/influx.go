// Package influx keeps telemetry in InfluxDB (1.8 or 2.x) and its books, the
// watermarks, holes and quarantine, in a SQLite file beside it. It is the only
// importer of the InfluxDB client, and uses its blocking write API only: the
// asynchronous one loses what it could not write.
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
	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/sqlite"
	"gatehouse/gateway/wire"
)

// Options says where the database is.
type Options struct {
	URL    string // http://127.0.0.1:8086
	Token  string // 1.8: user:password
	Org    string // empty for 1.8
	Bucket string // 1.8: database/retention-policy
	County string
	Books  *sqlite.Store
	// CheckEvery is how often it is made sure that this is still the database
	// that was written to; 30 s when 0.
	CheckEvery time.Duration
}

// requestTimeout bounds one request; a write that took longer is repeated.
const requestTimeout = 20 * time.Second

// Store implements store.Store. Commit is for one goroutine.
type Store struct {
	*sqlite.Store // the books
	opts          Options
	client        influxdb2.Client
	writer        api.WriteAPIBlocking
	checked       time.Time // when the marker was last seen
}

var _ store.Store = (*Store)(nil)

// Open prepares the store. It does not need the database to be there yet.
func Open(o Options) *Store {
	if o.CheckEvery == 0 {
		o.CheckEvery = 30 * time.Second
	}
	c := influxdb2.NewClientWithOptions(o.URL, o.Token, influxdb2.DefaultOptions().
		SetPrecision(time.Nanosecond).SetUseGZip(true).SetLogLevel(0).
		SetHTTPRequestTimeout(uint(requestTimeout/time.Second)))
	return &Store{Store: o.Books, opts: o, client: c, writer: c.WriteAPIBlocking(o.Org, o.Bucket)}
}

// Close ends the store and its books.
func (s *Store) Close() error {
	s.client.Close()
	return s.Store.Close()
}

// Commit implements store.Store: points first, then the books, which are
// durable when it returns. A crash in between writes identical points again.
func (s *Store) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	if err := s.sameDatabase(ctx); err != nil {
		return nil, err
	}
	plan, err := s.plan(ctx, batches)
	if err != nil {
		return nil, err
	}
	rejected, err := s.write(ctx, plan.points)
	if err != nil {
		return nil, err
	}
	for i, reason := range rejected {
		plan.reject(i, reason)
	}
	advances, err := s.withhold(ctx, plan)
	if err != nil {
		return nil, err
	}
	if err := s.Book(ctx, advances); err != nil {
		return nil, err
	}
	return plan.receipts, nil
}

// plan is what a commit will do.
type plan struct {
	receipts []store.Receipt
	advances []advance // one a batch that is no gap
	points   []*write.Point
	owner    []owner // of each point
}

// advance is what will be booked of a batch.
type advance struct {
	sqlite.Advance
	receipt int
	before  uint64 // the watermark without this batch
}

// owner is where a point came from.
type owner struct {
	receipt, advance int
	entry            wire.Entry
}

func (s *Store) plan(ctx context.Context, batches []store.Batch) (*plan, error) {
	positions, err := s.Register(ctx, batches)
	if err != nil {
		return nil, err
	}
	p := &plan{}
	through := map[string]uint64{}
	given := map[string]map[uint64]sqlite.Digest{} // by this commit, by journal
	for i, b := range batches {
		if _, seen := through[b.JID]; !seen {
			through[b.JID] = positions[i].Through
			given[b.JID] = map[uint64]sqlite.Digest{}
		}
		r := store.Receipt{JID: b.JID, Through: through[b.JID]}
		if !b.Ahead && b.From > r.Through+1 {
			r.Gap = true
			p.receipts = append(p.receipts, r)
			continue
		}
		known, err := s.Digests(ctx, b.JID, b.From, b.To)
		if err != nil {
			return nil, err
		}
		for seq, d := range given[b.JID] {
			known[seq] = d
		}
		twins, err := s.Twins(ctx, b)
		if err != nil {
			return nil, err
		}
		b, r.Repeated = sqlite.Untwinned(b, twins)
		b.Place = positions[i].Place
		p.batch(s.opts.County, b, r, known, given[b.JID])
		through[b.JID] = p.receipts[len(p.receipts)-1].Through
	}
	return p, nil
}

// batch plans one batch: what is new becomes points, what was given before is
// left alone, another content goes to quarantine.
func (p *plan) batch(county string, b store.Batch, r store.Receipt, known, given map[uint64]sqlite.Digest) {
	a := advance{Advance: sqlite.Advance{Batch: b, Rejected: b.Bad}, receipt: len(p.receipts), before: r.Through}
	for _, e := range b.Entries {
		d, was := known[e.Record.Seq]
		switch {
		case was && d == sqlite.DigestOf(e.Raw):
			continue
		case !was && b.Ahead && !b.Retry && e.Record.Seq <= r.Through:
			continue // it came in its turn, too long ago to be compared
		case was, e.Record.Seq <= r.Through && !b.Retry:
			a.Rejected = append(a.Rejected, wire.Bad{Seq: e.Record.Seq, Raw: e.Raw, Reason: store.ReasonConflict})
			continue
		}
		pt, err := point(county, b, e)
		if err != nil {
			a.Rejected = append(a.Rejected, wire.Bad{Seq: e.Record.Seq, Raw: e.Raw, Reason: err.Error()})
			continue
		}
		given[e.Record.Seq] = sqlite.DigestOf(e.Raw)
		p.points = append(p.points, pt)
		p.owner = append(p.owner, owner{len(p.receipts), len(p.advances), e})
		a.Written = append(a.Written, e)
		r.New++
	}
	r.Rejected = a.Rejected
	if b.Ahead {
		r.Ahead = b.To
	} else {
		r.Through = max(r.Through, b.To)
	}
	a.Through = r.Through
	p.receipts = append(p.receipts, r)
	p.advances = append(p.advances, a)
}

// reject notes that the database did not take point i.
func (p *plan) reject(i int, reason string) {
	o := p.owner[i]
	bad := wire.Bad{Seq: o.entry.Record.Seq, Raw: o.entry.Raw, Reason: reason}
	r, a := &p.receipts[o.receipt], &p.advances[o.advance]
	r.New--
	r.Rejected = append(r.Rejected, bad)
	a.Rejected = append(a.Rejected, bad)
	kept := a.Written[:0]
	for _, e := range a.Written {
		if e.Record.Seq != bad.Seq {
			kept = append(kept, e)
		}
	}
	a.Written = kept
}

// later is an error that names how long the database wants to be left alone.
type later struct {
	error
	after time.Duration
}

func (l later) Unwrap() error             { return l.error }
func (l later) RetryAfter() time.Duration { return l.after }

// explain adds what to do to the errors that an engineer can mend.
func (s *Store) explain(err error) error {
	e := statusOf(err)
	what := fmt.Sprintf("InfluxDB at %s, bucket %s", s.opts.URL, s.opts.Bucket)
	switch {
	case e == nil || e.StatusCode == 0:
		return fmt.Errorf("%s does not answer; nothing is lost, agents keep their records until it does: %w", what, err)
	case e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden:
		err = fmt.Errorf("%s refuses the token (%d): check token_file (InfluxDB 1.8: user:password): %w", what, e.StatusCode, err)
	case e.StatusCode == http.StatusNotFound || strings.Contains(err.Error(), "no database"):
		err = fmt.Errorf("%s is not there: create the database (1.8: influx -execute 'CREATE DATABASE …') or the bucket: %w", what, err)
	default:
		err = fmt.Errorf("%s answers %d: %w", what, e.StatusCode, err)
	}
	if e.RetryAfter > 0 {
		return later{err, time.Duration(e.RetryAfter) * time.Second}
	}
	return err
}

var errMarker = errors.New("the marker point can't be read")
