package runs

import "time"

// shown is what a stretch of time between two samples shows of the flow.
type shown int

const (
	still      shown = iota // nothing flowed
	flowing                 // something flowed
	undecided               // the counter has not moved: it may be between two of its steps
	unmeasured              // nobody measured it
)

// waiting is for how long the counter of a machine has not moved.
type waiting struct {
	since, long time.Duration // since: after the run's begin
	step        time.Duration // how long its last step took
	asked       bool          // the pump is told to run
	rose        bool          // it has moved now, and shows that it flowed all the time
}

// unmeasuredFor is for how long nobody measured the flow while the pump was told to
// run; loose: since the counter was last read, which may still show it.
type unmeasuredFor struct{ sure, loose time.Duration }

// told returns for how long of the time past since the last sample its command held.
func (t *Tracker) told(past time.Duration) time.Duration {
	if p := t.prev; p == nil || p.Command == nil || !*p.Command {
		return 0
	}
	if past <= t.cfg.Gap {
		return past
	}
	return min(past, t.cfg.Holds)
}

// addTimes adds the time past since the last sample, in which litres flowed, to the
// times of command, of flow and of gaps. underWay: a sortie was under way then. It
// returns for how long of it the machine worked, from its begin.
func (t *Tracker) addTimes(s Sample, past time.Duration, litres float64, underWay bool) (worked time.Duration) {
	o, r := t.open, &t.open.run
	if past <= 0 {
		return 0
	}
	from, told := s.T-o.begun-past, t.told(past)
	if told > 0 {
		r.Commanded += told
		o.commanded = join(o.commanded, Span{from, from + told})
		worked = told
	}
	silent := past > t.cfg.Gap && told < past && !t.rests()
	gap := silent && underWay && past-told <= t.cfg.Pause
	if gap {
		r.Gaps += past - told
	}
	if p := t.prev.Command; t.cfg.Holds > 0 && p != nil && *p && (silent || s.Command == nil) {
		o.lost = true
	}
	part := share{all: past.Seconds(), told: told.Seconds()}
	what := t.shows(s, past, litres)
	if silent && !gap {
		what = still
	}
	if what != undecided {
		o.stopWaiting()
	}
	switch what {
	case flowing:
		o.flows(Span{from, from + past})
		part.worked = part.all
		if t.last.worked {
			worked = past
		}
	case undecided:
		o.waiting.asked = told > 0
		if o.waiting.asked {
			o.unmeasured.loose += told
			o.wait(from, told)
			part.undecided = part.told
		} else {
			o.wait(from, past)
			part.undecided = part.all
		}
	case unmeasured:
		o.works(Span{from, from + told})
		part.worked = part.told
		o.unmeasured.sure += told
	case still:
	}
	o.odometer.pass(part)
	return worked
}

// shows returns what the time past since the last sample shows, in which litres
// flowed by the flow or, where this sample has one, by the counter.
func (t *Tracker) shows(s Sample, past time.Duration, litres float64) shown {
	o := t.open
	rate := t.prev.Flow != nil && past <= t.cfg.Gap
	if rate && *t.prev.Flow >= t.cfg.MinFlow {
		return flowing
	}
	begins := rate && s.Flow != nil && *s.Flow >= t.cfg.MinFlow
	if s.Volume != nil && litres > 0 && !begins {
		long := past + o.waiting.long
		if litres < t.cfg.MinFlow*long.Minutes() { // it did not flow all the time
			o.waiting.step, long = 0, past
			o.stopWaiting()
		}
		if litres >= t.cfg.MinFlow*long.Minutes() {
			o.waiting.step, o.waiting.rose = long, true
			return flowing
		}
	}
	unknown := past <= t.cfg.Gap && t.prev.Command == nil && s.Command == nil
	switch {
	case rate, t.told(past) == 0 && !unknown:
		return still
	case o.reader.known && s.T-o.reader.at <= t.cfg.Pause:
		return undecided
	case unknown:
		return still
	}
	return unmeasured
}

// works adds a stretch of work.
func (c *tally) works(s Span) {
	c.run.On += s.To - s.From
	c.worked = join(c.worked, s)
}

// flows adds a stretch in which something flowed.
func (c *tally) flows(s Span) {
	c.run.Flowing += s.To - s.From
	c.works(s)
}

// wait adds a stretch in which the counter did not move.
func (c *tally) wait(from, long time.Duration) {
	if c.waiting.long == 0 {
		c.waiting.since = from
	}
	c.waiting.long += long
}

// stopWaiting decides what the stretch was in which the counter did not move: it
// flowed unless the counter's step is overdue.
func (c *tally) stopWaiting() {
	w := &c.waiting
	if w.long == 0 {
		w.rose = false
		return
	}
	flowed := w.asked && w.long <= w.step || w.rose
	if flowed {
		c.flows(Span{w.since, w.since + w.long})
	}
	c.odometer.decide(flowed)
	w.since, w.long, w.rose = 0, 0, false
}

// read notes that the counter was read. It has counted what nobody else measured,
// unless it is read for the first time.
func (c *tally) read(first bool) {
	if first {
		c.unmeasured.sure += c.unmeasured.loose
	}
	c.unmeasured.loose = 0
}

// hold lets the last command hold as long as a command does.
func (t *Tracker) hold() {
	o, held := t.open, t.cfg.Holds
	from := t.prev.T - o.begun
	o.run.Commanded += held
	o.commanded = join(o.commanded, Span{from, from + held})
	o.stopWaiting()
	o.works(Span{from, from + held})
	o.unmeasured.sure += held
	o.lost = true
	o.run.End = o.run.Start.Add(from + held)
	o.run.Until = o.run.End
}

// rests reports whether the machine is one that speaks only at its changes, and is
// told not to run.
func (t *Tracker) rests() bool {
	return t.cfg.Holds > 0 && t.prev != nil && t.prev.Command != nil && !*t.prev.Command
}

// holds reports whether the last command may hold although it is not repeated.
func (t *Tracker) holds() bool {
	return t.cfg.Holds > 0 && t.prev != nil && t.prev.Command != nil && *t.prev.Command
}
