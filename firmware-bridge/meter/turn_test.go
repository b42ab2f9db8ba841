package meter

import (
	"testing"
	"time"
)

// turning returns a counter that begins again at 200 L, is at a value, and has
// turned once if that is above 200. It gives 0.25 L/s.
func turning(top float64) Counter {
	c := Counter{kind: strong, rate: 0.25, top: mark{value: top, at: 60 * s}}
	c.kind.Rollover = 200
	if top >= 200 {
		c.turned = 200
	}
	return c
}

// with changes a counter.
func (c Counter) with(change func(c *Counter)) Counter {
	change(&c)
	return c
}

func TestWhereACounterGoesOnOverATurn(t *testing.T) {
	fresh := func(c *Counter) { c.rate = 0 }
	flowed := func(litres float64) func(c *Counter) { // a sensor knows it; the pump is strong
		return func(c *Counter) { c.rate, c.kind.MaxFlow, c.top.flow = 0, 6000, sensed(litres) }
	}
	weak := func(c *Counter) { c.rate, c.kind.MaxFlow, c.top.flow = 0, 4, none } // 1.5 L in 15 s
	rough := func(c *Counter) { c.rate, c.kind.MaxFlow, c.kind.Resolution = 0, 4, 1 }
	later := func(c *Counter) { c.top.at = 600 * s }
	leap := func(last float64) func(c *Counter) {
		return func(c *Counter) { c.other = line{kind: leapt, last: last, at: 60 * s} }
	}
	for _, q := range []struct {
		name  string
		c     Counter
		value float64
		past  time.Duration
		want  float64
	}{
		{"on", turning(100), 101, s, 101},
		{"over a turn", turning(199), 1, s, 201},
		{"a quarter of a turn at most, while no rate is known", turning(150).with(fresh), 10, 20 * s, 10},
		{"a tenth of a turn in 10 s", turning(195), 10, 10 * s, 210},
		{"more than that", turning(195), 20, 10 * s, 20},
		{"four times the rate in 11 s", turning(195), 10, 11 * s, 10},
		{"noise, just after a turn", turning(200.25).with(rough), 197.75, s, 197.75},
		{"what the pump gives", turning(199.5).with(weak), 1, 15 * s, 201},
		{"half a turn is as likely back", turning(150).with(flowed(100)), 50, 15 * s, 50},
		{"more than half", turning(150).with(flowed(100)), 60, 15 * s, 60},
		{"more than half without a turn", turning(10).with(flowed(100)), 190, 15 * s, 190},
		{"5 s late, from before a turn", turning(202), 197, s, 197},
		{"what the pump gives late", turning(201.25).with(weak), 199.75, 15 * s, 199.75},
		{"more than a quarter of a turn is not late", turning(202).with(flowed(20)), 142, 15 * s, 342},
		{"on from where it leapt", turning(302).with(leap(398)), 5, 15 * s, 405},
		{"on from there by what the pump gives", turning(302).with(leap(398)), 58.5, 15 * s, 458.5},
		{"by more", turning(302).with(leap(398)), 68, 15 * s, 268},
		{"down, and nothing leapt", turning(390).with(later), 50, 15 * s, 250},
	} {
		if got := q.c.unroll(Reading{At: q.c.top.at + q.past, Value: q.value}); got != q.want {
			t.Errorf("%s: %g, want %g", q.name, got, q.want)
		}
	}
}

func TestATurnThatNobodyTold(t *testing.T) {
	binary := Counter{kind: Kind{Resolution: 0.25, MaxFlow: 240, Rollover: 42949672.96}, rate: 1,
		top: mark{value: 999.5}}
	once := Counter{kind: strong, rate: 1, turned: 1000, top: mark{value: 1999.5}}
	leap := Counter{kind: strong, rate: 1, turned: 1000, top: mark{value: 1960},
		other: line{kind: leapt, last: 1999.5, at: 60 * s}}
	none := leap
	none.other.kind = lower
	for _, q := range []struct {
		name        string
		c           Counter
		value, want float64
		at          time.Duration
	}{
		{"decimal digits in a binary type", binary, 0.5, 1000.5, s},
		{"a second turn", once, 0.5, 2000.5, s},
		{"from where it leapt", leap, 0.5, 2000.5, 75 * s},
		{"from there by more than the pump gives", leap, 69.5, 1069.5, 75 * s},
		{"it fell", none, 0.5, 1000.5, 75 * s},
	} {
		if got := q.c.unroll(Reading{At: q.at, Value: q.value}); got != q.want {
			t.Errorf("%s: %g, want %g", q.name, got, q.want)
		}
	}
	// 0.08 L from one reading to the next, of which the pump can give more.
	if litres, unknown := sum(Kind{}, s, 655.32, 0.04); litres < 0.0799 || litres > 0.0801 || unknown != 0 {
		t.Errorf("%g L, unknown %b, want 0.08", litres, unknown)
	}
}

