package prove

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/calls"
	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/guard"
)

// callWithoutCounty lets the guard call a doctor and the community, and the desk answer.
func callWithoutCounty(ctx context.Context, r *rig) error {
	p, err := r.atPost(ctx)
	if err != nil {
		return err
	}
	r.broker.kill()
	if err := p.callBoth(ctx); err != nil {
		return err
	}
	cut := func(v kiosk.View) bool { return v.Call != nil && v.Call.State == "cut" }
	if _, err := p.sees(ctx, "that nobody knows of the call", cut); err != nil {
		return err
	}
	if err := p.killed(ctx); err != nil {
		return err
	}
	if _, err := p.sees(ctx, "the call of before the restart", cut); err != nil {
		return err
	}
	if err := r.broker.start(); err != nil {
		return err
	}
	if _, err := p.calls(ctx); err != nil {
		return err
	}
	if err := r.restart(ctx, 300*time.Millisecond, r.collector); err != nil {
		return err
	}
	open, err := p.calls(ctx)
	if err != nil {
		return err
	}
	for _, x := range open {
		a := calls.Answer{Answer: fact.AnswerOnTheWay, Minutes: 10}
		if x.Call.Role != fact.RoleDoctor {
			a = calls.Answer{Answer: fact.AnswerNotAvailable, Phone: "0000 000 1100"}
		}
		if err := r.clerk.Answer(ctx, x.ID, a); err != nil {
			return err
		}
	}
	if err := r.restart(ctx, 300*time.Millisecond, r.collector); err != nil {
		return err
	}
	return p.hearsBoth(ctx)
}

// callBoth lets the guard call a doctor about a fever, and the community about a stranger.
func (p *post) callBoth(ctx context.Context) error {
	v, err := p.comes(ctx, "", 3840)
	if err != nil {
		return err
	}
	if err := p.Press(ctx, v, kiosk.ActionCallDoctor); err != nil {
		return err
	}
	if err := p.hw.Tap(ctx, "reader-in", "99ABCDEF01"); err != nil {
		return err
	}
	v, err = p.sees(ctx, "a stranger", func(v kiosk.View) bool { return v.Look == kiosk.LookUnknown })
	if err != nil {
		return err
	}
	return p.Press(ctx, v, kiosk.ActionCallCommunity)
}

// calls waits until the desk lists both calls of the gate, and returns them.
func (p *post) calls(ctx context.Context) (open []alerts.Alert, err error) {
	_, ok := p.poll(ctx, 30*time.Second, func() bool {
		var all []alerts.Alert
		if all, err = p.clerk.Alerts(ctx); err != nil {
			return false // a desk that starts answers the next time
		}
		open = nil
		for _, x := range all {
			if x.Agent == p.gate.ID && x.Type == fact.AlarmHelpCalled && x.Call != nil {
				open = append(open, x)
			}
		}
		return len(open) == 2
	})
	if !ok {
		return nil, fmt.Errorf("the desk lists %d calls, want 2: %w", len(open), err)
	}
	return open, nil
}

// hearsBoth waits until the screen shows both answers, and ends the calls.
func (p *post) hearsBoth(ctx context.Context) error {
	answered := func(role fact.Role, a fact.CallAnswer) func(kiosk.View) bool {
		return func(v kiosk.View) bool {
			return v.Call != nil && v.Call.Role == string(role) && v.Call.Answer == string(a)
		}
	}
	v, err := p.sees(ctx, "that the community can't come", answered(fact.RoleCommunity, fact.AnswerNotAvailable))
	if err != nil {
		return err
	}
	if err := p.Press(ctx, v, kiosk.ActionReached); err != nil {
		return err
	}
	v, err = p.sees(ctx, "that a doctor comes", answered(fact.RoleDoctor, fact.AnswerOnTheWay))
	if err != nil {
		return err
	}
	if v.Call.Minutes != 10 {
		return fmt.Errorf("the doctor comes in %d minutes, the desk said 10", v.Call.Minutes)
	}
	if err := p.Press(ctx, v, kiosk.ActionArrived); err != nil {
		return err
	}
	_, ok := p.poll(ctx, 30*time.Second, func() bool {
		open, err := p.calls(ctx)
		return err == nil && open[0].Cleared != nil && open[1].Cleared != nil
	})
	if n, err := p.keptAlarms(fact.AlarmHelpCalled); !ok || err != nil || n != 2 {
		return fmt.Errorf("the gate made %d calls, and they have not ended at the desk: %w", n, err)
	}
	return nil
}

