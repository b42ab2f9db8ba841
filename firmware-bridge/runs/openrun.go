package runs

import (
	"slices"
	"time"

	"gatehouse/firmware-bridge/geo"
)

// tally is what the samples of a run add up to.
type tally struct {
	run                Run
	tank               tank
	flow               flow
	command            command
	commanded, flowing []Span
	fixes              int     // positions, of sorties
	reach              float64 // metres, the furthest from where a sortie began
}

// command is what is known of the pump's command.
type command struct {
	known bool // some sample says what it is
	given bool // some sample says that the pump is told to run
}

// openRun is the run that is not over.
type openRun struct {
	tally                // up to the last sample
	held   tally         // up to the end of the last sortie
	sortie bool          // one is under way
	begun  time.Duration // T
	worked time.Duration // T of the last work
	way    Way
	first  *Sample // of the sortie with a position
	reader reader

	// When the pump was last told to run: litres that the tank had fallen, and
	// that had flowed without command.
	fellAsked, unaskedThen float64
}

// Run returns the open run as it stands; it panics when there is none. While
// the run pauses its numbers are those of the end of its last sortie.
func (t *Tracker) Run() Run {
	c := &t.open.tally
	if !t.open.sortie {
		c = &t.open.held
	}
	r := c.run
	r.ID = t.open.run.ID
	_, r.Working = t.Open()
	r.Faults = slices.Clone(r.Faults)
	r.Unasked = c.unasked(c.flow.sure)
	if r.Meter != nil {
		r.Meter = new(*r.Meter + max(c.flow.loose, c.flow.pending))
	}
	if l := r.Litres(); l != nil {
		r.Unasked = min(r.Unasked, *l)
	}
	if c.tank.known {
		r.TankFirst, r.TankLast = new(c.tank.first), new(c.tank.low)
		r.Refills, r.Refilled = c.tank.times, c.tank.filled
		if t.cfg.TankLitres > 0 {
			r.TankFell = new(c.tank.fell() / 100 * t.cfg.TankLitres)
		}
	}
	r.Work = slices.Clone(c.commanded)
	if r.Litres() != nil {
		r.Work = slices.Clone(c.flowing)
	}
	t.judge(&r, c)
	if t.cfg.Declared {
		r.Grade, r.Reasons = Declared, append([]string{ReasonDeclared}, r.Reasons...)
	}
	return r
}

// add adds a sample to the open run. What comes between two sorties counts when
// the second one begins; what comes after the last one does not.
func (t *Tracker) add(s Sample, working bool) {
	o := t.open
	if o.sortie && t.prev.T-o.worked > t.cfg.Idle && s.T-t.prev.T > settle {
		o.pause() // the last sample was the first after a silence
	}
	underWay := o.sortie
	switch {
	case working && !underWay:
		o.sortie, o.first = true, nil
		o.run.Sorties++
	case !working && underWay && s.Tank != nil && o.tank.rises(*s.Tank):
		o.pause() // it is being refilled
	}
	r := &o.run
	r.Samples++
	o.flow.seen = o.flow.seen || s.Flow != nil && *s.Flow >= t.cfg.MinFlow
	o.command.known = o.command.known || s.Command != nil
	o.command.given = o.command.given || s.Command != nil && *s.Command
	if s.Fault != "" {
		t.fault(s.Fault)
	}
	var past time.Duration
	if t.prev != nil && r.Samples > 1 {
		past = s.T - t.prev.T
	}
	if o.flow.doubt == (unasked{}) {
		o.flow.doubtSince = s.T
	}
	litres := t.addLitres(s, past)
	o.settleDoubt(s)
	if s.Tank != nil {
		o.tank.add(*s.Tank)
	}
	t.distrustFlow(s)
	t.addTimes(s, past, litres, underWay)
	o.addPosition(s, underWay)
	r.Until = r.Start.Add(s.T - o.begun) // the wall clock may step
	if working {
		o.worked, r.End = s.T, r.Until
		return
	}
	idle := s.T-o.worked > t.cfg.Idle && past <= settle
	if o.sortie && (idle || s.Armed != nil && !*s.Armed || s.Tank != nil && *s.Tank <= 0) {
		o.pause()
	}
}

// pause ends a sortie: the run keeps its numbers until another one begins.
func (o *openRun) pause() {
	if !o.sortie {
		return
	}
	o.sortie, o.held = false, o.tally
	o.held.run.Faults = slices.Clone(o.run.Faults)
	o.held.commanded, o.held.flowing = slices.Clone(o.commanded), slices.Clone(o.flowing)
}

// addTimes adds the time since the last sample, in which litres flowed, to the
// times of command, of flow and of gaps; underWay: a sortie was under way then.
func (t *Tracker) addTimes(s Sample, past time.Duration, litres float64, underWay bool) {
	o, r := t.open, &t.open.run
	flowed := litres > 0 && litres >= t.cfg.MinFlow*past.Minutes()
	switch to := s.T - o.begun; {
	case past <= 0:
	case past <= t.cfg.Gap:
		if p := t.prev.Command; p != nil && *p {
			r.Commanded += past
			o.commanded = join(o.commanded, Span{to - past, to})
		}
		if flowed || t.flows(s) {
			r.Flowing += past
			o.flowing = join(o.flowing, Span{to - past, to})
		}
	case underWay && past <= t.cfg.Pause:
		r.Gaps += past
		if flowed {
			r.Flowing += past
			o.flowing = join(o.flowing, Span{to - past, to})
		}
	}
}

// fault adds a code to the run's faults.
func (t *Tracker) fault(code string) {
	if r := &t.open.run; !slices.Contains(r.Faults, code) && len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, code)
	}
}

// addPosition adds the way since the last position; underWay: a sortie was under
// way at the last sample.
func (o *openRun) addPosition(s Sample, underWay bool) {
	if s.Lat == nil || s.Lon == nil {
		return
	}
	metres, found := o.way.Take(*s.Lat, *s.Lon, s.T)
	if found != Reached {
		o.run.BadFixes++
	}
	if found == Jumped || !o.sortie {
		return
	}
	if o.first == nil || found == Moved {
		o.first = &s
	}
	if underWay {
		o.run.Distance += metres
	}
	o.fixes++
	o.reach = max(o.reach, geo.Distance(o.first.point(), s.point()))
}
