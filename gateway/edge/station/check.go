package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/wire"
)

const (
	// checkPatience is how long a field check waits for the next step before it is given up.
	checkPatience = 30 * time.Minute
	// checkShown is for how long the screen says how a field check has ended.
	checkShown = 10 * time.Minute
)

// checking is what the loop keeps of the field checks of a thermometer.
type checking struct {
	open    *wire.FieldCheck // nil: none is on
	last    *wire.FieldCheck // the newest that has a result; nil: none is known
	ended   *wire.FieldCheck // how one has ended, until the guard has seen it
	touched time.Duration    // boot clock of the last step
	value   *fact.Temp       // of the person who was measured last; nil: nobody was
	seq     uint64           // of the reading with that value
	problem fact.Reason      // why the newest measurement does not count; "": it does
}

// Check takes a step of a field check. It returns when the journal holds it, or why it
// can't be taken. It may be called from any goroutine while Run runs.
func (s *Station) Check(ctx context.Context, step honesty.CheckStep) error {
	return s.hand(ctx, note{check: &step, kept: make(chan error, 1)})
}

// checkStep takes a step of a field check.
func (s *Station) checkStep(now clock.Moment, step honesty.CheckStep) error {
	in := s.input(step.Device)
	if in == nil || in.meter == nil {
		return fmt.Errorf("%.40q: %w", step.Device, honesty.ErrCheckDevice)
	}
	defer s.publish()
	c := &in.check
	switch {
	case step.Do == honesty.CheckBegin:
		return s.beginCheck(now, in)
	case step.Do == honesty.CheckEnd && c.open == nil:
		c.ended = nil
		return nil
	case c.open == nil:
		return honesty.ErrNoCheck
	case step.Do == honesty.CheckContact:
		return s.pair(now, in, step.Value)
	case step.Do == honesty.CheckAgain:
		c.value, c.problem, c.touched = nil, "", now.Boot
		return nil
	case step.Do == honesty.CheckEnd:
		return s.giveUp(now, in)
	}
	return honesty.ErrCheckStep
}

func (s *Station) beginCheck(now clock.Moment, in *input) error {
	switch {
	case in.check.open != nil:
		return honesty.ErrCheckIsOn
	case in.state != fact.DeviceOK:
		return honesty.ErrCheckFault
	}
	begun := &wire.FieldCheck{Device: in.cfg.Name, Began: wire.At(now.Wall), State: fact.CheckOpen,
		Offset: *in.cfg.Offset, Pairs: []wire.CheckPair{}}
	if err := s.keepCheck(now, in, begun); err != nil {
		return err
	}
	in.check.ended, in.check.value, in.check.problem = nil, nil, ""
	s.apply(now, time.Time{}, s.gate.SetChecked(in.cfg.Name, true))
	return nil
}

// keepCheck records how far a check is.
func (s *Station) keepCheck(now clock.Moment, in *input, c *wire.FieldCheck) error {
	if _, err := s.opts.Journal.TryAppend(now, c); err != nil {
		return fmt.Errorf("keep the field check: %w", err)
	}
	in.check.touched = now.Boot
	in.rememberCheck(c)
	return nil
}

// rememberCheck takes over how far a check is.
func (in *input) rememberCheck(c *wire.FieldCheck) {
	if in.check.open = c; c.State == fact.CheckOpen {
		return
	}
	in.check.open = nil
	if c.State == fact.CheckDone {
		in.check.last = c
	}
}

// resumeChecks goes on with the checks that were on before a restart. Who found a
// thermometer off, and has set the offset that was proposed, is trusted.
func (s *Station) resumeChecks(now clock.Moment) {
	for _, in := range s.inputs {
		if in.check.touched = now.Boot; in.check.open != nil {
			s.gate.SetChecked(in.cfg.Name, true)
		}
		if c := in.check.last; c != nil && !c.Result.Passed && len(s.faults(in, c)) == 0 {
			in.trust.held = false
		}
	}
}

// checkReading takes a measurement during a check of its thermometer.
func (s *Station) checkReading(now clock.Moment, in *input, seq uint64, t *wire.Temperature) {
	c := &in.check
	if c.open == nil || t == nil {
		return
	}
	c.touched, c.value, c.problem = now.Boot, nil, ""
	switch {
	case t.Ambient < t.RatedMin:
		c.problem = fact.ReasonAmbientLow
	case t.Ambient > t.RatedMax:
		c.problem = fact.ReasonAmbientHigh
	case t.Hot:
		c.problem = fact.ReasonHotBackground
	case !t.Settled:
		c.problem = fact.ReasonUnsettled
	default:
		c.value, c.seq = &t.Screening, seq
	}
	s.publish()
}

// pair takes what the contact thermometer shows of the person who was measured last. A
// fever is one, though it was found in a check.
func (s *Station) pair(now clock.Moment, in *input, contact fact.Temp) error {
	c := &in.check
	if c.value == nil {
		return honesty.ErrCheckEmpty
	}
	entered := wire.Entered{Value: contact, With: fact.HandHeldContact}
	if err := entered.Check(); err != nil {
		return err
	}
	if contact >= s.opts.Rules.Limits.Fever {
		if err := s.enter(now, in.lane.Name, &entered); err != nil && !errors.Is(err, gate.ErrFever) {
			return err
		}
	}
	next := *c.open
	next.Pairs = append(next.Pairs[:len(next.Pairs):len(next.Pairs)],
		wire.CheckPair{Contact: contact, Screening: *c.value, Reading: c.seq})
	result, done := s.compare(&next, next.Offset)
	if done {
		next.State = fact.CheckDone
		next.Result = &wire.CheckResult{Mean: result.Mean, Spread: result.Spread, Proposed: next.Offset - result.Mean,
			Passed: result.Passed(), Faults: result.Faults, Due: wire.At(s.dueAfter(&next))}
	}
	if err := s.keepCheck(now, in, &next); err != nil {
		return err
	}
	if c.value = nil; done {
		s.checkOver(now, in, &next)
	}
	return nil
}

// giveUp ends a check without a result.
func (s *Station) giveUp(now clock.Moment, in *input) error {
	ended := *in.check.open
	ended.State = fact.CheckGivenUp
	if err := s.keepCheck(now, in, &ended); err != nil {
		return err
	}
	s.checkOver(now, in, &ended)
	return nil
}

// checkOver lets the thermometer of a check that has ended judge again, and notes what
// the check says about it.
func (s *Station) checkOver(now clock.Moment, in *input, c *wire.FieldCheck) {
	in.check.ended, in.check.value = c, nil
	s.log.Info("field check of a thermometer", "device", c.Device, "state", c.State, "pairs", len(c.Pairs))
	s.trustCheck(in, c)
	s.apply(now, time.Time{}, s.gate.SetChecked(in.cfg.Name, false))
	s.doubt()
	s.checkDue(now)
}

// watchChecks does what is due of field checks: it gives up one that nobody goes on with.
func (s *Station) watchChecks(now clock.Moment) {
	for _, in := range s.inputs {
		c := &in.check
		if c.open != nil && now.Boot-c.touched > checkPatience {
			if err := s.giveUp(now, in); err != nil {
				s.log.Error("give up a field check that nobody goes on with", "device", in.cfg.Name, "err", err)
			}
		}
		if c.ended != nil && now.Boot-c.touched > checkShown {
			c.ended = nil
		}
	}
	s.checkDue(now)
}
