package meter

import (
	"math"
	"time"
)

// where says where the counter may have gone.
type where uint8

const (
	nowhere where = iota
	zeroed        // to near zero: a reset
	lower         // back: noise, liquid that ran back, late messages, or it was set back
	leapt         // up, by more than is likely
	jumped        // up, by more than the pump can give
)

// line is where the counter may have gone: readings that do not go on from the
// highest, but may go on from one another. The values include turns.
type line struct {
	kind      where
	first     float64
	low, high float64
	last      float64
	at        time.Duration // T of last
	since     time.Duration // T of first
	times     int
	back      float64 // the largest step back
	runs      bool    // each reading has jumped from the one before
	before    Flow    // from the highest reading to the first one
	flow      Flow    // since the first one
}

// doubt takes a reading that does not go on from the highest one.
func (c *Counter) doubt(value float64, r Reading) Counted {
	fell := c.top.value - value
	small := fell >= 0 && fell <= max(c.grain(), c.noise)
	follows, unknown := c.follows(value, r), Unknown(0)
	late := c.late(value, r)
	switch {
	case small && c.other.kind == zeroed && c.other.times < 3: // it is back
		if c.ambiguous(value, r) {
			unknown = Reset
		}
		c.other = line{}
	case follows && !late:
		o := &c.other
		o.back = max(o.back, o.last-value)
		o.last, o.at, o.high, o.low = value, r.At, max(o.high, value), min(o.low, value)
		o.times++
		if value < o.first && o.kind == lower { // it has fallen further
			o.first, o.high, o.since, o.times = value, value, r.At, 1
			o.before.Add(o.flow)
			o.flow = none
		}
	case small && c.other.kind > lower: // that was a wrong reading
		if c.fellBack(value) {
			unknown = Reset
		}
		c.other = line{}
	case (small || follows && fell > 0) && c.other.kind != nowhere: // it came late; the other line goes on
	case c.other.kind == jumped && value > c.other.last: // it jumps on and on
		o := &c.other
		o.before.Add(o.flow)
		o.first, o.low, o.high, o.last, o.at, o.flow = value, value, value, value, r.At, none
		o.times, o.runs = o.times+1, true
	default:
		if c.fellBack(value) || c.leaves() {
			unknown = Reset
		}
		before := c.top.flow
		c.other = line{kind: c.kindOf(value, r), first: value, low: value, high: value, last: value,
			at: r.At, since: r.At, times: 1, before: before, flow: none}
	}
	if c.settled() {
		return c.accept(value, r)
	}
	out := Counted{Taken: small, Unknown: unknown}
	if small {
		out.Since, out.Flow = c.top.at, none
	}
	if o := c.other; o.kind == zeroed && o.times > 1 && !c.top.flow.Known {
		out.Pending = c.fromZero() + o.high - o.first
	}
	return out
}

// late reports whether a reading that may follow the other line, which is not sure
// yet, is rather one of the highest line that came late, or goes on above it.
func (c *Counter) late(value float64, r Reading) bool {
	o, fell := &c.other, c.top.value-value
	unsure := o.kind == zeroed && o.times < 3 || o.kind == lower && fell < 0
	return unsure && fell <= c.limit(c.rate*lateBy.Seconds(), lateBy) && !c.likelyFollows(value, r)
}

// leaves reports whether a line is given up that may have been of a reset counter.
func (c *Counter) leaves() bool {
	o := &c.other
	fell := c.top.value - o.first
	return o.times >= 3 && fell > max(c.grain(), c.noise) && (fell > dust || c.nearZero(o.first, o.since))
}

// kindOf returns where a reading that does not go on from the highest has gone.
func (c *Counter) kindOf(value float64, r Reading) where {
	switch more := value - c.top.value; {
	case more > c.most(r.At-c.top.at):
		return jumped
	case more >= 0:
		return leapt
	case -more > dust && c.nearZero(value, r.At):
		return zeroed
	}
	return lower
}

// nearZero reports whether a counter that was reset since its highest reading may
// have come to a value.
func (c *Counter) nearZero(value float64, at time.Duration) bool {
	value -= c.turned
	flowed := c.rate * (at - c.top.at).Seconds()
	if c.top.flow.Known {
		flowed = c.top.flow.Litres
	}
	return value >= -max(dust, c.grain()) && value <= max(nearly*(c.top.value-c.turned), 1.5*flowed+c.grain())
}

