// Package meter turns what a counter of litres says into what has flowed. It is
// pure: readings and their times in, litres out.
//
// The rule, for all machines and protocols:
//
//   - The highest reading stands. A reading above it counts the difference.
//   - A reading below it counts nothing, whether it is noise of the last digit,
//     liquid that ran back, or a message that came late or twice. It is made up
//     for before anything counts again.
//   - A counter that falls to near zero and counts on from there was reset. It is
//     believed when it has moved and was read three times in two seconds, so that
//     a reading of zero between good ones is none. What flowed between the last
//     reading and the reset is known by the flow sensor alone: Reset.
//   - A counter that falls less, and counts on below for ten seconds, was set back.
//     It is treated as a reset, but counts from the reading where it went on.
//   - A counter that rises by more than the pump can give has jumped. A single
//     such reading, or one that stands still, is no value: the counter goes on from
//     the last good one. One that counts on from there is believed: Jump.
//   - A counter whose type rolls over goes on from 0 at Kind.Rollover. Where that is
//     not known, it is inferred only for a fall from just below a power of two or
//     ten, in decimal steps of a litre, by no more than can have flowed. In a gap
//     that is long enough for a whole turn, the flow sensor tells how many: Turns.
//
// What a counter alone cannot show is a reset after which it has passed its old
// value before it is read again: only the flow sensor contradicts it.
package meter

import (
	"cmp"
	"math"
	"time"
)

// Kind says what a counter can do.
type Kind struct {
	Resolution float64 // litres, its last digit; 0: 0.001
	Rollover   float64 // litres at which it begins again at 0; 0: not known
	MaxFlow    float64 // L/min, the most that the pump can give; 0: 300
}

// Flow is what a flow sensor says has flowed in a time.
type Flow struct {
	Litres float64
	Known  bool // it was read all the time
	Rough  bool // some of it is an estimate, from before and after a gap
}

// Add adds what flowed in the time after f.
func (f *Flow) Add(next Flow) {
	f.Litres += next.Litres
	f.Known, f.Rough = f.Known && next.Known, f.Rough || next.Rough
}

// exact reports whether the flow was measured all the time.
func (f Flow) exact() bool { return f.Known && !f.Rough }

// none is the flow in no time.
var none = Flow{Known: true}

// Reading is a reading of the counter.
type Reading struct {
	At    time.Duration // of a clock that never steps
	Value float64       // litres
	Flow  Flow          // since the reading before, whatever that one was
}

// Unknown says which part of the litres is not known.
type Unknown uint8

// What is not known.
const (
	Reset Unknown = 1 << iota // the counter was reset or set back: what flowed just before
	Jump                      // the counter jumped: what flowed meanwhile
	Turns                     // it may have rolled over in a gap, more often than counted
)

// Counted is what a reading adds.
type Counted struct {
	// Taken: the reading was believed. Otherwise the counter has not been read,
	// and nothing else is set but Pending and Unknown.
	Taken   bool
	Litres  float64       // that flowed since Since
	Since   time.Duration // T of the reading from which they are counted
	Flow    Flow          // the flow sensor's since then
	Unknown Unknown
	// Pending is what has flowed, without a flow sensor, if the counter was reset:
	// the next readings tell.
	Pending float64
}

const (
	dust      = 0.1              // litres: a fall of less is no reset, unless it lasts
	nearly    = 0.1              // of the highest reading: a reset falls to less
	believeIn = 2 * time.Second  // and three readings: a counter that went elsewhere is there
	setBackIn = 10 * time.Second // the same for one that fell to a value far from zero
	noiseFor  = 60 * time.Second // in which the noise that was seen fades
	lateBy    = 5 * time.Second  // that a message comes late
	stepIn    = 5 * time.Second  // readings further apart show no single step
	longGap   = 10 * time.Second // readings further apart may hide a turn
)

// Counter counts the litres of one counter. Copies are independent. It is for
// one goroutine.
type Counter struct {
	kind   Kind
	known  bool          // it was read
	last   time.Duration // T of the last reading
	top    mark          // the highest reading
	turned float64       // litres that its turns add to a reading
	rate   float64       // L/s, the fastest that it has counted
	step   float64       // litres, the largest step that was believed
	noise  float64       // litres, the largest step back that was made up for of late
	other  line          // where it may have gone
}

// mark is a reading that is believed, and the flow since then.
type mark struct {
	value float64
	at    time.Duration
	flow  Flow
}

