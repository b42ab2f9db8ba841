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
	before    Flow    // from the highest reading to the first one
	flow      Flow    // since the first one
}

// doubt takes a reading that does not go on from the highest one.
func (c *Counter) doubt(value float64, r Reading) Counted {
	fell := c.top.value - value
	small := fell >= 0 && fell <= max(4*c.kind.Resolution, c.noise)
	switch {
	case c.follows(value, r):
		o := &c.other
		o.back = max(o.back, o.last-value)
		o.last, o.at, o.high, o.low = value, r.At, max(o.high, value), min(o.low, value)
		o.times++
		if value < o.first && o.kind == lower { // it has fallen further
			o.first, o.high, o.since, o.times = value, value, r.At, 1
			o.before.Add(o.flow)
			o.flow = none
		}
	case small && c.other.kind != nowhere: // the other line goes on
	default:
		before := c.top.flow
		c.other = line{kind: c.kindOf(value, r), first: value, low: value, high: value, last: value,
			at: r.At, since: r.At, times: 1, before: before, flow: none}
	}
	if c.settled() {
		return c.accept(value, r)
	}
	out := Counted{Taken: small}
	if small {
		out.Since, out.Flow = c.top.at, none
	}
	if o := c.other; o.kind == zeroed && o.times > 1 && !c.top.flow.Known {
		out.Pending = c.fromZero() + o.high - o.first
	}
	return out
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
	value = math.Abs(value - c.turned)
	flowed := c.rate * (at - c.top.at).Seconds()
	if c.top.flow.Known {
		flowed = c.top.flow.Litres
	}
	return value <= max(nearly*(c.top.value-c.turned), 1.5*flowed+4*c.kind.Resolution)
}

// follows reports whether a reading goes on from the other line.
func (c *Counter) follows(value float64, r Reading) bool {
	o := &c.other
	if o.kind == nowhere {
		return false
	}
	past := r.At - o.at
	limit := c.most(past)
	if o.kind == zeroed || o.kind == lower {
		expect := c.rate * past.Seconds()
		if r.Flow.Known {
			expect = max(expect, r.Flow.Litres)
		}
		limit = c.limit(expect, past)
	}
	slack := max(4*c.kind.Resolution, c.noise)
	if o.kind == lower {
		slack = math.Inf(1)
		if value-c.turned <= nearly*(c.top.value-c.turned) && c.kindOf(value, r) == zeroed {
			return false
		}
	}
	return value-o.last <= limit && o.last-value <= slack
}

// settled reports whether the counter has gone to the other line for good.
func (c *Counter) settled() bool {
	o := &c.other
	lasted, moved, digit := o.at-o.since, o.high-o.first, c.kind.Resolution
	switch o.kind {
	case lower:
		return o.times >= 4 && lasted >= setBackIn && moved >= 4*(o.back+digit)
	case zeroed, leapt, jumped:
		return o.times >= 3 && lasted >= believeIn && (moved > 2*digit || o.kind == leapt)
	default:
		return false
	}
}

// passed reports whether a reading above the highest belongs to the other line: a
// counter that was reset has passed its old value. Only the flow sensor knows.
func (c *Counter) passed(value float64, r Reading) bool {
	o := &c.other
	if o.kind != zeroed && o.kind != lower || !c.top.flow.exact() || !o.flow.exact() || !c.follows(value, r) {
		return false
	}
	if c.top.value-o.first <= 4*c.kind.Resolution {
		return false
	}
	stayed := math.Abs(value - c.top.value - c.top.flow.Litres)
	went := math.Abs(value - o.first - o.flow.Litres)
	return went+0.02+4*c.kind.Resolution < stayed/2
}

// ambiguous reports whether the readings below the highest may have been of a
// counter that was reset and has passed its old value, and nothing tells.
func (c *Counter) ambiguous(value float64, r Reading) bool {
	o := &c.other
	fell, digit := c.top.value-o.first, c.kind.Resolution
	if c.top.flow.exact() || fell <= max(4*digit, c.noise) || !c.nearZero(o.first, o.since) {
		return false
	}
	if c.rate == 0 {
		return true
	}
	return fell <= 4*c.rate*(r.At-c.top.at).Seconds() && value-o.last <= 2*c.rate*(r.At-o.at).Seconds()+4*digit
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
	if o.before.exact() && o.before.Litres <= c.kind.Resolution {
		out.Unknown = 0 // nothing flowed then
	}
	out.Litres = before + high - o.first
	if o.kind == zeroed || o.kind == lower {
		high, c.turned = high-c.turned, 0
	}
	c.top, c.other = mark{high, r.At, none}, line{}
	return out
}
