package station

import (
	"context"
	"fmt"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
)

// note is something the guard did, on its way to the loop.
type note struct {
	do    func(now clock.Moment) error // nil: the others say what
	audit wire.Audit
	value *wire.Entered      // nil: it is an answer
	lane  string             // that the value is for
	check *honesty.CheckStep // nil: it is no step of a field check
	kept  chan error
}

// Note records what the guard did. It returns when the journal holds it, or with
// an error when the journal can't or ctx ends before. It may be called from any
// goroutine while Run runs.
func (s *Station) Note(ctx context.Context, audit wire.Audit) error {
	return s.hand(ctx, note{audit: audit, kept: make(chan error, 1)})
}

// Enter takes a value that the guard has read off a hand-held thermometer: the journal
// holds it as a reading, and the gate decides on it. At a gate with several lanes, lane
// says for which one it is, where value.Of does not. Enter returns an error of package gate
// when the value can't be assigned to anybody, and one of wire when it is no body
// temperature; nothing is recorded then. It may be called from any goroutine while Run runs.
func (s *Station) Enter(ctx context.Context, lane string, value wire.Entered) error {
	if err := value.Check(); err != nil {
		return err
	}
	return s.hand(ctx, note{value: &value, lane: lane, kept: make(chan error, 1)})
}

// hand gives the loop something that the guard did and waits until it is kept.
func (s *Station) hand(ctx context.Context, n note) error {
	select {
	case s.notes <- n:
	case <-ctx.Done():
		return fmt.Errorf("keep what the guard did: %w", ctx.Err())
	}
	select {
	case err := <-n.kept:
		return err
	case <-ctx.Done():
		return fmt.Errorf("keep what the guard did: %w", ctx.Err())
	}
}

// note records what the guard did and lets the gate know.
func (s *Station) note(now clock.Moment, n note) {
	switch {
	case n.do != nil:
		n.kept <- n.do(now)
	case n.value != nil:
		n.kept <- s.enter(now, n.lane, n.value)
	case n.check != nil:
		n.kept <- s.checkStep(now, *n.check)
	default:
		n.audit.Actor = s.post.Actor()
		if n.audit.Action == post.TookOver {
			n.audit.Handover = &wire.Handover{Open: s.open()}
		}
		n.kept <- s.did(now, n.audit)
	}
}

// enter records a value that the guard has entered, and decides on it.
func (s *Station) enter(now clock.Moment, lane string, value *wire.Entered) error {
	if err := s.gate.Enterable(now, lane, value.Of); err != nil {
		return err
	}
	r := &wire.Reading{Device: string(value.With), Model: handHeld, Type: fact.ReadingEntered, Lane: lane,
		Entered: value, BootID: s.opts.BootID, BootNS: int64(now.Boot)}
	at := s.cameAt(now, r)
	s.post.Pressed(now)
	s.post.Came()
	seq := s.keep(now, r)
	s.apply(now, time.Time{}, s.gate.Observe(at, seq, *r))
	return nil
}

// handHeld is the model of a thermometer that is not connected.
const handHeld = "hand-held"

// Buzz sounds the buzzers once, as for a fever: the screen calls it while an
// alarm waits and no page is there to sound. It may be called from any
// goroutine and does not wait.
func (s *Station) Buzz() {
	c := cueOf(fact.VerdictFever)
	c.hold = 2 * time.Second
	for _, out := range s.outputs {
		out.send(c)
	}
}