// New returns a counter of a kind.
func New(k Kind) Counter {
	k.Resolution = cmp.Or(k.Resolution, 0.001)
	k.MaxFlow = cmp.Or(k.MaxFlow, 300)
	return Counter{kind: k}
}

// Top returns the T of the reading that stands as the highest; ok is false while
// there is none.
func (c *Counter) Top() (at time.Duration, ok bool) { return c.top.at, c.known }

// Doubt returns the T of the first of the readings that are in doubt; ok is false
// while there is none.
func (c *Counter) Doubt() (since time.Duration, ok bool) {
	return c.other.since, c.other.kind != nowhere
}

// Resolution returns the litres of the counter's last digit.
func (c *Counter) Resolution() float64 { return c.kind.Resolution }

// Noise returns by how many litres readings of late have stepped back without a
// reset.
func (c *Counter) Noise() float64 { return c.noise }

// grain returns the litres by which two readings of the same truth may differ:
// each is off by up to its last digit.
func (c *Counter) grain() float64 { return 2.5 * c.kind.Resolution }

// Error returns how many litres the difference between two readings may be off.
func (c *Counter) Error() float64 { return c.grain() + c.noise + c.step }

// Restart lets the counter count from the next reading on. It keeps what it has
// learnt of its noise and its steps.
func (c *Counter) Restart() {
	*c = Counter{kind: c.kind, rate: c.rate, step: c.step, noise: c.noise, last: c.last}
}

// Take takes the next reading and returns what it adds. One whose T lies before
// the last one's, or whose value is not a number, is ignored.
func (c *Counter) Take(r Reading) Counted {
	if math.IsNaN(r.Value) || math.IsInf(r.Value, 0) || c.known && r.At < c.last {
		return Counted{}
	}
	c.noise = max(0, c.noise*(1-float64(r.At-c.last)/float64(noiseFor)))
	c.last = r.At
	if !c.known {
		c.known, c.top = true, mark{r.Value, r.At, none}
		return Counted{Taken: true, Since: r.At, Flow: none}
	}
	c.top.flow.Add(r.Flow)
	c.other.flow.Add(r.Flow)
	value := c.unroll(r)
	more := value - c.top.value
	if c.other.kind == jumped && c.follows(value, r) || more > c.likely(r.At) || more < 0 {
		return c.doubt(value, r)
	}
	if c.passed(value, r) {
		return c.accept(value, r)
	}
	return c.count(value, r)
}

// count takes a reading that goes on from the highest.
func (c *Counter) count(value float64, r Reading) Counted {
	litres, unknown := c.turns(value-c.top.value, r.At)
	out := Counted{Taken: true, Litres: litres, Since: c.top.at, Flow: c.top.flow, Unknown: unknown}
	if c.fellBack(value) {
		out.Unknown |= Reset
	}
	if c.other.kind == zeroed || c.other.kind == lower {
		if c.ambiguous(value, r) {
			out.Unknown |= Reset
		}
		if fell := c.top.value - c.other.low; fell <= max(dust, nearly*c.top.value) {
			c.noise = max(c.noise, fell)
		}
	}
	c.learn(litres, r.At-c.top.at, 2)
	c.turned = value - r.Value
	c.top, c.other = mark{value, r.At, none}, line{}
	return out
}

// learn learns from what a number of readings have counted how fast the counter
// counts.
func (c *Counter) learn(litres float64, in time.Duration, readings int) {
	if readings < 2 || litres <= c.grain() {
		return
	}
	c.rate = max(c.rate, litres/max(in, time.Second).Seconds())
	if steps := readings - 1; in <= time.Duration(steps)*stepIn {
		c.step = max(c.step, litres/float64(steps))
	}
}

// most returns the litres that the pump can give in a time.
func (c *Counter) most(in time.Duration) float64 {
	return c.kind.MaxFlow*max(in, time.Second).Minutes() + 0.5
}

// likely returns the litres that may have flowed since the highest reading, by
// the flow sensor or, without one, by how fast the counter has counted.
func (c *Counter) likely(at time.Duration) float64 {
	past := at - c.top.at
	expect := c.rate * past.Seconds()
	if c.top.flow.Known {
		expect = max(expect, c.top.flow.Litres)
	}
	return c.limit(expect, past)
}

// limit returns four times what is expected, and no more than the pump can give.
func (c *Counter) limit(expect float64, in time.Duration) float64 {
	expect = max(expect, c.step)
	if expect == 0 { // nothing is known yet
		return c.most(in)
	}
	return min(c.most(in), 0.2+c.grain()+4*expect)
}
