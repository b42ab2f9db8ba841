package replay

import (
	"slices"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// begin makes a gate that knows the past, as an agent does when it starts.
func (r *Replay) begin(x item) {
	at := x.moment()
	if r.gate != nil {
		r.pending.cut(at.Boot)
	}
	lanes := r.cfg.Lanes
	if lanes == nil {
		lanes = runOf(r.cfg.Runs, x.rec.Seq).lanes()
	}
	r.gate = gate.New(gate.Config{Rules: r.cfg.Rules, Zone: r.cfg.Zone, Lanes: lanes})
	r.decided = 0
	recent := r.past.restore(r.gate, r.bootID, at.Boot)
	r.gate.SetSynchronised(at, !x.rec.Unsync)
	r.resumeChecks()
	for _, e := range r.past.events {
		r.again(at, e)
	}
	for _, e := range recent {
		if at.Boot-e.Boot < window {
			r.gate.Remember(e)
		}
	}
	r.emit(r.undecided(r.gate.Tick(at)))
	for _, d := range devicesOf(lanes) {
		r.gate.SetWorks(d, true)
	}
}

// resumeChecks goes on with the field checks of thermometers that were on.
func (r *Replay) resumeChecks() {
	for _, e := range r.past.kept {
		if c, is := e.body.(*wire.FieldCheck); is {
			r.gate.SetChecked(c.Device, c.State == fact.CheckOpen)
		}
	}
}

// again lets what happened before a start of the agent, which is at now, go through the
// gate once more.
func (r *Replay) again(now clock.Moment, e event) {
	age := now.Boot - e.at.Boot
	late := e.bootID != r.bootID || age < 0 || age >= window
	switch {
	case e.device != "":
		r.emit(r.undecided(r.gate.SetWorks(e.device, e.works)))
	case e.again != nil && !late:
		_ = r.gate.Retest(e.at, e.again.Lane, e.again.Episode) // as at the gate: it may have ended
	case e.reading != nil && !late:
		r.decided = max(r.decided, e.at.Boot)
		r.emit(r.undecided(r.gate.Observe(e.at, e.seq, *e.reading)))
	case e.answered != nil:
		r.gate.Answered(e.answered)
	}
}

// undecided returns the events that use a reading on which nothing was decided before.
func (r *Replay) undecided(events []gate.Event) []gate.Event {
	return slices.DeleteFunc(events, func(e gate.Event) bool { return r.past.used(e.Passage.Readings) })
}
