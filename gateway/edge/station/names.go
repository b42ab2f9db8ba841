package station

import (
	"context"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/policy/engine"
)

// Shown returns what the guard sees of somebody with a credential, by the rules in force. It
// may be called from any goroutine.
func (s *Station) Shown(credential string) string { return s.rules.Load().Shown(credential) }

// SetNames puts another key for pseudonyms into force: rules that say the same as those
// before, by which people have other names, and codes that give these names. Who is in a
// lane, what has passed and fever episodes go on. It may be called from any goroutine
// while Run runs; it returns when that is done, or with an error when ctx ends before.
func (s *Station) SetNames(ctx context.Context, r *policy.Rules, c Codes) error {
	return s.hand(ctx, note{kept: make(chan error, 1), do: func(clock.Moment) error {
		s.rules.Store(r)
		s.opts.Rules, s.opts.Codes = r, c
		s.gate.SetNames(r)
		for i := range s.leavers {
			s.leavers[i].credential = r.Same(s.leavers[i].credential)
		}
		for i := range s.recent {
			s.recent[i].passage = engine.Named(r, s.recent[i].passage)
		}
		return nil
	}})
}
