package agent

import (
	"context"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
)

// Note records what the guard did. It returns when the journal holds it. It may
// be called from any goroutine while Run runs.
func (a *Agent) Note(ctx context.Context, audit wire.Audit) error {
	if a.ends() {
		return errRetired
	}
	if a.station != nil {
		err := a.station.Note(ctx, audit)
		if err == nil && a.panel != nil {
			a.panel.Answered(audit)
		}
		return err
	}
	_, err := a.recorder.TryAppend(a.clock.Now(), &audit)
	return err
}

// Enter takes a value that the guard read off a hand-held thermometer; see
// station.Enter. It may be called from any goroutine while Run runs.
func (a *Agent) Enter(ctx context.Context, lane string, value wire.Entered) error {
	if a.ends() {
		return errRetired
	}
	if a.station == nil {
		return gate.ErrNotMeasured
	}
	return a.station.Enter(ctx, lane, value)
}

// Check takes a step of a field check of a thermometer; see station.Check. It may be
// called from any goroutine while Run runs.
func (a *Agent) Check(ctx context.Context, step honesty.CheckStep) error {
	if a.ends() {
		return errRetired
	}
	if a.station == nil {
		return gate.ErrNotMeasured
	}
	return a.station.Check(ctx, step)
}

// Retest lets the next measurement in a lane be the second one of a fever episode; see
// station.Retest. It may be called from any goroutine while Run runs.
func (a *Agent) Retest(ctx context.Context, lane, episode string) error {
	if a.ends() {
		return errRetired
	}
	if a.station == nil {
		return gate.ErrNotMeasured
	}
	return a.station.Retest(ctx, lane, episode)
}

// Call asks the county for somebody; see help.Call. It may be called from any goroutine
// while Run runs.
func (a *Agent) Call(ctx context.Context, r fact.Role, passage uint64) error {
	if a.ends() {
		return errRetired
	}
	return a.help.Call(ctx, r, passage)
}

// EndCall ends a call; see help.End. It may be called from any goroutine while Run runs.
func (a *Agent) EndCall(ctx context.Context, id, how string) (ok bool, err error) {
	if a.ends() {
		return false, errRetired
	}
	return a.help.End(ctx, id, how)
}

// SignIn lets a guard sign in; see station.SignIn.
func (a *Agent) SignIn(ctx context.Context, guard, pin string) error {
	if a.ends() {
		return errRetired
	}
	if a.station == nil {
		return post.ErrGuard
	}
	return a.station.SignIn(ctx, guard, pin)
}

// HandOver leaves notes to the next guard; see station.HandOver.
func (a *Agent) HandOver(ctx context.Context, notes []string) error {
	if a.ends() {
		return errRetired
	}
	if a.station == nil {
		return post.ErrOffDuty
	}
	return a.station.HandOver(ctx, notes)
}

// Override decides against a verdict; see station.Override.
func (a *Agent) Override(ctx context.Context, passage uint64, reason string) error {
	if a.ends() {
		return errRetired
	}
	if a.station == nil {
		return post.ErrOver
	}
	return a.station.Override(ctx, passage, reason)
}

// Shown returns what the guard sees of somebody, by the rules in force. It may be called from
// any goroutine.
func (a *Agent) Shown(credential string) string {
	if a.station == nil {
		return ""
	}
	return a.station.Shown(credential)
}

// Buzz sounds the buzzers of a gate once. It may be called from any goroutine.
func (a *Agent) Buzz() {
	if a.station != nil {
		a.station.Buzz()
	}
}
