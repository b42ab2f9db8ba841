package runs

import (
	"time"

	"gatehouse/firmware-bridge/meter"
)

// flow is what is known of what flowed in a run.
type flow struct {
	seen        bool    // some sample's flow reached MinFlow
	metered     bool    // some sample has a flow or a counter's value
	stuck       bool    // the sensor reported flow while the tank did not fall
	loose       float64 // litres by flow and time since the counter was last believed
	before      float64 // litres of Meter by flow and time, from before the counter was first read
	pending     float64 // litres, if the counter was reset: its next readings tell
	sure, doubt unasked // doubt: the command may still come
	doubtSince  time.Duration
	unknown     meter.Unknown // what the counter does not tell
	both        both
}

// both compares counter and flow sensor, over the times in which both were read.
type both struct {
	counted, flowed float64 // litres
	error           float64 // litres that these may be off, but for the sensors' own error
	counter         float64 // litres that a difference of the counter may be off
}

// differ reports whether counter and flow sensor contradict each other, by more
// than the errors of both.
func (b both) differ() bool {
	return abs(b.counted-b.flowed) > sensorError*max(b.counted, b.flowed)+b.error+b.counter+least
}

// sensorError is the part of what flowed by which a flow sensor and a counter may
// differ: sensors are off by up to 10 %, and each may be.
const sensorError = 0.2

// A part of the litres by flow and time is said if it is more than mayEstimate of
// them and counts: between two samples a pump gives as little.
const (
	mayEstimate = 0.02
	counts      = 0.02 // litres
)

// unasked are litres that flowed without command: by the counter, by flow and
// time, and the latter since the counter was last believed.
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

// estimated returns the litres of Run.Meter that the counter did not count: by flow
// and time from before it was first read, and since it was last believed.
func (f flow) estimated() float64 {
	if f.pending > f.loose { // the counter tells, if it was reset
		return f.before
	}
	return f.before + f.loose
}

// counterReasons returns the reasons for what the counter does not tell of litres.
func (f flow) counterReasons(litres *float64) (why []string) {
	if litres != nil && f.estimated() > mayEstimate**litres+counts {
		why = append(why, ReasonUncounted)
	}
	for _, r := range []struct {
		part meter.Unknown
		code string
	}{{meter.Reset, ReasonReset}, {meter.Jump, ReasonJump}, {meter.Turns, ReasonTurns}} {
		if f.unknown&r.part != 0 {
			why = append(why, r.code)
		}
	}
	return why
}

// addLitres adds what has flowed since the last sample, and returns it.
func (t *Tracker) addLitres(s Sample, past time.Duration) (litres float64) {
	o, r := t.open, &t.open.run
	since := t.flowSensor(s, past)
	o.reader.sensed.Add(since)
	if s.Flow != nil {
		sum := 0.0
		if r.Integrated != nil {
			sum = *r.Integrated
		}
		if since.Known && !since.Rough {
			litres = since.Litres
			o.reader.error += abs(*s.Flow-*t.prev.Flow) / 2 * past.Minutes()
		}
		r.Integrated = new(sum + litres)
	}
	asked := litres == 0 || t.asked(s, s.T-past)
	if !asked {
		o.flow.doubt.flow += litres
	}
	o.flow.loose += litres
	if !asked {
		o.flow.doubt.loose += litres
	}
	if s.Volume == nil {
		return litres
	}
	return t.addCounted(s, litres)
}

// flowSensor returns what the flow sensor says has flowed since the last sample.
// In a gap it is an estimate, from the flow before and after.
func (t *Tracker) flowSensor(s Sample, past time.Duration) meter.Flow {
	if past <= 0 || t.prev == nil || s.Flow == nil || t.prev.Flow == nil {
		return meter.Flow{Known: past <= 0 && t.open.run.Samples > 1}
	}
	return meter.Flow{Litres: (*s.Flow + *t.prev.Flow) / 2 * past.Minutes(), Known: true, Rough: past > t.cfg.Gap}
}

// reader reads the counter for a run.
type reader struct {
	counter meter.Counter
	known   bool // there is a reading
	at      time.Duration
	sensed  meter.Flow // by the flow sensor since the last reading, believed or not
	error   float64    // litres that it may be off since the last one that was believed
}

// take takes the counter's reading of a sample.
func (d *reader) take(cfg Config, s Sample) meter.Counted {
	if !d.known {
		d.known, d.counter = true, meter.New(cfg.counter())
	}
	d.at = s.T
	got := d.counter.Take(meter.Reading{At: s.T, Value: *s.Volume, Flow: d.sensed})
	d.sensed = meter.Flow{Known: true}
	return got
}

// addCounted adds what the counter of a sample has counted since it was last
// believed, and returns it; flowed is what flowed by flow and time since the last
// sample.
func (t *Tracker) addCounted(s Sample, flowed float64) float64 {
	o, r := t.open, &t.open.run
	f, first := &o.flow, !o.reader.known
	got := o.reader.take(t.cfg, s)
	f.pending, f.unknown = got.Pending, f.unknown|got.Unknown
	if r.Meter == nil {
		r.Meter = new(0.0)
	}
	if !got.Taken {
		return flowed // by flow and time, until the counter is believed
	}
	if first { // the counter does not know what flowed before
		r.Meter, f.before = new(f.loose), f.loose
		f.sure.meter, f.doubt.meter = f.sure.loose, f.doubt.loose
	} else {
		f.both.add(got, &o.reader)
	}
	r.Meter = new(*r.Meter + got.Litres)
	f.loose, f.doubt.loose, f.sure.loose = 0, 0, 0 // the counter has counted them, too
	if !t.asked(s, got.Since) {
		f.doubt.meter += got.Litres
	}
	o.reader.error = 0
	if first {
		return flowed
	}
	return got.Litres
}

// add adds what a reading has counted, if the flow sensor was read all the time.
// An estimate may be off by all of it: it stands for the readings that come at once
// after a gap, too.
func (b *both) add(got meter.Counted, by *reader) {
	b.counter = by.counter.Error()
	if got.Unknown != 0 || !got.Flow.Known {
		return
	}
	if got.Flow.Rough {
		b.error += got.Flow.Litres
	}
	b.counted, b.flowed, b.error = b.counted+got.Litres, b.flowed+got.Flow.Litres, b.error+by.error
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
