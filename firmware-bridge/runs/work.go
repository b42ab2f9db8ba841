package runs

import (
	"slices"
	"time"
)

// add takes a sample into the open run.
func (t *Tracker) add(s Sample, working bool) {
	o, r := t.open, &t.open.run
	r.Samples++
	o.sawFlow = o.sawFlow || s.Flow != nil && *s.Flow >= t.cfg.MinFlow
	o.knewCommand = o.knewCommand || s.Command != nil
	if s.Fault != "" && !slices.Contains(r.Faults, s.Fault) && len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, s.Fault)
	}
	var past time.Duration
	if t.prev != nil && r.Samples > 1 {
		past = s.T - t.prev.T
	}
	flown := t.dispensed(s, past)
	o.level(s.Tank)
	if s.Tank != nil {
		if r.TankFirst == nil {
			r.TankFirst = o.tankHigh
		}
		r.TankLast = s.Tank
	}
	t.disbelieve(s)
	if past > 0 && past <= t.cfg.Gap {
		if p := t.prev.Command; p != nil && *p {
			r.Commanded += past
		}
		if t.flows(s) || flown > 0 {
			r.Flowing += past
		}
	} else if past > t.cfg.Gap && o.sortie && past <= t.cfg.Pause {
		r.Gaps += past
		if flown > 0 {
			r.Flowing += past
		}
	}
	o.move(s)
	t.sortie(s, working)
}

// sortie notes that the work goes on, begins again or pauses.
func (t *Tracker) sortie(s Sample, working bool) {
	o := t.open
	switch {
	case working && !o.sortie:
		o.sortie = true
		o.run.Sorties++
		fallthrough
	case working:
		o.worked, o.run.End = s.T, o.run.Start.Add(s.T-o.begun) // the wall clock may step
	case s.Armed != nil && !*s.Armed, s.T-o.worked > t.cfg.Idle, s.Tank != nil && *s.Tank <= 0:
		o.sortie = false
	}
}

// dispensed adds what has flowed since the last sample.
func (t *Tracker) dispensed(s Sample, past time.Duration) (litres float64) {
	o, r := t.open, &t.open.run
	asked := s.Command == nil || *s.Command || t.told && s.T-t.toldAt <= overrun
	if s.Volume != nil {
		if r.Meter == nil {
			r.Meter = new(0.0)
		}
		if o.meterLast != nil {
			litres = *s.Volume - *o.meterLast
			if litres < 0 {
				litres = *s.Volume // it was reset
			}
			if most := t.cfg.MaxFlow*max(past, time.Second).Minutes() + 0.5; litres > most {
				litres = 0
				t.fault("meter-jump")
			}
			r.Meter = new(*r.Meter + litres)
		}
		o.meterLast = s.Volume
	}
	if s.Flow != nil {
		sum := 0.0
		if r.Integrated != nil {
			sum = *r.Integrated
		}
		if p := t.prev; p != nil && p.Flow != nil && past > 0 && past <= t.cfg.Gap {
			sum += (*s.Flow + *p.Flow) / 2 * past.Minutes()
			if s.Volume == nil {
				litres = (*s.Flow + *p.Flow) / 2 * past.Minutes()
			}
		}
		r.Integrated = new(sum)
	}
	if !asked {
		r.Unasked += litres
	}
	return litres
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
	if t.cfg.TankLitres == 0 || o.tankHigh == nil || s.Command == nil {
		return
	}
	fell := (o.fell + *o.tankHigh - *o.tankLow) / 100 * t.cfg.TankLitres
	if *s.Command {
		o.fellAsked, o.unaskedThen = fell, o.run.Unasked
		return
	}
	if u := o.run.Unasked - o.unaskedThen; u > max(2, 0.1*t.cfg.TankLitres) && fell-o.fellAsked < 0.3*u {
		t.unbelieved, o.hung = true, true
	}
}

// level follows the tank: what it fell, without the refills.
func (o *open) level(tank *float64) {
	switch {
	case tank == nil:
	case o.tankHigh == nil:
		o.tankHigh, o.tankLow = tank, tank
	case *tank < *o.tankLow:
		o.tankLow = tank
	case *tank > *o.tankLow+tankRise:
		o.fell += *o.tankHigh - *o.tankLow
		o.tankHigh, o.tankLow = tank, tank
	case *o.tankLow == *o.tankHigh && *tank > *o.tankHigh:
		o.tankHigh, o.tankLow = tank, tank // it is still being filled
	}
}

// move follows the positions. One that is too far for the time since the last
// is a receiver's jump, unless the receiver stays there.
func (o *open) move(s Sample) {
	if s.Lat == nil || s.Lon == nil {
		return
	}
	if o.last != nil {
		d := Distance(*o.last.Lat, *o.last.Lon, *s.Lat, *s.Lon)
		dt := s.T - o.last.T
		if d > 20+jumpSpeed*dt.Seconds() {
			o.run.BadFixes++
			if o.jumpSince == 0 {
				o.jumpSince = s.T
			}
			if s.T-o.jumpSince < jumpFor {
				return
			}
			d = 0
		}
		o.jumpSince = 0
		if o.sortie {
			o.run.Distance += d
		}
	} else {
		o.first = &s
	}
	o.fixes++
	o.last = &s
	o.reach = max(o.reach, Distance(*o.first.Lat, *o.first.Lon, *s.Lat, *s.Lon))
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