func TestHowFarItIsOn(t *testing.T) {
	for _, q := range [][3]float64{{5, 5, 0}, {5, 8, 3}, {98, 3, 5}, {98, 303, 5}} {
		if got := onFrom(q[0], q[1], 100); got != q[2] {
			t.Errorf("from %g to %g: %g, want %g", q[0], q[1], got, q[2])
		}
	}
}

func TestTurnsInAGap(t *testing.T) {
	kind := Kind{Resolution: 0.25, MaxFlow: 240, Rollover: 100} // 200.5 L in 50 s
	for _, q := range []struct {
		name         string
		rate         float64
		flow         Flow
		litres, want float64
		past         time.Duration
		unknown      Unknown
	}{
		{"too short", 2, sensed(250), 50, 50, 10 * s, 0},
		{"the flow sensor tells two", 2, sensed(250), 50, 250, 11 * s, 0},
		{"it tells one", 2, sensed(150), 50, 150, 50 * s, 0},
		{"it tells none", 2, sensed(60), 50, 50, 50 * s, 0},
		{"it tells two by an estimate", 2, Flow{Litres: 250, Known: true, Rough: true}, 50, 250, 50 * s, Turns},
		{"its rate allows one", 2, Flow{}, 20, 20, 50 * s, Turns},
		{"its rate allows none", 2, Flow{}, 21, 21, 50 * s, 0},
		{"no rate is known", 0, Flow{}, 20, 20, 50 * s, Turns},
	} {
		c := Counter{kind: kind, rate: q.rate, top: mark{at: 60 * s, flow: q.flow}}
		if litres, unknown := c.turns(q.litres, 60*s+q.past); litres != q.want || unknown != q.unknown {
			t.Errorf("%s: %g L, unknown %b, want %g and %b", q.name, litres, unknown, q.want, q.unknown)
		}
	}
}

func TestTurnsThatAreInferred(t *testing.T) {
	for _, q := range []struct{ from, to, limit, want float64 }{
		{1000, 0, 5, 1000},
		{999.5, 0, 5, 1000},
		{999, 4, 5, 1000},
		{999, 4.5, 5, 0},
		{980, 1, 50, 0}, // not just below
		{327, 0.5, 5, 327.68},
		{655, 0.5, 5, 655.36},
		{167772, 0.5, 5, 167772.16},
		{21474836, 0.5, 5, 21474836.48},
		{214748, 0.5, 5, 214748.3648},
		{429496, 0.5, 5, 429496.7296},
		{214748, -214748, 5, 429496.7296},
		{5, 5, 1e9, 0},
		{0, -5, 1e9, 0},
	} {
		got := inferred(q.to, q.from, q.limit)
		if diff := got - q.want; diff > 1e-6 || diff < -1e-6 {
			t.Errorf("from %g to %g: %g, want %g", q.from, q.to, got, q.want)
		}
	}
	for _, q := range []struct {
		value, top, turn float64
		want             bool
	}{
		{0, 25, 25, true}, {0, 24, 24, false}, {10, 99, 100, true}, {10.5, 99, 100, false},
		{0, 98.5, 100, false}, {0, 100.5, 100, false}, {-50, 50, 100, true}, {-39.5, 50, 100, false},
	} {
		if got := half(q.value, q.top, q.turn); got != q.want {
			t.Errorf("from %g to %g, turn %g: %v", q.top, q.value, q.turn, got)
		}
	}
}
