package station

import (
	"context"
	"errors"
	"slices"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
)

// Why a barrier was not opened by an order.
var (
	errBusy   = errors.New("the output is busy with what it was told before")
	errBehind = errors.New("a fever or another alarm is shown: the barrier stays closed behind it")
)

// order is the county's order to open a barrier: it is carried out at once or not at all.
type order struct {
	gone  <-chan struct{} // closed when nobody waits for it any more: then it is not carried out
	ended chan error      // holds one
}

// over reports whether nobody waits for the order any more.
func (o *order) over() bool {
	if o == nil {
		return false
	}
	select {
	case <-o.gone:
		return true
	default:
		return false
	}
}

// done says how the output did.
func (o *order) done(err error) {
	if o != nil {
		o.ended <- err
	}
}

// behind ends an order, and reports that it did, when something more important is shown.
func (o *order) behind(important bool) bool {
	if o == nil || !important {
		return false
	}
	o.ended <- errBehind
	return true
}

// openCue is what the county's opening shows: it takes the place of a refusal, not of a
// fever.
func openCue(o *order) cue {
	c := cueOf(fact.VerdictPass)
	c.rank, c.order = cueOf(fact.VerdictRefuse).rank, o
	return c
}

// Open opens the barrier of a lane once, as the county orders; an empty lane is that of a
// gate with one. It is no passage of a person: nothing is counted, and nobody's visit ends.
// With a reason nothing was opened; with only an error it is not known whether. It may be
// called from any goroutine while Run runs, and returns when the barrier has got its pulse.
func (s *Station) Open(ctx context.Context, lane string) (fact.CommandWhy, error) {
	var why fact.CommandWhy
	x := &order{gone: ctx.Done(), ended: make(chan error, 1)}
	err := s.hand(ctx, note{kept: make(chan error, 1), do: func(clock.Moment) error {
		var err error
		why, err = s.order(lane, x)
		return err
	}})
	if err != nil && ctx.Err() != nil {
		return "", err // the loop may still come to it, or has
	}
	if err != nil || why != "" {
		return why, err
	}
	select {
	case err := <-x.ended:
		if errors.Is(err, errBehind) {
			return fact.CommandFever, nil
		}
		return "", err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// order has the outputs of a lane open their barrier. What it returns says why not.
func (s *Station) order(lane string, x *order) (fact.CommandWhy, error) {
	if len(s.lanes) == 0 && lane != "" || len(s.lanes) > 0 && !slices.Contains(s.lanes, lane) {
		return fact.CommandLane, nil
	}
	i := slices.IndexFunc(s.outputs, func(o *output) bool { return o.barrier && (o.lane == "" || o.lane == lane) })
	if i < 0 {
		return fact.CommandNoBarrier, nil
	}
	out := s.outputs[i]
	if int(out.shown.Load()) >= cueOf(fact.VerdictFever).rank {
		return fact.CommandFever, nil
	}
	select {
	case out.cues <- openCue(x):
		return "", nil
	default:
		return fact.CommandOutput, errBusy
	}
}