// follows reports whether a reading goes on from the other line.
func (c *Counter) follows(value float64, r Reading) bool {
	o := &c.other
	if o.kind == nowhere {
		return false
	}
	slack := max(c.grain(), c.noise, dust/2) // its noise may not be known yet
	if o.kind == lower {
		slack = max(slack, dust, nearly*(c.top.value-c.turned))
		if value-c.turned <= nearly*(c.top.value-c.turned) && c.kindOf(value, r) == zeroed {
			return false
		}
	}
	return value-o.last <= c.most(r.At-o.at) && o.last-value <= slack
}

// likelyFollows reports whether a reading lies above the last one of the other line
// by no more than is likely.
func (c *Counter) likelyFollows(value float64, r Reading) bool {
	past := r.At - c.other.at
	expect := c.rate * past.Seconds()
	if r.Flow.Known {
		expect = max(expect, r.Flow.Litres)
	}
	return value-c.other.last <= c.limit(expect, past)
}

// settled reports whether the counter has gone to the other line for good.
func (c *Counter) settled() bool {
	o := &c.other
	lasted, moved, grain := o.at-o.since, o.high-o.first, c.grain()
	switch o.kind {
	case lower:
		return o.times >= 4 && lasted >= setBackIn && moved >= 4*o.back+2*grain
	case zeroed, leapt, jumped:
		return o.times >= 3 && lasted >= believeIn && (moved > grain+o.back || o.kind == leapt || o.runs)
	default:
		return false
	}
}

// passed reports whether a reading above the highest belongs to the other line: a
// counter that was reset has passed its old value. The flow sensor knows; without
// one, a counter that has stayed at zero and rises no faster than before was reset.
func (c *Counter) passed(value float64, r Reading) bool {
	o := &c.other
	if o.kind != zeroed && o.kind != lower || !c.follows(value, r) || c.top.value-o.first <= max(dust, c.grain()) {
		return false
	}
	if !c.top.flow.exact() || !o.flow.exact() {
		return o.kind == zeroed && o.times >= 3 && o.at-o.since >= believeIn && c.likelyFollows(value, r)
	}
	stayed, went := c.errors(value)
	return 2*went+0.02+c.grain()/2 < stayed
}

// errors returns how far a reading is off what the flow sensor says, if the counter
// has stayed on its line, and if it has gone to the other one.
func (c *Counter) errors(value float64) (stayed, went float64) {
	return math.Abs(value - c.top.value - c.top.flow.Litres), math.Abs(value - c.other.first - c.other.flow.Litres)
}

// ambiguous reports whether the readings below the highest may have been of a
// counter that was reset and has passed its old value, and nothing tells.
func (c *Counter) ambiguous(value float64, r Reading) bool {
	o := &c.other
	fell, grain := c.top.value-o.first, c.grain()
	if fell <= max(grain, c.noise) || !c.nearZero(o.first, o.since) {
		return false
	}
	if f := c.top.flow; f.exact() {
		stayed, went := c.errors(value)
		return stayed > min(went, 0.02+grain+f.Litres/4)
	}
	if c.rate == 0 || o.times >= 2 {
		return value-o.last <= c.most(r.At-o.at+lateBy)
	}
	return fell <= 4*c.rate*(r.At-c.top.at).Seconds() && value-o.last <= 2*c.rate*(r.At-o.at).Seconds()+grain
}

// fellBack reports whether a counter near zero that went up and came back may have
// been reset: it shows the same as after a wrong reading.
func (c *Counter) fellBack(value float64) bool {
	o := &c.other
	return o.kind > lower && value-c.turned <= c.grain() && o.high-c.top.value <= c.most(time.Minute)
}

// fromZero returns what a counter that was reset shows at the first reading of
// the other line.
func (c *Counter) fromZero() float64 {
	first := max(0, c.other.first-c.turned)
	if first > c.most(c.other.since-c.top.at) {
		return 0
	}
	return first
}

// accept goes over to the other line.
func (c *Counter) accept(value float64, r Reading) Counted {
	o := c.other
	high := max(o.high, value)
	out := Counted{Taken: true, Since: c.top.at, Flow: c.top.flow, Unknown: Reset}
	var before float64 // what flowed until the first reading
	if o.before.Known {
		before = o.before.Litres
	}
	switch o.kind {
	case zeroed:
		before = max(before, c.fromZero())
	case leapt:
		before, out.Unknown = o.first-c.top.value, 0
	case jumped:
		out.Unknown = Jump
	default:
	}
	out.Litres = before + high - o.first
	c.learn(high-o.first, o.at-o.since, o.times)
	if o.kind == zeroed || o.kind == lower {
		high, c.turned = high-c.turned, 0
	}
	c.top, c.other = mark{high, r.At, none}, line{}
	return out
}
