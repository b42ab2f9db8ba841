package meter

import (
	"testing"
	"time"
)

func TestALimitIsWhatThePumpGives(t *testing.T) {
	for in, want := range map[time.Duration]float64{15 * s: 1.5, 30 * s: 2.5, 60 * s: 4.5} {
		c := New(slow)
		if got := c.most(in); got != want {
			t.Errorf("%g L in %s, want %g", got, in, want)
		}
		if at0, at1 := c.most(0), c.most(s); at0 != at1 {
			t.Errorf("%g L in no time, %g in a second", at0, at1)
		}
	}
}

func TestErrorOfADifference(t *testing.T) {
	c := Counter{kind: slow, noise: 1, step: 2}
	if got := c.Error(); got != 3.625 {
		t.Errorf("%g, want 0.625 of the last digits, 1 of noise and a step of 2", got)
	}
}

func TestNoiseFadesInAMinute(t *testing.T) {
	c := Counter{kind: slow, known: true, top: mark{value: 10, at: 30 * s}, last: 30 * s, noise: 1}
	c.Take(Reading{At: 60 * s, Value: 10})
	if c.Noise() != 0.5 {
		t.Errorf("%g after half a minute, want 0.5", c.Noise())
	}
}

func TestTwoReadingsOfTheSameTime(t *testing.T) {
	c := New(Kind{})
	c.Take(Reading{At: s, Value: 1})
	if got := c.Take(Reading{At: s, Value: 1.5}); !got.Taken || got.Litres != 0.5 {
		t.Errorf("%+v", got)
	}
	if got := c.Take(Reading{At: s - 1, Value: 2}); got != (Counted{}) {
		t.Errorf("from before: %+v", got)
	}
}

func TestMoreThanThePumpGivesIsDoubted(t *testing.T) {
	for value, taken := range map[float64]bool{11.5: true, 11.75: false} {
		c := New(slow)
		c.Take(Reading{Value: 10})
		got := c.Take(Reading{At: 15 * s, Value: value})
		if got.Taken != taken || taken && got.Litres != 1.5 {
			t.Errorf("%g: %+v", value, got)
		}
	}
}

func TestNoiseIsHowFarItFellBelow(t *testing.T) {
	for low, want := range map[float64]float64{95: 5, 90: 10, 89: 0} { // a tenth of 100 L
		c := Counter{kind: slow, top: mark{value: 100}, other: line{kind: lower, low: low, first: low}}
		if c.count(100, at(s)); c.Noise() != want {
			t.Errorf("down to %g: noise %g, want %g", low, c.Noise(), want)
		}
	}
}

func TestWhatACounterLearns(t *testing.T) {
	for _, q := range []struct {
		litres     float64
		in         time.Duration
		readings   int
		rate, step float64
	}{
		{0.625, s, 2, 0, 0}, // the error of two readings
		{4, 4 * s, 1, 0, 0},
		{4, 4 * s, 2, 1, 4},
		{10, 5 * s, 2, 2, 10},
		{12, 6 * s, 2, 2, 0}, // too far apart for one step
		{20, 10 * s, 3, 2, 10},
		{4, 0, 2, 4, 4},
	} {
		c := Counter{kind: slow}
		if c.learn(q.litres, q.in, q.readings); c.rate != q.rate || c.step != q.step {
			t.Errorf("%g L in %s, %d readings: %g L/s, steps of %g, want %g and %g",
				q.litres, q.in, q.readings, c.rate, c.step, q.rate, q.step)
		}
	}
	c := Counter{kind: slow, top: mark{value: 10, at: 10 * s}}
	if c.count(14, at(12*s)); c.rate != 2 {
		t.Errorf("4 L in 2 s: %g L/s", c.rate)
	}
}

func TestGoingOverToTheOtherLine(t *testing.T) {
	for _, q := range []struct {
		kind                       where
		highest, litres, now, more float64
		unknown                    Unknown
	}{
		{zeroed, 100, 4.5, 4.5, 0, Reset}, // with 0.5 L from zero to the first reading
		{lower, 100, 4, 4.5, 0, Reset},
		{leapt, 0.5, 4.5, 5, 0.5, 0}, // with 0.5 L from the highest reading
		{jumped, 0.5, 4, 5, 0.5, Jump},
	} {
		c := Counter{kind: strong, turned: 0.5, top: mark{value: q.highest},
			other: line{kind: q.kind, first: 1, high: 5, last: 5, since: 10 * s, at: 12 * s, times: 3}}
		got := c.accept(0, at(12*s))
		if got.Litres != q.litres || got.Unknown != q.unknown || c.top.value != q.now || c.turned != q.more {
			t.Errorf("%d: %+v, now at %g, turned %g, want %+v", q.kind, got, c.top.value, c.turned, q)
		}
		if c.rate != 2 || c.step != 2 {
			t.Errorf("%d: 4 L in 2 s and two steps: %g L/s, steps of %g", q.kind, c.rate, c.step)
		}
	}
}

func TestAReadingInDoubt(t *testing.T) {
	c := New(slow)
	c.Take(Reading{Value: 10})
	if since, ok := c.Doubt(); ok {
		t.Errorf("since %s", since)
	}
	c.Take(Reading{At: s, Value: 20})
	c.Take(Reading{At: 2 * s, Value: 20})
	if since, ok := c.Doubt(); !ok || since != s {
		t.Errorf("since %s, %v", since, ok)
	}
	c.Take(Reading{At: 3 * s, Value: 10.5})
	if since, ok := c.Doubt(); ok {
		t.Errorf("it is back, and in doubt since %s", since)
	}
}