// killInCheck plays a field check that passes.
func killInCheck(ctx context.Context, r *rig) error {
	p, err := r.atPost(ctx)
	if err != nil {
		return err
	}
	begun := func() bool { err = p.Check(ctx, p.hw.Thermometer(), honesty.CheckBegin, 0); return err == nil }
	if _, ok := p.poll(ctx, shownWithin, begun); !ok { // the thermometer may not have been heard yet
		return err
	}
	const cut = 4 // pairs before the agent is killed
	for n := range honesty.PairsNeeded {
		value := fact.Temp(3600 + 12*n)
		if err := p.measured(ctx, n, value); err != nil {
			return err
		}
		if n == cut {
			if err := p.cutOff(ctx, n, value); err != nil {
				return err
			}
		}
		if err := p.Check(ctx, p.hw.Thermometer(), honesty.CheckContact, value); err != nil {
			return err
		}
	}
	v, err := p.sees(ctx, "the result of the check", func(v kiosk.View) bool {
		return v.Check != nil && v.Check.State == fact.CheckDone
	})
	if err != nil {
		return err
	}
	if x := v.Check.Result; x == nil || !x.Passed || v.Check.Pairs != honesty.PairsNeeded {
		return fmt.Errorf("the check ended with %+v", v.Check)
	}
	return p.checkPairs()
}

// cutOff kills the agent when somebody was measured as the n-th, and measures them again.
func (p *post) cutOff(ctx context.Context, n int, value fact.Temp) error {
	if err := p.killed(ctx); err != nil {
		return err
	}
	if err := p.Check(ctx, p.hw.Thermometer(), honesty.CheckContact, value); !errors.Is(err, guard.ErrRefused) {
		return fmt.Errorf("after the restart nobody was measured, and a contact value is taken: %w", err)
	}
	return p.measured(ctx, n, value)
}

// measured lets somebody be measured in a check that has n pairs.
func (p *post) measured(ctx context.Context, n int, value fact.Temp) error {
	_, err := p.sees(ctx, fmt.Sprintf("a check with %d pairs", n), func(v kiosk.View) bool {
		return v.Check != nil && v.Check.Pairs == n && v.Check.Screening == nil
	})
	if err != nil {
		return err
	}
	p.hw.Stand(bench.Surface(value, p.gate.Offset), shownWithin)
	_, err = p.sees(ctx, "somebody who is measured in the check", func(v kiosk.View) bool {
		return v.Check != nil && v.Check.Screening != nil && *v.Check.Screening == value
	})
	p.hw.Leave()
	p.wait(ctx, 300*time.Millisecond) // until they have gone
	return err
}

// checkPairs checks that the record of the check has each pair once, each of its own reading.
func (p *post) checkPairs() error {
	all, err := p.kept()
	if err != nil {
		return err
	}
	var last *wire.FieldCheck
	for _, b := range all {
		if c, is := b.(*wire.FieldCheck); is {
			last = c
		}
	}
	readings := map[uint64]bool{}
	for _, x := range last.Pairs {
		readings[x.Reading] = true
	}
	if last.State != fact.CheckDone || len(readings) != honesty.PairsNeeded {
		return fmt.Errorf("the last record of the check: %+v", last)
	}
	return nil
}
