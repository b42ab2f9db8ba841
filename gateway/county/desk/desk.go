// Package desk is what the county works with: which gates need somebody, the
// alerts and who has seen them, and what passed. It takes in what the collector
// has committed, exactly once, into a file of its own, and never holds the
// collector up: what it could not take at once it reads from the store.
package desk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/site"
	"gatehouse/gateway/wire"
)

// Records is what the desk reads to catch up.
type Records interface {
	Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error]
	Positions(ctx context.Context) ([]store.Position, error)
}

// Losses is what the desk shows of what was not stored.
type Losses interface {
	Losses(ctx context.Context) (quarantined, lost int, err error)
	Conflicts(ctx context.Context) ([]store.Conflicts, error)
}

// Options is what a desk is made of.
type Options struct {
	Path    string // of its file
	Sites   *site.County
	Records Records
	Losses  Losses
	Store   string // what stores the county's records, for the screen
	Version string
	Log     *slog.Logger
}

// Desk is the county's desk. Make it with Open, run it with Run, then Close it.
type Desk struct {
	opts  Options
	log   *slog.Logger
	w, r  *sql.DB
	Hub   *live.Hub
	in    chan event // what came, in order
	began time.Time

	mu         sync.Mutex // guards what follows
	roll       *presence.Roll
	public     public                 // for the probes
	heard      map[string][]wire.Beat // by agent, since the last look
	refused    map[string]refusal     // by agent, since the last look
	counted    map[string]uint64      // refused messages, by agent
	standsDown string                 // why this collector takes nothing any more
	behind     chan struct{}          // something could not be taken in
	deaf       time.Time              // since when the broker can't be heard; zero: it can
	attended   time.Time              // when this process last ran, by attend
	absent     time.Time              // when it last did after it had stood still

	// sessionsEnded is closed, and another made, when sessions have been ended.
	sessionsEnded chan struct{}

	hashes  hashes     // of passwords
	telling sync.Mutex // one alert at a time is read and told to the pages

	// The Run goroutine's own:
	progress          map[string]uint64         // by jid
	latest            map[string][]past         // by jid: the last passages, oldest first
	known             map[string]bool           // agents that were ever here
	silences          *silences                 // of gates
	since             time.Time                 // of the last break: what was not heard before it proves nothing
	shown             map[string]fact.LinkState // each gate's state on its tile
	wasDeaf           bool                      // at the last look
	bridges           map[string]bool           // agents that bridge machines
	machines          map[string]*Machine
	runsChanged       int       // tells pages to read runs again
	feed              []Passage // the county's last, the newest first
	today             day
	fault             string
	lineages          map[string]*lineage  // by agent
	conflicted        map[string]bool      // agents whose conflicts are an alert
	overdone          map[string]time.Time // agents whose refusals are an alert, and when they were last told of
	notedAt           time.Time            // when they were last noted
	stored            time.Time            // of the last commit
	catching          bool
	looked            time.Time // when the desk last saw who is there
	ownSeq            uint64    // of the alarms that the desk itself raises
	quarantined, lost int
}

// event is one thing that came: exactly one of its fields is set.
type event struct {
	committed []store.Batch
	arrived   *store.Batch
}

// queue is how many messages may wait; what comes on top is read from the store.
const queue = 512

// lookEvery is how often the desk sees who is there.
const lookEvery = 500 * time.Millisecond

// gather is how long changes wait for each other on their way to the pages.
const gather = 200 * time.Millisecond

