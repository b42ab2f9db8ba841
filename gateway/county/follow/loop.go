package follow

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/retry"
)

// waiting is how many events may wait for the loop. What comes on top is read
// from the store: the collector never waits.
const waiting = 512

// retryAfter is how long the loop pauses after an error.
const retryAfter = time.Second

// Loop runs a cursor beside the collector. Committed and Arrived may be called
// from any goroutine.
type Loop struct {
	cursor *Cursor
	source Source
	log    *slog.Logger
	now    func() time.Time
	in     chan Event    // in order
	behind chan struct{} // something could not be taken in: the store has it
	faults [steps]string // Run's own

	mu    sync.Mutex // guards what follows
	state State
}

// State is how a loop does.
type State struct {
	Fault    string    // why nothing can be taken in, or looked at; empty: both can
	Catching bool      // much is being read from the store
	Stored   time.Time // of the last commit of the store; zero: none since the start
}

// NewLoop returns a loop for a cursor that follows all journals of source. It
// begins with what source has.
func NewLoop(c *Cursor, source Source, now func() time.Time, log *slog.Logger) *Loop {
	return &Loop{cursor: c, source: source, log: log, now: now,
		in: make(chan Event, waiting), behind: make(chan struct{}, 1)}
}

// Committed takes batches that the store has committed. It does not wait.
func (l *Loop) Committed(batches []store.Batch) { l.offer(Event{Committed: batches}) }

// Arrived takes an alarm that overtook its journal. It does not wait.
func (l *Loop) Arrived(b store.Batch) { l.offer(Event{Arrived: &b}) }

func (l *Loop) offer(e Event) {
	select {
	case l.in <- e:
	default:
		l.catchUpLater()
	}
}

func (l *Loop) catchUpLater() {
	select {
	case l.behind <- struct{}{}:
	default:
	}
}

// State returns how the loop does. It may be called from any goroutine.
func (l *Loop) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

func (l *Loop) change(f func(*State)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.state)
}

// Run takes in what comes until ctx ends, and calls look every so often, all in
// this goroutine. What fails is tried again from the store.
func (l *Loop) Run(ctx context.Context, every time.Duration, look func(context.Context, time.Time) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	looked := l.now()
	again := func() error {
		looked = l.now()
		return look(ctx, looked)
	}
	// between journals does what must not wait for all of them: new alarms, and
	// who is there.
	between := func() error {
		select {
		case e := <-l.in:
			if err := l.take(ctx, e); err != nil {
				return err
			}
		default:
		}
		if l.now().Sub(looked) > every {
			return again()
		}
		return nil
	}
	l.catchUpLater()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-l.in:
			l.settle(ctx, taking, l.take(ctx, e))
		case <-l.behind:
			l.settle(ctx, taking, l.catchUp(ctx, between))
		case <-tick.C:
			l.settle(ctx, looking, again())
		}
	}
}

// The steps of a loop. One that succeeds does not end the fault of the other.
const (
	taking = iota
	looking
	steps
)

// settle notes how the last step went, and pauses after an error.
func (l *Loop) settle(ctx context.Context, step int, err error) {
	text := ""
	if err != nil && ctx.Err() == nil {
		text = err.Error()
		l.log.Error("what the store committed can't be taken in; it is read again from there", "err", err)
	}
	l.faults[step] = text
	l.change(func(s *State) { s.Fault = cmp.Or(l.faults[:]...) })
	if text == "" {
		return
	}
	retry.Sleep(ctx, retryAfter)
	l.catchUpLater()
}

// take takes in e and whatever waits behind it.
func (l *Loop) take(ctx context.Context, e Event) error {
	events := []Event{e}
	for more := true; more && len(events) < waiting; {
		select {
		case e := <-l.in:
			events = append(events, e)
		default:
			more = false
		}
	}
	behind, err := l.cursor.Take(ctx, l.now(), events)
	if behind {
		l.catchUpLater()
	}
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Committed != nil {
			l.change(func(s *State) { s.Stored = l.now() })
			break
		}
	}
	return nil
}

// catchUp reads from the store what was not taken in.
func (l *Loop) catchUp(ctx context.Context, between func() error) error {
	stored, err := l.source.Positions(ctx)
	if err != nil {
		return fmt.Errorf("read how far the store is: %w", err)
	}
	missing, seqs, err := l.cursor.Missing(ctx, l.now(), stored)
	if err != nil {
		return err
	}
	if seqs > chunk {
		l.change(func(s *State) { s.Catching = true })
		l.log.Info("catching up with the store", "records", seqs)
	}
	// Journals with little first: one agent's backlog holds up nobody else's records.
	slices.SortStableFunc(missing, func(a, b store.Position) int {
		return cmp.Compare(a.Through-l.cursor.Through(a.JID), b.Through-l.cursor.Through(b.JID))
	})
	for _, p := range missing {
		if err := l.cursor.CatchUp(ctx, l.now(), p.Agent, p.JID, p.Through); err != nil {
			return err
		}
		if err := between(); err != nil {
			return err
		}
	}
	if l.State().Catching {
		l.change(func(s *State) { s.Catching = false })
		l.log.Info("caught up with the store")
	}
	return nil
}
