package report

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/county/mapping"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Store is what reports need of the county's store.
type Store interface {
	Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error)
	Position(ctx context.Context, jid string) (store.Position, error)
	Quarantine(ctx context.Context, p store.Poison) error
	Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error]
}

// Observer is called with what is stored and dropped. It must not wait.
type Observer interface {
	Committed(batches []store.Batch)
	// Refused is called with each report that was dropped, why, and how many were
	// dropped since the start.
	Refused(machine, why string, count uint64)
}

// Options are those of a taker.
type Options struct {
	County   string
	Path     string // of the index
	Machines []Machine
	Store    Store
	Watch    Observer         // may be nil
	Zone     *time.Location   // of times that name none
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger
}

// Taker takes reports. Its methods may be called from any goroutine.
type Taker struct {
	opts   Options
	index  *index
	topics map[string]*mapped // of Options.Machines

	dropped  atomic.Uint64 // reports, for want of room in quarantine
	mu       sync.Mutex    // held while a report is taken; guards what follows
	machines map[string]*reporter
}

// mapped is a topic of a firmware's own, and what has come on it.
type mapped struct {
	machine string
	mapping *mapping.Mapping
	mu      sync.Mutex // guards tally
	tally   mapping.Tally
}

const (
	// quietFor is how long a machine must have sent nothing before time alone ends
	// its run: reports that were delayed arrive one after the other, and each may be
	// older than a pause.
	quietFor = 10 * time.Second
	// indexedFor is how long a report stays in the index, as a neighbour of others.
	indexedFor = tooLate + 2*24*time.Hour
	// maxReport is how large a report may be, in bytes: its record holds it as text.
	maxReport = 40 << 10
)

// Open opens the index and brings it up to what the store has.
func Open(ctx context.Context, opts Options) (*Taker, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	x, err := openIndex(ctx, opts.Path, opts.Store)
	if err != nil {
		return nil, fmt.Errorf("open the reports: %w", err)
	}
	t := &Taker{opts: opts, index: x, topics: map[string]*mapped{}, machines: map[string]*reporter{}}
	known, err := x.machines(ctx)
	for _, m := range opts.Machines {
		for _, topic := range m.Topics {
			form, faults := topic.New(opts.Zone)
			if len(faults) > 0 {
				err = errors.Join(err, fmt.Errorf("topic %s of %s: %s", topic.Topic, m.Machine, faults[0]))
				continue
			}
			t.topics[topic.Topic] = &mapped{machine: m.Machine, mapping: form}
		}
		known = append(known, m.Machine)
	}
	for _, id := range known {
		if err == nil {
			_, err = t.reporter(ctx, id)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the reports: %w", err), x.close())
	}
	return t, nil
}

// Close closes the index. No other method may be running.
func (t *Taker) Close() error { return t.index.close() }

// Filters returns the topics to subscribe to.
func (t *Taker) Filters() []string {
	out := []string{wire.Topic(t.opts.County, "+", wire.LeafReport)}
	for topic := range t.topics {
		out = append(out, topic)
	}
	return out
}

// Run calls Tick every second and forgets old reports, until ctx ends.
func (t *Taker) Run(ctx context.Context) error {
	tick, prune := time.NewTicker(time.Second), time.NewTicker(time.Hour)
	defer tick.Stop()
	defer prune.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			t.Tick(ctx, t.opts.Now())
		case <-prune.C:
			if err := t.index.prune(ctx, t.opts.Now().Add(-indexedFor)); err != nil && ctx.Err() == nil {
				t.opts.Log.Error("reports", "err", err)
			}
		}
	}
}

// Tick closes the runs of machines that have stopped sending.
func (t *Taker) Tick(ctx context.Context, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.machines {
		if bodies := m.tick(now); len(bodies) > 0 {
			t.commit(ctx, m, now, bodies)
		}
	}
}

// Take stores a message. It returns true when the broker may forget it: it is
// stored, or in quarantine, or was stored before. It returns false when ctx ended
// or the message can't be stored now.
func (t *Taker) Take(ctx context.Context, m mqtt.Message) bool {
	now := t.opts.Now()
	id, r, err := t.decode(m)
	if err != nil {
		return t.quarantine(ctx, store.Poison{At: now, Agent: id, Topic: m.Topic, Reason: err.Error(), Raw: m.Payload})
	}
	if r.Empty() {
		return true // it is for somebody else, or says that there is no value
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var from *reporter
	if !t.retry(ctx, func() (err error) { from, err = t.reporter(ctx, id); return err }) {
		return false
	}
	track := t.track(id, r.Report, m.Payload, now)
	var repeated bool
	if !t.retry(ctx, func() (err error) { repeated, err = t.index.has(ctx, track); return err }) {
		return false
	}
	if repeated {
		return true
	}
	bodies, err := t.records(ctx, from, track)
	if err != nil {
		t.opts.Log.Error("find the runs of a report", "machine", id, "err", err)
		return false
	}
	return t.commit(ctx, from, now, bodies)
}

// records returns the record of a report, and those of the runs that it changes.
func (t *Taker) records(ctx context.Context, m *reporter, track *wire.Track) ([]wire.Body, error) {
	out := []wire.Body{track}
	if track.Import != nil {
		run, err := t.imported(ctx, m, track)
		if err == nil && run != nil {
			out = append(out, run)
		}
		return out, err
	}
	for _, r := range m.timing.add(track) {
		if time.Duration(r.at.UnixNano()) < m.observed {
			// It is arranged together with all the others.
			changed, err := t.insert(ctx, m, track)
			return append(out, changed...), err
		}
		out = append(out, m.observe(r)...)
	}
	return out, nil
}
