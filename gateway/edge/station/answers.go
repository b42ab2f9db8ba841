package station

import (
	"context"
	"fmt"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// note is something the guard did, on its way to the loop.
type note struct {
	audit wire.Audit
	kept  chan error
}

// Note records what the guard did. It returns when the journal holds it, or with
// an error when the journal can't or ctx ends before. It may be called from any
// goroutine while Run runs.
func (s *Station) Note(ctx context.Context, audit wire.Audit) error {
	n := note{audit: audit, kept: make(chan error, 1)}
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
	_, err := s.opts.Journal.TryAppend(now, &n.audit)
	if err != nil {
		err = fmt.Errorf("keep what the guard did: %w", err)
	}
	s.gate.Answered(s.recent.readings(n.audit.Passage))
	n.kept <- err
}

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
