// Package versions takes the county's gates from one version of the packages to another, in
// waves that somebody chooses at the desk: each waits for the one before to be done and well,
// and a gate that has gone back or is silent stops them all.
package versions

import (
	"slices"
	"time"

	"gatehouse/gateway/fact"
)

// The limits of a rollout.
const (
	AtOnce    = 8                // gates that are asked or upgraded at a time: the desk sends 16 packages at a time
	Silent    = 10 * time.Minute // without a heartbeat of a gate that was asked or is done
	Longest   = 45 * time.Minute // from the command to the outcome: a gate has 30 minutes
	Soak      = 15 * time.Minute // that a wave that is done must be well
	mostTries = 5                // to reach a gate that lives
	mostGates = 2000
	mostWaves = 50
	patience  = 2 * time.Minute // for a sign of a gate of which is not known whether it took the command
)

// GateState is how far a gate of a rollout is.
type GateState string

// The states of a gate. The last four are ends, until somebody lets the rollout go on.
const (
	Waits     GateState = "waits"     // it was not asked yet, or is away
	Asked     GateState = "asked"     // it was commanded, and has not said what it does
	Upgrading GateState = "upgrading" //
	Done      GateState = "done"      // it runs the version
	Refused   GateState = "refused"   // it can't, or nothing was changed there
	Failed    GateState = "failed"    // the version was installed and did not do
	Unheard   GateState = "silent"    // it was asked, and is not heard
	Left      GateState = "left"      // somebody left it out
)

// Reasons of Refused and Unheard besides those of commands and what gates say.
const (
	WhyOld       = "too-old"     // its version takes no such command
	WhyUnreached = "undelivered" // it lives, and does not answer commands
	WhyUnchanged = "unchanged"   // it has refused or failed before anything was changed
	WhySilent    = "silent"      // no heartbeat
	WhyLate      = "late"        // no outcome
	WhyBack      = "back"        // the former version runs again
	WhyStuck     = "stuck"       // neither could be installed
)

// Gate is one gate of a wave.
type Gate struct {
	Agent   string    `json:"agent"`
	State   GateState `json:"state"`
	Command string    `json:"command,omitempty"` // id of the last
	Since   time.Time `json:"since"`             // when it came to this state
	Tries   int       `json:"tries,omitempty"`   // commands that did not reach it
	Why     string    `json:"why,omitempty"`     // code
	Detail  string    `json:"detail,omitempty"`  // of why, for people
}

// to returns the gate in another state.
func (g Gate) to(s GateState, now time.Time, why, detail string) Gate {
	if g.State != s {
		g.State, g.Since = s, now
	}
	g.Why, g.Detail = why, detail
	return g
}

// open reports whether something is still to come of the gate.
func (g Gate) open() bool { return g.State == Waits || g.busy() }

// busy reports whether the gate is being asked or upgraded.
func (g Gate) busy() bool { return g.State == Asked || g.State == Upgrading }

// Wave is the gates that are upgraded together.
type Wave struct {
	Gates  []Gate    `json:"gates"`
	Began  time.Time `json:"began"`            // zero: it waits for the one before
	Well   time.Time `json:"well"`             // since when all of it is done; zero: it is not
	Over   bool      `json:"over,omitempty"`   // the next may begin
	Passed bool      `json:"passed,omitempty"` // somebody lets the next begin although none is done
}

// State is how a rollout is.
type State string

// The states. The last two are ends.
const (
	Running  State = "running"
	Stopped  State = "stopped" // by itself or by somebody; it can go on
	Finished State = "finished"
	Ended    State = "ended" // by somebody
)

// Open reports whether the rollout can go on.
func (s State) Open() bool { return s == Running || s == Stopped }

// Rollout takes gates to a version. It is a value: Step returns what it becomes.
type Rollout struct {
	ID      string    `json:"id"`
	Version string    `json:"version"` // of the packages
	By      string    `json:"by"`
	Reason  string    `json:"reason"`
	Began   time.Time `json:"began"`
	State   State     `json:"state"`
	Changed time.Time `json:"changed"` // when State came
	Why     string    `json:"why,omitempty"`
	Gate    string    `json:"gate,omitempty"` // that has stopped it
	Waves   []Wave    `json:"waves"`
}

// WhyNone stops a rollout: no gate of a wave has taken the version. WhyPerson: somebody did.
const (
	WhyNone   = "none"
	WhyPerson = "person"
)

func (r Rollout) to(s State, now time.Time, why, gate string) Rollout {
	if r.State != s {
		r.State, r.Changed = s, now
	}
	r.Why, r.Gate = why, gate
	return r
}

// current returns the wave that is on, or -1.
func (r Rollout) current() int {
	return slices.IndexFunc(r.Waves, func(w Wave) bool { return !w.Over })
}

// clone returns a rollout that shares nothing with r.
func (r Rollout) clone() Rollout {
	r.Waves = slices.Clone(r.Waves)
	for i := range r.Waves {
		r.Waves[i].Gates = slices.Clone(r.Waves[i].Gates)
	}
	return r
}

// GoOn lets a rollout that was stopped go on, without the gates of its wave that failed or are
// silent.
func (r Rollout) GoOn(now time.Time) Rollout {
	i := r.current()
	if r.State != Stopped || i < 0 {
		return r
	}
	r = r.clone()
	w := &r.Waves[i]
	none := true
	for j, g := range w.Gates {
		if g.State == Failed || g.State == Unheard {
			w.Gates[j] = g.to(Left, now, g.Why, g.Detail)
		}
		none = none && !w.Gates[j].open()
	}
	w.Passed = w.Passed || none
	return r.to(Running, now, "", "")
}

// LeaveOut leaves out the gates of the wave that is on and wait: those that are away.
func (r Rollout) LeaveOut(now time.Time) Rollout {
	i := r.current()
	if !r.State.Open() || i < 0 {
		return r
	}
	r = r.clone()
	for j, g := range r.Waves[i].Gates {
		if g.State == Waits {
			r.Waves[i].Gates[j] = g.to(Left, now, g.Why, g.Detail)
		}
	}
	return r
}

// Stop stops a rollout: no other gate is asked. Those that are on their way go on.
func (r Rollout) Stop(now time.Time) Rollout {
	if r.State != Running {
		return r
	}
	return r.to(Stopped, now, WhyPerson, "")
}

// End ends a rollout for good.
func (r Rollout) End(now time.Time) Rollout {
	if !r.State.Open() {
		return r
	}
	return r.to(Ended, now, WhyPerson, "")
}

// failed returns the code of what a gate says of an upgrade that did not stay.
func failed(s fact.UpgradeState) string {
	if s == fact.UpgradeStuck {
		return WhyStuck
	}
	return WhyBack
}
