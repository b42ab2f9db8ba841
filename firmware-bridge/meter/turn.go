package meter

import (
	"math"
	"time"
)

// unroll returns a reading with the turns that the counter has made. It goes on
// from the highest reading or from where it may have gone since, over one more
// turn, too.
func (c *Counter) unroll(r Reading) float64 {
	value := r.Value + c.turned
	turn := c.kind.Rollover
	limit := c.likely(r.At)
	unsure := c.rate == 0 && !c.top.flow.Known
	if turn <= 0 {
		return value + c.unknownTurn(r, limit, unsure)
	}
	if unsure {
		limit = min(limit, turn/4) // it is as likely that it was reset
	}
	if past := r.At - c.top.at; past <= longGap { // it may flow faster now
		limit = max(limit, min(c.most(past), turn/10))
	}
	ahead := onFrom(c.top.value, value, turn)
	if turn-ahead <= max(c.grain(), c.noise) { // noise
		return c.top.value + ahead - turn
	}
	if ahead <= limit && (ahead < turn/2 || value >= c.top.value) {
		return c.top.value + ahead
	}
	// A message that was sent before it rolled over may come after that.
	late := max(limit, c.limit(c.rate*lateBy.Seconds(), lateBy))
	if value > c.top.value && turn-ahead <= min(late, turn/4) {
		return c.top.value + ahead - turn
	}
	if o := &c.other; o.kind == leapt {
		if on := onFrom(o.last, value, turn); on <= c.most(r.At-o.at) {
			return o.last + on
		}
	}
	return value + c.unknownTurn(r, limit, unsure) // it may count decimal digits in a binary type
}

// unknownTurn returns the turn that a counter has made whose roll-over is not
// known, 0 for none; unsure: nothing is known of how fast it counts.
func (c *Counter) unknownTurn(r Reading, limit float64, unsure bool) float64 {
	if unsure {
		limit = min(limit, dust)
	}
	if turn := inferred(r.Value, c.top.value-c.turned, limit); turn > 0 {
		return turn
	}
	if o := &c.other; o.kind == leapt {
		return inferred(r.Value, o.last-c.turned, c.most(r.At-o.at))
	}
	return 0
}

// onFrom returns by how much a counter has gone on from one value to another, over
// less than one turn.
func onFrom(from, to, turn float64) float64 {
	on := math.Mod(to-from, turn)
	if on < 0 {
		on += turn
	}
	return on
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

// inferred returns the turn that a counter of unknown type has made when it went
// on from one value to another by no more than a limit; 0: none.
func inferred(to, from, limit float64) float64 {
	if to >= from || from <= 0 {
		return 0
	}
	for _, turn := range known {
		for range steps {
			if on := to + turn - from; on >= 0 && on <= limit && half(to, from, turn) {
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

// justBelow is the part of a turn that an unknown counter has counted when it rolls
// over: one that was reset there is off by 1 %, at most.
const justBelow = 0.99

// steps is how often a count is divided by ten: down to 0.1 mL.
const steps = 8

// half reports whether a reading goes on at zero or, as a signed number does, at
// the negative end.
func half(value, top, turn float64) bool {
	if value < 0 {
		turn, value = turn/2, value+turn/2
	}
	return turn >= 25 && top <= turn && top >= justBelow*turn && value >= 0 && value <= 0.1*turn
}
