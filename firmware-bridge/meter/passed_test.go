package meter

import (
	"testing"
	"time"
)

func TestErrorsOfBothLines(t *testing.T) {
	c := Counter{top: mark{value: 10, flow: sensed(3)}, other: line{first: 1, flow: sensed(2)}}
	if stayed, went := c.errors(12); stayed != 1 || went != 9 {
		t.Errorf("%g and %g, want 1 and 9", stayed, went)
	}
}

// on returns a counter with its highest reading at 50 s, which may have gone to near
// zero since.
func on(top float64, flow Flow, o line) Counter {
	if o.kind == nowhere {
		o.kind = zeroed
	}
	return Counter{kind: strong, top: mark{value: top, at: 50 * s, flow: flow}, other: o}
}

func TestACounterThatWasResetHasPassedItsOldValue(t *testing.T) {
	first := func(v float64) line { return line{first: v, last: v, at: 59 * s, flow: sensed(3)} }
	limit := 0.02 + 0.625/2 // what the flow sensor must contradict
	touch := func(stayed float64) Counter {
		return on(3, sensed(stayed), line{at: 59 * s, flow: sensed(3)})
	}
	rest := func(kind where, times int, since int) Counter { // 0.25 L/s: 1.825 L in a second are likely
		c := on(2, Flow{}, line{kind: kind, times: times, last: 1, since: time.Duration(since) * s, at: 12 * s})
		c.rate = 0.25
		return c
	}
	fell := on(1, sensed(5), first(0.25))
	fell.other.kind = lower
	leap := on(1, sensed(5), first(0.25))
	leap.other.kind = leapt
	answers(t, []asked{
		{"it fell by the error of two readings", on(1, sensed(5), first(0.375)), 3.375, at(60 * s), false},
		{"it fell by more", on(1, sensed(5), first(0.25)), 3.25, at(60 * s), true},
		{"it fell less far", fell, 3.25, at(60 * s), true},
		{"it went up", leap, 3.25, at(60 * s), false},
		{"what both lines say is the same", touch(limit), 3, at(60 * s), false},
		{"a little less than that", touch(0.33), 3, at(60 * s), false},
		{"the flow sensor contradicts", touch(1), 3, at(60 * s), true},
		{"no flow sensor, at zero for 2 s", rest(zeroed, 3, 10), 2.5, at(13 * s), true},
		{"the same, faster", rest(zeroed, 3, 10), 4, at(13 * s), false},
		{"the same, for 1 s", rest(zeroed, 3, 11), 2.5, at(13 * s), false},
		{"the same, read twice", rest(zeroed, 2, 10), 2.5, at(13 * s), false},
		{"the same, lower", rest(lower, 3, 10), 2.5, at(13 * s), false},
	}, (*Counter).passed)
}

func TestWhenNothingTellsAReset(t *testing.T) {
	agree := func(top, flow, went float64) Counter { // value is top
		return on(top, sensed(flow), line{flow: sensed(top - went)})
	}
	rated := func(top, rate float64, times int) Counter {
		c := on(top, Flow{}, line{last: 1, at: 56 * s, times: times, since: 56 * s})
		c.rate = rate
		return c
	}
	slowly := func(rate, top float64, times int) Counter { // 1.5 L from 50 s to 60 s, with 5 s of delay
		c := on(top, Flow{}, line{last: 0.25, at: 50 * s, times: times, since: 50 * s})
		c.kind, c.rate = slow, rate
		return c
	}
	far := on(100, sensed(50), line{first: 90})
	answers(t, []asked{
		{"it fell by the error of two readings", agree(0.625, 4, 0), 0.625, at(60 * s), false},
		{"it fell by more", agree(0.75, 4, 0), 0.75, at(60 * s), true},
		{"not to near zero", far, 100, at(60 * s), false},
		{"both are off by the same", agree(100, 0.5, 0.5), 100, at(60 * s), false},
		{"the flow sensor bears it out", agree(100, 1.5, 10), 100, at(60 * s), true},
		{"within a quarter of what flowed", on(100, sensed(4), line{}), 102.5, at(60 * s), false},
		{"not within a quarter", on(100, sensed(4), line{}), 102, at(60 * s), true},
		{"no rate: what the pump gives", slowly(0, 20, 1), 1.75, at(60 * s), true},
		{"no rate: more", slowly(0, 20, 1), 2, at(60 * s), false},
		{"read twice: what the pump gives", slowly(0.001, 20, 2), 1.75, at(60 * s), true},
		{"read once: it fell by more than can have flowed", slowly(0.001, 20, 1), 1.75, at(60 * s), false},
		{"read once: four times its rate", rated(10, 0.25, 1), 3.625, at(60 * s), true},
		{"read once: more than that", rated(10.25, 0.25, 1), 3.625, at(60 * s), false},
		{"read once: it rises faster", rated(10, 0.25, 1), 3.75, at(60 * s), false},
	}, (*Counter).ambiguous)
}
