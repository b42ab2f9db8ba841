package meter

import (
	"math"
	"time"
)

// unroll returns a reading with the turns that the counter has made. It goes on
// from the highest reading where that is likely, over one more turn, too.
func (c *Counter) unroll(r Reading) float64 {
	value := r.Value + c.turned
	turn := c.kind.Rollover
	if turn <= 0 {
		return value + c.inferred(r)
	}
	ahead := math.Mod(value-c.top.value, turn)
	if ahead < 0 {
		ahead += turn
	}
	limit := c.likely(r.At)
	if c.rate == 0 && !c.top.flow.Known {
		limit = min(limit, turn/4) // it is as likely that it was reset
	}
	if ahead <= limit {
		return c.top.value + ahead
	}
	// A message that was sent before it rolled over may come after that.
	late := max(limit, c.limit(c.rate*stepIn.Seconds(), stepIn))
	if value > c.top.value && turn-ahead <= min(late, turn/4) {
		return c.top.value + ahead - turn
	}
	return value
}

// turns adds to the litres that the counter counted since its highest reading
// the whole turns that it made unseen.
func (c *Counter) turns(litres float64, at time.Duration) (float64, Unknown) {
	turn, past := c.kind.Rollover, at-c.top.at
	if turn <= 0 || past <= longGap {
		return litres, 0
	}
	if f := c.top.flow; f.Known {
		n := math.Round((f.Litres - litres) / turn)
		if n < 1 {
			return litres, 0
		}
		if f.Rough {
			return litres + n*turn, Turns
		}
		return litres + n*turn, 0
	}
	flowed := c.rate * past.Seconds()
	if c.rate == 0 {
		flowed = c.most(past)
	}
	if litres+turn <= 1.2*flowed {
		return litres, Turns
	}
	return litres, 0
}

// inferred returns the turn that a counter of unknown type has made, 0 for none.
func (c *Counter) inferred(r Reading) float64 {
	top := c.top.value - c.turned
	if r.Value >= top || top <= 0 {
		return 0
	}
	limit := c.likely(r.At)
	if c.rate == 0 && !c.top.flow.Known {
		limit = min(limit, dust)
	}
	for _, turn := range known {
		for range steps {
			if ahead := r.Value + turn - top; ahead >= 0 && ahead <= limit && half(r.Value, top, turn) {
				return turn
			}
			turn /= 10
		}
	}
	return 0
}

// known are the counts at which counters roll over: powers of two and of ten,
// in steps of 1000 L (a counter of cubic metres) and, divided, of less.
var known = [...]float64{1 << 15 * 1e3, 1 << 16 * 1e3, 1 << 24 * 1e3, 1 << 31 * 1e3, 1 << 32 * 1e3, 1e9}

// steps is how often a count is divided by ten: down to 0.1 mL.
const steps = 8

// half reports whether a reading goes on at zero or, as a signed number does, at
// the negative end.
func half(value, top, turn float64) bool {
	return turn >= 50 && (value >= 0 && top <= turn || value < 0 && top <= turn/2)
}
