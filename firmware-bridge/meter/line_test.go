package meter

import (
	"testing"
	"time"
)

// The tables below use numbers that a float64 holds exactly, so that a bound can be
// met to the last bit. slow: two readings of the same truth may differ by 0.625 L,
// and the pump gives at most 1.5 L in 15 s, 2.5 L in 30 s, 4.5 L in a minute.
// strong: 60.5 L in 15 s.
var (
	slow   = Kind{Resolution: 0.25, MaxFlow: 4}
	strong = Kind{Resolution: 0.25, MaxFlow: 240}
)

const s = time.Second

func sensed(litres float64) Flow { return Flow{Litres: litres, Known: true} }

func at(t time.Duration) Reading { return Reading{At: t} }

// asked is a question to a counter in some state, with the answer.
type asked struct {
	name  string
	c     Counter
	value float64
	r     Reading
	want  bool
}

func answers(t *testing.T, all []asked, ask func(c *Counter, value float64, r Reading) bool) {
	t.Helper()
	for _, q := range all {
		if got := ask(&q.c, q.value, q.r); got != q.want {
			t.Errorf("%s: %v", q.name, got)
		}
	}
}

func TestWhatIsNearZero(t *testing.T) {
	empty := Counter{kind: slow, top: mark{value: 100}}
	turned := Counter{kind: slow, top: mark{value: 100}, turned: 50}
	bySensor := Counter{kind: slow, top: mark{value: 100, flow: sensed(20)}}
	rated := Counter{kind: slow, top: mark{value: 100, at: 10 * s}, rate: 1}
	answers(t, []asked{
		{"below zero by the error of two readings", empty, -0.625, at(0), true},
		{"below that", empty, -0.75, at(0), false},
		{"a tenth of the highest", empty, 10, at(0), true},
		{"half of that", empty, 5, at(0), true},
		{"more than a tenth", empty, 10.25, at(0), false},
		{"a tenth since it turned", turned, 55, at(0), true},
		{"more than a tenth since it turned", turned, 56, at(0), false},
		{"half as much again as has flowed", bySensor, 30.625, at(0), true},
		{"more than that", bySensor, 30.75, at(0), false},
		{"half as much again as at its rate", rated, 30.625, at(30 * s), true},
		{"more than that at its rate", rated, 30.75, at(30 * s), false},
	}, func(c *Counter, value float64, r Reading) bool { return c.nearZero(value, r.At) })
}

func TestWhereACounterMayHaveGone(t *testing.T) {
	high := Counter{kind: slow, top: mark{value: 100, at: 60 * s}}
	for _, q := range []struct {
		c     Counter
		value float64
		want  where
	}{
		{high, 104.5, leapt}, // as much as the pump can give
		{high, 104.75, jumped},
		{high, 100, leapt},
		{high, 50, lower},
		{high, 0, zeroed},
		{Counter{kind: slow, top: mark{value: 0.1, at: 60 * s}}, 0, lower}, // dust
	} {
		if got := q.c.kindOf(q.value, at(120*s)); got != q.want {
			t.Errorf("from %g to %g: %d, want %d", q.c.top.value, q.value, got, q.want)
		}
	}
}

func TestWhatGoesOnFromAnotherLine(t *testing.T) {
	from := func(kind where, last, top, turned float64) Counter {
		return Counter{kind: slow, top: mark{value: top, flow: none}, turned: turned,
			other: line{kind: kind, last: last, at: 60 * s}}
	}
	fine := from(zeroed, 1, 100, 0)
	fine.kind.Resolution = 0.01
	flowed := from(lower, 65, 150, 50)
	flowed.top.flow = sensed(20)
	answers(t, []asked{
		{"there is no other line", from(nowhere, 1, 100, 0), 1, at(60 * s), false},
		{"up by what the pump can give", from(zeroed, 1, 100, 0), 5.5, at(120 * s), true},
		{"up by more", from(zeroed, 1, 100, 0), 5.75, at(120 * s), false},
		{"back by the error of two readings", from(zeroed, 1, 100, 0), 0.375, at(120 * s), true},
		{"back by more", from(zeroed, 1, 100, 0), 0.25, at(120 * s), false},
		{"back by a last digit and more", fine, 0.9, at(120 * s), false},
		{"lower: back by a tenth", from(lower, 80, 100, 50), 75, at(60 * s), true},
		{"lower: back by more than a tenth", from(lower, 80, 100, 50), 74.5, at(60 * s), false},
		{"lower: to near zero", from(lower, 10.5, 100, 0), 10, at(60 * s), false},
		{"lower: to near zero since it turned", from(lower, 60, 150, 50), 59, at(60 * s), false},
		{"lower: not near zero since it turned", from(lower, 65, 150, 50), 65, at(60 * s), true},
		{"lower: what has flowed is more than a tenth", flowed, 65, at(60 * s), true},
	}, (*Counter).follows)
}

func TestWhatIsLikelyToGoOn(t *testing.T) {
	// 0.25 L/s for 4 s: 1 L, and four times that with 0.825 L of error are 4.825 L.
	rated := Counter{kind: strong, rate: 0.25, other: line{last: 10, at: 60 * s}}
	fresh := Counter{kind: strong, other: line{last: 10, at: 60 * s}}
	answers(t, []asked{
		{"four times its rate", rated, 14.75, at(64 * s), true},
		{"more", rated, 15, at(64 * s), false},
		{"more, and it flowed", rated, 15, Reading{At: 64 * s, Flow: sensed(2)}, true},
		{"nothing is known: what the pump gives", fresh, 70.5, at(75 * s), true},
		{"more than that", fresh, 70.75, at(75 * s), false},
	}, (*Counter).likelyFollows)
}

