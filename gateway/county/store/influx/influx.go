// Package influx stores records in InfluxDB (1.8 or 2.x); its books are in a
// SQLite file. It is the only importer of the InfluxDB client, and uses its
// blocking write API only: the asynchronous one loses what it could not write.
package influx

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/proxied"
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
	Proxy      proxied.Finder   // nil: the database is reached directly
	Log        *slog.Logger     // of what the database does not keep; nil: nowhere
}

// requestTimeout bounds one request; a write that takes longer is repeated.
const requestTimeout = 20 * time.Second

// Store implements store.Store. One Commit at a time; Rows may be called from any
// goroutine.
type Store struct {
	opts    Options
	books   *books.Books
	client  influxdb2.Client
	poster  poster
	packer  packer
	keeps   retention
	kept    atomic.Int64 // what keeps has read: a time.Duration; -1: not known
	checked time.Time    // when the marker was last read
	marked  time.Time    // the time of the marker point
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
	if o.Proxy == nil {
		o.Proxy = proxied.Direct
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := influxdb2.NewClientWithOptions(o.URL, o.Token, influxdb2.DefaultOptions().
		SetLogLevel(0).SetHTTPClient(newHTTPClient(o.Proxy)))
	s := &Store{opts: o, books: b, client: c, poster: newPoster(o, c.HTTPService())}
	s.kept.Store(-1)
	return s
}

// Keeps returns for how long the bucket keeps records, as it was last read; 0: for
// ever. It may be called from any goroutine and does not wait.
func (s *Store) Keeps() (keeps time.Duration, known bool) {
	d := time.Duration(s.kept.Load())
	return max(d, 0), d >= 0
}

// Close closes the connections to the database, not the books.
func (s *Store) Close() { s.client.Close() }

// Commit implements store.Store: first the points of records, then, in their own
// points, the bytes of those that the database took, then, when the marker shows
// that they are in the right database, the books, which are durable when it
// returns. After a crash in between the points are written again.
func (s *Store) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	if s.checked.IsZero() {
		if _, err := s.checkDatabase(ctx); err != nil {
			return nil, err
		}
	}
	s.LookAtRetention(ctx)
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
	packed := make(chan packing, 1)
	go func() { packed <- s.pack(plan.outcomes) }() // while the server works
	w, err := s.write(ctx, &plan.points, plan.owners)
	records := <-packed
	if err != nil {
		return nil, false, err
	}
	if len(w.refused) > 0 || len(w.held) > 0 {
		plan.settle(w.refused, w.held)
		records = s.pack(plan.outcomes)
	}
	if err := s.writeRecords(ctx, plan, records); err != nil {
		return nil, false, err
	}
	if s.opts.Now().Sub(s.checked) >= s.opts.CheckEvery {
		if began, err = s.checkDatabase(ctx); err != nil || began {
			return nil, began, err
		}
	}
	outcomes, err := plan.withoutRefused(ctx, s.books)
	if err != nil {
		return nil, false, err
	}
	if err := s.books.Save(ctx, outcomes); err != nil {
		return nil, false, err
	}
	s.logBeyond(batches, plan.receipts)
	return plan.receipts, false, nil
}

// packing is the bytes of records as points.
type packing struct {
	points lines
	owners []owner // of points, by index
	err    error
}

// pack packs the records that are to be written.
func (s *Store) pack(outcomes []outcome) (p packing) {
	for _, o := range outcomes {
		if o.refused != "" {
			continue
		}
		if err := s.packer.addBatch(&p.points, s.opts.County, o.Batch, o.Written); err != nil {
			return packing{err: fmt.Errorf("records of %s: %w", o.Batch.Agent, err)}
		}
		for len(p.owners) < p.points.len() {
			p.owners = append(p.owners, owner{o.Batch.Agent, o.Written[0].Record.At.Time})
		}
	}
	return p
}

// writeRecords writes the bytes of the plan's records. Agents of which the database
// refuses them wait.
func (s *Store) writeRecords(ctx context.Context, p *plan, records packing) error {
	if records.err != nil {
		return records.err
	}
	w, err := s.write(ctx, &records.points, records.owners)
	if err != nil {
		return err
	}
	for i, why := range w.refused {
		w.held[records.owners[i].agent] = "InfluxDB refuses its records: " + why.text
	}
	p.settle(nil, w.held)
	return nil
}

// logBeyond logs which records the bucket does not keep.
func (s *Store) logBeyond(batches []store.Batch, receipts []store.Receipt) {
	for i, r := range receipts {
		if len(r.Beyond) == 0 {
			continue
		}
		at := ""
		for _, e := range batches[i].Entries {
			if e.Record.Seq == r.Beyond[0] {
				at = e.Record.At.String()
			}
		}
		s.opts.Log.Warn("records are older than InfluxDB keeps them, and become a hole (beyond-retention): "+
			"look at the agent's clock, or give the bucket a longer retention", "agent", batches[i].Agent,
			"jid", r.JID, "from", r.Beyond[0], "to", r.Beyond[len(r.Beyond)-1], "at", at, "keeps", s.keeps.keeps)
	}
}
