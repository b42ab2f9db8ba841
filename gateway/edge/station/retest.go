package station

import (
	"context"
	"fmt"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// ActionRetestNow is the action of an audit record of Retest.
const ActionRetestNow = "retest-now"

// Retest lets the next measurement in a lane be the second one of a fever episode; the
// journal holds who asked for it. An empty lane is the one in which the episode began. It
// returns an error of package gate when that can't be. It may be called from any
// goroutine while Run runs.
func (s *Station) Retest(ctx context.Context, lane, episode string) error {
	a := wire.Audit{Action: ActionRetestNow, Episode: episode, Lane: lane}
	return s.hand(ctx, note{kept: make(chan error, 1),
		do: func(now clock.Moment) error { return s.retest(now, a) }})
}

// retest records that somebody is measured again, and lets the gate wait for them.
func (s *Station) retest(now clock.Moment, a wire.Audit) error {
	s.post.Pressed(now)
	a.Actor = s.post.Actor()
	if err := s.gate.Retestable(now, a.Lane, a.Episode); err != nil {
		return err
	}
	if _, err := s.opts.Journal.TryAppend(now, &a); err != nil {
		return fmt.Errorf("keep what the guard did: %w", err)
	}
	return s.gate.Retest(now, a.Lane, a.Episode)
}
