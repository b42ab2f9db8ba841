package runs

import (
	"slices"
	"time"

	"gatehouse/firmware-bridge/geo"
)

// tally is what the samples of a run add up to.
type tally struct {
	run      Run
	tank     tank
	flow     flow
	command  command
	odometer odometer
	waiting  waiting
	spans
	unmeasured unmeasuredFor
	lost       bool    // a command that holds was not heard from again
	fixes      int     // positions while it worked
	reach      float64 // metres, the furthest from where it began to work in a sortie
}

// spans are when the pump was told to run, and when it worked.
type spans struct{ commanded, worked []Span }

func (s spans) clone() spans { return spans{slices.Clone(s.commanded), slices.Clone(s.worked)} }

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
	first  *Sample       // of the sortie with a position
	reader reader

	// When the pump was last told to run: litres that the tank had fallen, and
	// that had flowed without command.
	fellAsked, unaskedThen float64
}

// Run returns the open run as it stands; it panics when there is none. While
// the run pauses its numbers are those of the end of its last sortie.
func (t *Tracker) Run() Run {
	c := t.open.tally
	if !t.open.sortie {
		c = t.open.held
	}
	c.spans = c.spans.clone()
	c.stopWaiting()
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
	way := c.odometer.total()
	r.Work, r.Distance = c.worked, way.worked
	if r.Flowing == 0 { // nothing flowed, or nobody measured it
		r.Work, r.On, r.Distance = c.commanded, r.Commanded, way.told
	}
	t.judge(&r, &c)
	if t.cfg.Declared {
		r.Grade, r.Reasons = Declared, append([]string{ReasonDeclared}, r.Reasons...)
	}
	return r
}

// add adds a sample to the open run. What comes between two sorties counts when
// the second one begins; what comes after the last one does not.
func (t *Tracker) add(s Sample, working bool) {
	o := t.open
	switch {
	case !o.sortie:
	case t.prev.T-o.worked > t.cfg.Idle && s.T-t.prev.T > settle:
		o.pause() // the last sample was the first after a silence
	case t.rests() && s.T-o.worked > t.cfg.Idle:
		o.pause()
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
	o.flow.metered = o.flow.metered || s.Flow != nil || s.Volume != nil
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
	first := !o.reader.known
	litres := t.addLitres(s, past)
	o.settleDoubt(s)
	if s.Tank != nil {
		o.tank.add(*s.Tank)
	}
	t.distrustFlow(s)
	worked := t.addTimes(s, past, litres, underWay)
	if s.Volume != nil {
		o.read(first)
	}
	o.addPosition(s, working || worked > 0)
	r.Until = o.wall(s.T)
	if working {
		o.worked, r.End = s.T, r.Until
		return
	}
	if worked > 0 && underWay {
		o.worked = max(o.worked, s.T-past+worked)
		r.End = o.wall(o.worked)
	}
	idle := s.T-o.worked > t.cfg.Idle && past <= settle
	if o.sortie && (idle || s.Armed != nil && !*s.Armed || s.Tank != nil && *s.Tank <= 0) {
		o.pause()
	}
}

// wall returns the wall clock at a T of the run. The wall clock of its samples may step.
func (o *openRun) wall(at time.Duration) time.Time { return o.run.Start.Add(at - o.begun) }

// pause ends a sortie: the run keeps its numbers until another one begins.
func (o *openRun) pause() {
	if !o.sortie {
		return
	}
	o.sortie, o.held = false, o.tally
	o.held.run.Faults = slices.Clone(o.run.Faults)
	o.held.spans = o.spans.clone()
}

// fault adds a code to the run's faults.
func (t *Tracker) fault(code string) {
	if r := &t.open.run; !slices.Contains(r.Faults, code) && len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, code)
	}
}

// addPosition takes the position of a sample; worked: the machine worked then, or
// since the last sample.
func (o *openRun) addPosition(s Sample, worked bool) {
	if s.Lat == nil || s.Lon == nil {
		return
	}
	found := o.odometer.take(s)
	if found != Reached {
		o.run.BadFixes++
	}
	if found == Jumped || !o.sortie || !worked {
		return
	}
	if o.first == nil || found == Moved {
		o.first = &s
	}
	o.fixes++
	o.reach = max(o.reach, geo.Distance(o.first.point(), s.point()))
}
