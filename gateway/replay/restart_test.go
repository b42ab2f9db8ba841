package replay_test

import (
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// start starts the agent, and the computer before it.
func (a *agent) start(computer bool) {
	if computer {
		a.boots++
		a.now.Boot = time.Duration(a.boots) * time.Minute
	}
	a.append(&wire.Clock{Reason: "start", BootID: a.bootID(), Synchronised: !a.unsync})
	a.gate = gate.New(gate.Config{Rules: a.rules, Zone: zone, Lanes: lanes()})
	used, checks := a.remember()
	a.gate.SetSynchronised(a.now, !a.unsync)
	for _, c := range checks {
		a.gate.SetChecked(c.Device, c.State == fact.CheckOpen)
	}
	a.again(used)
}

// remember lets a new gate know what the journal holds, and returns the readings on which
// something was decided, and the field checks.
func (a *agent) remember() (used map[uint64]bool, checks []*wire.FieldCheck) {
	used = map[uint64]bool{}
	boot, again := "", false
	for _, r := range a.journal {
		e := gate.Earlier{At: r.At.Time, Synchronised: !r.Unsync}
		switch b := r.body.(type) {
		case *wire.Clock:
			boot = b.BootID
		case *wire.Alarm:
			if _, id, _ := strings.Cut(b.ID, ":"); b.Type == fact.AlarmDeviceDoubtful {
				a.gate.SetDoubted(b.Device, b.State == fact.AlarmRaised)
			} else {
				a.gate.EpisodeEnded(id)
			}
			continue
		case *wire.Passage:
			e.Passage = b
			for _, seq := range b.Readings {
				used[seq] = true
			}
		case *wire.Reading:
			switch {
			case a.rules.Baseline == nil:
			case b.BootID == a.bootID() && a.now.Boot-time.Duration(b.BootNS) < time.Minute:
				again = true
			default:
				a.gate.RememberReading(b)
			}
			continue
		case *wire.Baseline:
			if !again && a.rules.Baseline != nil {
				a.gate.RememberBaseline(b)
			}
			continue
		case *wire.FieldCheck:
			checks = append(checks, b)
			continue
		default:
			continue
		}
		if boot == a.bootID() {
			e.Boot = time.Duration(r.BootNS)
		}
		if a.rules.Reach() > 0 || e.Passage == nil {
			a.gate.Remember(e)
		}
	}
	return used, checks
}

// again lets what happened in the last minute go through the gate, and keeps what was
// not decided then.
func (a *agent) again(used map[uint64]bool) {
	keep := func(events []gate.Event) {
		a.keep(slices.DeleteFunc(events, func(e gate.Event) bool {
			return !slices.ContainsFunc(e.Passage.Readings, func(seq uint64) bool { return !used[seq] })
		}), 0)
	}
	recent, all, boot := map[uint64][]uint64{}, slices.Clone(a.journal), ""
	for _, r := range all {
		switch b := r.body.(type) {
		case *wire.Reading:
			at := clock.Moment{Wall: r.At.Time, Boot: time.Duration(b.BootNS)}
			if b.BootID == a.bootID() && a.now.Boot-at.Boot < time.Minute {
				keep(a.gate.Observe(at, r.Seq, *b))
			}
		case *wire.Health:
			keep(a.gate.SetWorks(b.Device, b.State == fact.DeviceOK))
		case *wire.Passage:
			if recent[r.Seq] = b.Readings; b.Override != nil {
				a.gate.Answered(b.Readings)
			}
		case *wire.Clock:
			boot = b.BootID
		case *wire.Audit:
			at := clock.Moment{Wall: r.At.Time, Boot: time.Duration(r.BootNS)}
			if b.Episode != "" && boot == a.bootID() && a.now.Boot-at.Boot < time.Minute {
				_ = a.gate.Retest(at, b.Lane, b.Episode) // it may have ended
			}
			a.gate.Answered(recent[b.Passage])
		}
	}
	boot = ""
	for _, r := range all {
		switch b := r.body.(type) {
		case *wire.Clock:
			boot = b.BootID
		case *wire.Passage:
			if boot == a.bootID() && a.now.Boot-time.Duration(r.BootNS) < time.Minute {
				a.gate.Remember(gate.Earlier{At: r.At.Time, Boot: time.Duration(r.BootNS), Passage: b})
			}
		}
	}
	keep(a.gate.Tick(a.now))
	for _, l := range lanes() {
		for _, d := range append(slices.Clone(l.Thermometers), l.Readers...) {
			a.gate.SetWorks(d, true)
		}
	}
}