func TestWhatMayHaveComeLate(t *testing.T) {
	// 0.25 L/s for the 5 s that a message may be late: 5.825 L.
	on := func(o line) Counter { return Counter{kind: strong, rate: 0.25, top: mark{value: 100}, other: o} }
	fresh := on(line{kind: zeroed, times: 1})
	fresh.rate = 0 // 20.5 L in 5 s
	answers(t, []asked{
		{"a little below the highest", on(line{kind: zeroed, times: 1}), 95, at(0), true},
		{"far below", on(line{kind: zeroed, times: 1}), 94, at(0), false},
		{"the other line is sure", on(line{kind: zeroed, times: 3}), 95, at(0), false},
		{"it goes on from the other line", on(line{kind: zeroed, times: 1, last: 95}), 95, at(0), false},
		{"what the pump gives in 5 s", fresh, 79.5, at(0), true},
		{"above the highest, after a fall", on(line{kind: lower, last: 50}), 100.5, at(0), true},
		{"at the highest, after a fall", on(line{kind: lower, last: 50}), 100, at(0), false},
		{"below the highest, after a fall", on(line{kind: lower, last: 50}), 99, at(0), false},
	}, (*Counter).late)
}

func TestWhichLineThatIsGivenUpMayHaveBeenAReset(t *testing.T) {
	on := func(top, first float64, times int) Counter {
		return Counter{kind: slow, top: mark{value: top, flow: none}, other: line{first: first, times: times}}
	}
	fine := on(0.1, 0, 3) // fell by no more than dust, and not to near zero
	fine.kind.Resolution, fine.turned = 0.01, -5
	answers(t, []asked{
		{"fell by the error of two readings", on(100, 99.375, 3), 0, at(0), false},
		{"fell by more", on(100, 99.25, 3), 0, at(0), true},
		{"read twice", on(100, 99.25, 2), 0, at(0), false},
		{"fell by half", on(100, 50, 3), 0, at(0), true},
		{"fell by dust", fine, 0, at(0), false},
	}, func(c *Counter, _ float64, _ Reading) bool { return c.leaves() })
}

func TestWhenTheOtherLineIsBelieved(t *testing.T) {
	on := func(o line) Counter { return Counter{kind: slow, other: o} }
	answers(t, []asked{
		{"three times in 2 s, and it moved", on(line{kind: zeroed, times: 3, since: s, at: 3 * s, high: 0.75}),
			0, at(0), true},
		{"in less", on(line{kind: zeroed, times: 3, since: s, at: 2500 * time.Millisecond, high: 0.75}),
			0, at(0), false},
		{"twice", on(line{kind: zeroed, times: 2, since: s, at: 3 * s, high: 0.75}), 0, at(0), false},
		{"it moved by noise", on(line{kind: zeroed, times: 3, since: s, at: 3 * s, high: 0.625}), 0, at(0), false},
		{"it moved by less than it stepped back",
			on(line{kind: zeroed, times: 3, since: s, at: 3 * s, high: 0.75, back: 0.25}), 0, at(0), false},
		{"it leapt and stands", on(line{kind: leapt, times: 3, at: 2 * s}), 0, at(0), true},
		{"it jumped and stands", on(line{kind: jumped, times: 3, at: 2 * s}), 0, at(0), false},
		{"it jumps on and on", on(line{kind: jumped, times: 3, at: 2 * s, runs: true}), 0, at(0), true},
		{"lower, for 10 s", on(line{kind: lower, times: 4, at: 10 * s, high: 2.25, back: 0.25}), 0, at(0), true},
		{"lower, for 9 s", on(line{kind: lower, times: 4, at: 9 * s, high: 2.25, back: 0.25}), 0, at(0), false},
		{"lower, three times", on(line{kind: lower, times: 3, at: 10 * s, high: 2.25, back: 0.25}),
			0, at(0), false},
		{"lower, moved less", on(line{kind: lower, times: 4, at: 10 * s, high: 2, back: 0.25}), 0, at(0), false},
		{"nowhere", on(line{times: 4, at: 10 * s, high: 5}), 0, at(0), false},
	}, func(c *Counter, _ float64, _ Reading) bool { return c.settled() })
}

func TestWhetherACounterThatFellBackMayHaveBeenReset(t *testing.T) {
	on := func(kind where, high, top, turned float64) Counter {
		return Counter{kind: slow, top: mark{value: top}, turned: turned, other: line{kind: kind, high: high}}
	}
	answers(t, []asked{
		{"near zero", on(leapt, 4, 2, 1), 1.625, at(0), true},
		{"above", on(leapt, 4, 2, 1), 1.75, at(0), false},
		{"it fell before", on(lower, 4, 2, 1), 1.625, at(0), false},
		{"it had gone up by what the pump gives in a minute", on(jumped, 6.5, 2, 0), 0, at(0), true},
		{"by more", on(jumped, 6.75, 2, 0), 0, at(0), false},
	}, func(c *Counter, value float64, _ Reading) bool { return c.fellBack(value) })
}

func TestWhatFlowedFromZeroToTheFirstReading(t *testing.T) {
	for _, q := range []struct{ first, turned, want float64 }{
		{6, 2, 4}, {4.5, 0, 4.5}, {5, 0, 0}, {-1, 0, 0}, // 4.5 L in a minute
	} {
		c := Counter{kind: slow, turned: q.turned, top: mark{at: 60 * s}, other: line{first: q.first, since: 120 * s}}
		if got := c.fromZero(); got != q.want {
			t.Errorf("%g, turned %g: %g, want %g", q.first, q.turned, got, q.want)
		}
	}
}
