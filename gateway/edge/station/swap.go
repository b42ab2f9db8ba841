package station

import (
	"context"
	"errors"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

const (
	swapWithin = 30 * time.Second // after which rules do not wait until nobody is in a lane
	swapLook   = 100 * time.Millisecond
)

// Swap is other rules for a gate that runs.
type Swap struct {
	Rules   *policy.Rules
	Codes   Codes
	Past    *gate.Memory // what has passed, where the rules ask for it; nil: they do not
	Through uint64       // newest record that Past knows
	Audit   *wire.Audit  // is journalled as they come into force
}

var errOccupied = errors.New("somebody is in a lane")

// SetRules puts other rules into force, at once and whole: as soon as nobody is in a lane, or
// after half a minute. It returns when they are in force, or with an error when ctx ends
// before. It may be called from any goroutine while Run runs.
func (s *Station) SetRules(ctx context.Context, w Swap) error {
	for began := s.opts.Clock.Now().Boot; ; {
		err := s.hand(ctx, note{kept: make(chan error, 1), do: func(now clock.Moment) error {
			if !s.gate.Free() && now.Boot-began < swapWithin {
				return errOccupied
			}
			s.swap(now, w)
			return nil
		}})
		if !errors.Is(err, errOccupied) || !retry.Sleep(ctx, swapLook) {
			return err
		}
	}
}

// swap puts other rules into force.
func (s *Station) swap(now clock.Moment, w Swap) {
	s.opts.Journal.Append(now, w.Audit)
	for _, x := range s.recent {
		if w.Past != nil && x.seq > w.Through {
			w.Past.Take(w.Rules, s.opts.Zone, gate.Earlier{At: now.Add(x.at - now.Boot).Wall,
				Synchronised: s.opts.Clock.Synchronised(), Boot: x.at, Passage: &x.passage})
		}
	}
	s.rules.Store(w.Rules)
	s.opts.Rules, s.opts.Codes = w.Rules, w.Codes
	s.gate.SetRules(w.Rules, w.Past)
	for _, in := range s.inputs {
		if in.meter != nil {
			in.meter.SetLimit(w.Rules.Limits.Fever - *in.cfg.Offset)
		}
	}
	reads := slices.ContainsFunc(s.inputs, func(in *input) bool { return Device.reads(in.cfg) })
	s.post.SetRules(w.Rules.Post, w.Rules.Guards.IDs(), w.Rules.Guards.HaveCards() && reads)
	s.publish()
	s.tell(now)
}