// Open opens the desk's file, and makes it when it is missing.
func Open(opts Options) (*Desk, error) {
	file, err := db.Open(opts.Path, schema, schemaMachines, schemaLineages, schemaOrigins, schemaWords)
	if err != nil {
		return nil, fmt.Errorf("open the desk: %w", err)
	}
	d := &Desk{opts: opts, log: opts.Log, w: file.Writer(), r: file.Reader(), Hub: live.New(gather), in: make(chan event, queue),
		roll: presence.NewRoll(opts.Sites.Agents()...), behind: make(chan struct{}, 1), latest: map[string][]past{}, feed: []Passage{},
		known: map[string]bool{}, bridges: map[string]bool{}, machines: map[string]*Machine{}, lineages: map[string]*lineage{},
		conflicted: map[string]bool{}, overdone: map[string]time.Time{}, refused: map[string]refusal{}, counted: map[string]uint64{},
		heard: map[string][]wire.Beat{}, shown: map[string]fact.LinkState{}}
	d.began = time.Now()
	d.since, d.silences = d.began, newSilences()
	d.hashes, d.sessionsEnded = newHashes(), make(chan struct{})
	if err := d.load(context.Background()); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close ends the desk.
func (d *Desk) Close() error { return errors.Join(d.r.Close(), d.w.Close()) }

// Committed implements collect.Observer.
func (d *Desk) Committed(batches []store.Batch) { d.offer(event{committed: batches}) }

// Arrived implements collect.Observer.
func (d *Desk) Arrived(b store.Batch) { d.offer(event{arrived: &b}) }

func (d *Desk) offer(x event) {
	select {
	case d.in <- x:
	default:
		d.late()
	}
}

// late says that the desk must catch up from the store.
func (d *Desk) late() {
	select {
	case d.behind <- struct{}{}:
	default:
	}
}

// Hear takes a status or heartbeat as it passes the broker.
func (d *Desk) Hear(topic string, payload []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, agent, leaf, ok := wire.ParseTopic(topic)
	beat := ok && leaf == wire.LeafBeat
	if beat && len(d.heard[agent]) >= mostHeard {
		return // an agent that sends one after the other must not hold the others' up
	}
	if err := d.roll.Receive(time.Now(), topic, payload); err != nil {
		d.log.Debug("a status that can't be read", "topic", topic, "err", err)
		return
	}
	if beat {
		if b, err := wire.Decode[wire.Beat](payload); err == nil && b.Check() == nil {
			d.heard[agent] = append(d.heard[agent], b)
		}
	}
}

// Linked says whether statuses and heartbeats can reach the desk: while they
// can't, no gate is blamed for its silence. The desk's ear calls it at each
// change of its connection to the broker.
func (d *Desk) Linked(up bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !up && d.deaf.IsZero():
		d.deaf = time.Now()
	case up:
		d.deaf = time.Time{}
	}
}

// mostHeard bounds the heartbeats of an agent between two looks.
const mostHeard = 16

// Fenced implements collect.Observer.
func (d *Desk) Fenced(reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.standsDown = reason
}

// Run keeps the desk up to date until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	prune := time.NewTicker(10 * time.Minute)
	defer prune.Stop()
	losses := time.NewTicker(3 * time.Second)
	defer losses.Stop()
	var attending sync.WaitGroup
	defer attending.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	attending.Go(func() {
		for ctx.Err() == nil {
			d.attend(time.Now())
			sleep(ctx, time.Second)
		}
	})
	d.late()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case x := <-d.in:
			err = d.take(ctx, d.more(x))
		case <-d.behind:
			err = d.catchUp(ctx)
		case now := <-tick.C:
			err = d.look(ctx, now)
		case <-losses.C:
			err = d.count(ctx)
		case now := <-prune.C:
			err = d.prune(ctx, now)
		}
		if err != nil && ctx.Err() == nil {
			// The store has it all: try again from there.
			d.log.Error("the desk could not take in what came; it reads the store again", "err", err)
			d.setFault(err.Error())
			sleep(ctx, time.Second)
			d.late()
			continue
		}
		d.setFault("")
	}
}

// more gathers what waits besides x.
func (d *Desk) more(x event) []event {
	out := []event{x}
	for len(out) < queue {
		select {
		case y := <-d.in:
			out = append(out, y)
		default:
			return out
		}
	}
	return out
}

func sleep(ctx context.Context, t time.Duration) {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// write runs what in one durable transaction.
func (d *Desk) write(ctx context.Context, what func(*sql.Tx) error) error {
	tx, err := d.w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write to the desk's file: %w", err)
	}
	if err := what(tx); err != nil {
		return errors.Join(fmt.Errorf("write to the desk's file: %w", err), tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write to the desk's file: %w", err)
	}
	return nil
}
