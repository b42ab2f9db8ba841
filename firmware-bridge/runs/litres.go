package runs

import "time"

// flow is what is known of what flowed in a run.
type flow struct {
	seen        bool          // some sample's flow reached MinFlow
	stuck       bool          // the sensor reported flow while the tank did not fall
	loose       float64       // litres by flow and time since the counter was last read
	sure, doubt unasked       // doubt: the command may still come
	doubtSince  time.Duration // T
}

// unasked are litres that flowed without command: by the counter, by flow and
// time, and the latter since the counter was last read.
type unasked struct{ meter, flow, loose float64 }

func (u *unasked) add(more unasked) {
	u.meter, u.flow, u.loose = u.meter+more.meter, u.flow+more.flow, u.loose+more.loose
}

// unasked returns the litres without command by the meter of Run.Litres.
func (c *tally) unasked(u unasked) float64 {
	if c.run.Meter != nil {
		return u.meter + u.loose
	}
	return u.flow
}

// addLitres adds what has flowed since the last sample, and returns it.
func (t *Tracker) addLitres(s Sample, past time.Duration) (litres float64) {
	o, r := t.open, &t.open.run
	if s.Flow != nil {
		sum := 0.0
		if r.Integrated != nil {
			sum = *r.Integrated
		}
		if p := t.prev; past > 0 && past <= t.cfg.Gap && p.Flow != nil {
			litres = (*s.Flow + *p.Flow) / 2 * past.Minutes()
		}
		r.Integrated = new(sum + litres)
	}
	asked := litres == 0 || t.asked(s, s.T-past)
	if !asked {
		o.flow.doubt.flow += litres
	}
	if s.Volume == nil {
		o.flow.loose += litres
		if !asked {
			o.flow.doubt.loose += litres
		}
		return litres
	}
	return t.addCounted(s)
}

// addCounted adds what the counter of a sample has counted since its last
// reading, and returns it.
func (t *Tracker) addCounted(s Sample) (litres float64) {
	o, r := t.open, &t.open.run
	o.flow.loose, o.flow.doubt.loose, o.flow.sure.loose = 0, 0, 0 // the counter has counted them, too
	if r.Meter == nil {
		r.Meter = new(0.0)
	}
	if o.meter != nil {
		litres = *s.Volume - *o.meter
		if litres < 0 {
			litres = *s.Volume // it was reset
		}
		if litres > t.mostLitres(s.T-o.meterAt) {
			litres = 0
			t.fault("meter-jump")
		}
		r.Meter = new(*r.Meter + litres)
		if !t.asked(s, o.meterAt) {
			o.flow.doubt.meter += litres
		}
	}
	o.meter, o.meterAt = s.Volume, s.T
	return litres
}

// asked reports whether the command may have held while something flowed,
// between T since and a sample.
func (t *Tracker) asked(s Sample, since time.Duration) bool {
	return s.Command == nil || *s.Command || t.commanded && (t.commandAt >= since || s.T-t.commandAt <= overrun)
}

// settleDoubt counts what flowed without command as unasked, unless the command
// comes soon after: samples of the command may arrive after those of the flow.
func (o *openRun) settleDoubt(s Sample) {
	switch {
	case s.Command != nil && *s.Command:
		o.flow.doubt = unasked{}
	case s.T-o.flow.doubtSince >= leakFor:
		o.flow.sure.add(o.flow.doubt)
		o.flow.doubt = unasked{}
	}
}

// mostLitres returns how much the pump can dispense in a time.
func (t *Tracker) mostLitres(in time.Duration) float64 {
	return t.cfg.MaxFlow*max(in, time.Second).Minutes() + 0.5
}

// distrustFlow tells a stuck flow sensor from a leak: a leak empties the tank.
func (t *Tracker) distrustFlow(s Sample) {
	o := t.open
	if t.cfg.TankLitres == 0 || !o.tank.known || s.Command == nil {
		return
	}
	fell, unasked := o.tank.fell()/100*t.cfg.TankLitres, o.unasked(o.flow.sure)+o.unasked(o.flow.doubt)
	if *s.Command {
		o.fellAsked, o.unaskedThen = fell, unasked
		return
	}
	if u := unasked - o.unaskedThen; u > max(2, 0.1*t.cfg.TankLitres) && fell-o.fellAsked < 0.3*u {
		t.distrusted, o.flow.stuck = true, true
	}
}
