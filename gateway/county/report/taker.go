package report

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/county/mapping"
	"gatehouse/gateway/county/reckon"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Store is what reports need of the county's store.
type Store interface {
	Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error)
	Position(ctx context.Context, jid string) (store.Position, error)
	Positions(ctx context.Context) ([]store.Position, error)
	Identity(ctx context.Context) (id string, term uint64, err error)
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
	Watch    Observer // may be nil
	// Blocked is called with why reports can't be stored, and with nil when they
	// can; from any goroutine. May be nil.
	Blocked func(error)
	// Begin is called before each step that must end, from any goroutine, and the
	// returned function when it has. May be nil.
	Begin func() (end func())
	Zone  *time.Location   // of times that name none
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger
}

// Taker takes reports. Put, Filters and Run may be called from any goroutine.
type Taker struct {
	opts   Options
	index  *index
	topics map[string]*mapped // of Options.Machines

	lanes   *lanes
	places  *places
	blocks  blocks
	dropped atomic.Uint64 // reports, for want of room in quarantine
	term    atomic.Uint64 // of the store; another one may have lost what the index has
	mu      sync.Mutex    // guards machines
	// machines are those of which something is known; each is for the one goroutine
	// that has its lane.
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
	// tooLate is how late a report may be.
	tooLate = reckon.TooLate
)

// Open opens the index and brings it up to what the store has.
func Open(ctx context.Context, opts Options) (*Taker, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Blocked == nil {
		opts.Blocked = func(error) {}
	}
	if opts.Begin == nil {
		opts.Begin = func() (end func()) { return func() {} }
	}
	x, err := openIndex(ctx, opts.Path, opts.Store)
	if err != nil {
		return nil, fmt.Errorf("open the reports: %w", err)
	}
	t := &Taker{opts: opts, index: x, topics: map[string]*mapped{}, lanes: newLanes(), places: newPlaces(takers),
		blocks: blocks{tell: opts.Blocked}, machines: map[string]*reporter{}}
	known, err := x.machines(ctx)
	if err == nil {
		known, err = t.withJournals(ctx, known)
	}
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

// withJournals adds to ids the machines of which the store has a journal, and the
// index may have nothing: it was lost, or comes from a backup.
func (t *Taker) withJournals(ctx context.Context, ids []string) ([]string, error) {
	stored, err := t.opts.Store.Positions(ctx)
	for _, p := range stored {
		if p.JID == JID(t.opts.County, p.Agent) {
			ids = append(ids, p.Agent)
		}
	}
	return ids, err
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

// takers is how many machines' messages are taken at the same time.
const takers = 8

// Run takes the messages that Put was given, lets time pass for the machines every
// second, and forgets old reports, until ctx ends.
func (t *Taker) Run(ctx context.Context) error {
	var taking sync.WaitGroup
	defer taking.Wait()
	defer t.lanes.end()
	taking.Go(func() { t.work(ctx) })
	taking.Go(func() { t.check(ctx) })
	tick, prune := time.NewTicker(time.Second), time.NewTicker(time.Hour)
	defer tick.Stop()
	defer prune.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			t.look(ctx)
			for _, id := range t.known() {
				t.lanes.tick(id)
			}
		case <-prune.C:
			if err := t.index.prune(ctx, t.opts.Now().Add(-indexedFor)); err != nil && ctx.Err() == nil {
				t.opts.Log.Error("reports", "err", err)
			}
		}
	}
}

// known returns the ids of the machines.
func (t *Taker) known() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.machines))
}

// work lets takers take messages, a machine's at a time, until ctx ends.
func (t *Taker) work(ctx context.Context) {
	var taking sync.WaitGroup
	defer taking.Wait()
	for {
		t.places.enter()
		l, messages, tick := t.lanes.next()
		if l == nil {
			t.places.leave()
			return
		}
		taking.Go(func() {
			defer t.places.leave()
			t.take(ctx, l.machine, messages)
			if tick {
				t.tick(ctx, l.machine, t.opts.Now())
			}
			t.lanes.done(l)
		})
	}
}

// Put adds a message and does not wait. end is called when the broker may forget
// it (true), or must keep it.
func (t *Taker) Put(m mqtt.Message, end func(stored bool)) {
	t.lanes.put(t.machineOf(m), waiting{m, end})
}

// machineOf returns the machine that a topic is of; empty: of none.
func (t *Taker) machineOf(m mqtt.Message) string {
	if to := t.topics[m.Topic]; to != nil {
		return to.machine
	}
	_, id, _, _ := wire.ParseTopic(m.Topic)
	return id
}

// Tick closes the runs of machines that have stopped sending, and gives a store that
// has begun a new term what it has lost.
func (t *Taker) Tick(ctx context.Context, now time.Time) {
	t.look(ctx)
	for _, id := range t.known() {
		t.tick(ctx, id, now)
	}
}

func (t *Taker) tick(ctx context.Context, id string, now time.Time) {
	t.mu.Lock()
	m := t.machines[id]
	t.mu.Unlock()
	if m == nil {
		return
	}
	defer m.turned()
	if term := t.term.Load(); term != m.compared {
		if !t.retry(ctx, func() error { return t.putBack(ctx, m, now) }) {
			return
		}
		m.compared = term
	}
	if m.due(now) && !t.findAgain(ctx, m, now) {
		return
	}
	if bodies := m.tick(now); t.keepState(ctx, m) && len(bodies) > 0 {
		t.commit(ctx, m, now, bodies)
	}
}

// retained is called with a message that the broker had kept: the last state that
// somebody has heard of, minutes or years ago, and no sample.
func (t *Taker) retained(m mqtt.Message) {
	t.opts.Log.Warn("a retained message says nothing of the present and is not taken: "+
		"switch the retain flag off at the machine", "machine", t.machineOf(m), "topic", m.Topic)
}
