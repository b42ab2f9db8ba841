package runs

import (
	"slices"
	"time"

	"gatehouse/firmware-bridge/geo"
)

// add takes a sample into the open run. What comes between two sorties counts
// when the second one begins; what comes after the last does not.
func (t *Tracker) add(s Sample, working bool) {
	o := t.open
	if o.sortie && t.prev.T-o.worked > t.cfg.Idle && s.T-t.prev.T > settle {
		o.pause() // the last sample was the first after a silence
	}
	went := o.sortie
	switch {
	case working && !went:
		o.sortie, o.first = true, nil
		o.run.Sorties++
	case !working && went && s.Tank != nil && o.tank.rises(*s.Tank):
		o.pause() // it is being refilled
	}
	r := &o.run
	r.Samples++
	o.sawFlow = o.sawFlow || s.Flow != nil && *s.Flow >= t.cfg.MinFlow
	o.knewCommand = o.knewCommand || s.Command != nil
	o.told = o.told || s.Command != nil && *s.Command
	if s.Fault != "" {
		t.fault(s.Fault)
	}
	var past time.Duration
	if t.prev != nil && r.Samples > 1 {
		past = s.T - t.prev.T
	}
	if o.doubt == (unasked{}) {
		o.doubtSince = s.T
	}
	litres := t.dispensed(s, past)
	o.decide(s)
	if s.Tank != nil {
		o.tank.take(*s.Tank)
	}
	t.disbelieve(s)
	t.times(s, past, litres, went)
	o.move(s, went)
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

// pause ends a sortie: the run's numbers stay as they are, until another begins.
func (o *open) pause() {
	if !o.sortie {
		return
	}
	o.sortie, o.held = false, o.tally
	o.held.run.Faults = slices.Clone(o.run.Faults)
	o.held.commanded, o.held.flowing = slices.Clone(o.commanded), slices.Clone(o.flowing)
}

// times adds the time since the last sample, in which litres flowed, to what
// the pump was told and what flowed; went: a sortie was under way.
func (t *Tracker) times(s Sample, past time.Duration, litres float64, went bool) {
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
	case went && past <= t.cfg.Pause:
		r.Gaps += past
		if flowed {
			r.Flowing += past
			o.flowing = join(o.flowing, Span{to - past, to})
		}
	}
}

// dispensed adds what has flowed since the last sample.
func (t *Tracker) dispensed(s Sample, past time.Duration) (litres float64) {
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
		o.doubt.flow += litres
	}
	if s.Volume == nil {
		o.loose += litres
		if !asked {
			o.doubt.loose += litres
		}
		return litres
	}
	o.loose, o.doubt.loose, o.sure.loose = 0, 0, 0 // the counter has counted them, too
	if r.Meter == nil {
		r.Meter = new(0.0)
	}
	litres = 0
	if o.meterLast != nil {
		litres = *s.Volume - *o.meterLast
		if litres < 0 {
			litres = *s.Volume // it was reset
		}
		if litres > t.most(s.T-o.meterAt) {
			litres = 0
			t.fault("meter-jump")
		}
		r.Meter = new(*r.Meter + litres)
		if !t.asked(s, o.meterAt) {
			o.doubt.meter += litres
		}
	}
	o.meterLast, o.meterAt = s.Volume, s.T
	return litres
}

// asked reports whether what has flowed from T since to a sample may have been
// asked for: only what the pump was told at no moment of it was not.
func (t *Tracker) asked(s Sample, since time.Duration) bool {
	return s.Command == nil || *s.Command || t.told && (t.toldAt >= since || s.T-t.toldAt <= overrun)
}

// decide counts what flowed without command as unasked, unless the command
// comes soon after: what says so may be heard after what flows.
func (o *open) decide(s Sample) {
	switch {
	case s.Command != nil && *s.Command:
		o.doubt = unasked{}
	case s.T-o.doubtSince >= leakFor:
		o.sure.add(o.doubt)
		o.doubt = unasked{}
	}
}

// most is how many litres the pump can give in a time.
func (t *Tracker) most(in time.Duration) float64 {
	return t.cfg.MaxFlow*max(in, time.Second).Minutes() + 0.5
}

func (t *Tracker) fault(code string) {
	if r := &t.open.run; !slices.Contains(r.Faults, code) && len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, code)
	}
}

// disbelieve tells a flow sensor that is stuck from a leak: the tank of one
// that leaks falls.
func (t *Tracker) disbelieve(s Sample) {
	o := t.open
	if t.cfg.TankLitres == 0 || !o.tank.known || s.Command == nil {
		return
	}
	fell, unasked := o.tank.fell()/100*t.cfg.TankLitres, o.unasked(o.sure)+o.unasked(o.doubt)
	if *s.Command {
		o.fellAsked, o.unaskedThen = fell, unasked
		return
	}
	if u := unasked - o.unaskedThen; u > max(2, 0.1*t.cfg.TankLitres) && fell-o.fellAsked < 0.3*u {
		t.unbelieved, o.hung = true, true
	}
}

// move follows the positions; went: a sortie was under way at the last one.
func (o *open) move(s Sample, went bool) {
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
	if went {
		o.run.Distance += metres
	}
	o.fixes++
	o.reach = max(o.reach, geo.Distance(o.first.point(), s.point()))
}

// Segment finds the runs of a recording: samples in order, from its begin to
// its end.
func Segment(cfg Config, samples []Sample) []Run {
	t := New(cfg)
	var out []Run
	add := func(events []Event) {
		for _, e := range events {
			if e.Closed {
				out = append(out, e.Run)
			}
		}
	}
	for _, s := range samples {
		add(t.Observe(s))
	}
	add(t.Finish())
	return out
}
