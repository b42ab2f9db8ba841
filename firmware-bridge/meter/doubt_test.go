package meter

import "testing"

// doubtful is a counter at 100 L at 60 s which may have gone elsewhere.
func doubtful(o line) Counter {
	return Counter{kind: slow, known: true, top: mark{value: 100, at: 60 * s}, other: o}
}

func TestASmallStepBackIsBelieved(t *testing.T) {
	jump := doubtful(line{kind: jumped, first: 102, last: 102, high: 102, low: 102, times: 1, at: 60 * s})
	jump.kind.Resolution = 1 // two readings differ by up to 2.5 L
	answers(t, []asked{
		{"by the error of two readings", doubtful(line{}), 99.375, at(61 * s), true},
		{"by more", doubtful(line{}), 99.25, at(61 * s), false},
		{"at the highest, after a jump by noise", jump, 100, at(61 * s), true},
	}, func(c *Counter, value float64, r Reading) bool { return c.doubt(value, r).Taken })
}

func TestWhatBecomesOfTheOtherLine(t *testing.T) {
	o := func(kind where, v float64, times int) line {
		return line{kind: kind, first: v, last: v, high: v, low: v, times: times, at: 60 * s, since: 60 * s}
	}
	again := o(lower, 50, 1)
	again.flow, again.before = sensed(2), sensed(1)
	for _, q := range []struct {
		name  string
		from  line
		value float64
		kind  where
		first float64
		times int
	}{
		{"it is back from zero", o(zeroed, 0, 2), 99.5, nowhere, 0, 0},
		{"one came late from before it was reset", o(zeroed, 0, 3), 99.5, zeroed, 0, 3},
		{"it stands on the lower line", o(lower, 50, 1), 50, lower, 50, 2},
		{"it has fallen further", again, 49, lower, 49, 1},
		{"it flickers near zero", o(zeroed, 1, 1), 0.5, zeroed, 1, 2},
		{"one came late from before it was set back", o(lower, 50, 1), 99.5, lower, 50, 1},
		{"what went up was wrong", o(leapt, 110, 1), 99.5, nowhere, 0, 0},
		{"what jumped was wrong", o(jumped, 200, 1), 99.5, nowhere, 0, 0},
		{"it jumps on", o(jumped, 200, 1), 300, jumped, 300, 2},
		{"it jumps elsewhere", o(jumped, 200, 1), 150, jumped, 150, 1},
		{"it jumps after a fall", o(lower, 50, 2), 150, jumped, 150, 1},
	} {
		c := doubtful(q.from)
		c.doubt(q.value, at(61*s))
		if c.other.kind != q.kind || c.other.first != q.first || c.other.times != q.times {
			t.Errorf("%s: %+v", q.name, c.other)
		}
		if q.name == "it has fallen further" && c.other.before.Litres != 3 {
			t.Errorf("%s: %g L before it, want 3", q.name, c.other.before.Litres)
		}
		if runs := q.name == "it jumps on"; c.other.runs != runs {
			t.Errorf("%s: runs %v", q.name, c.other.runs)
		}
	}
}

func TestWhatFlowedIfItWasReset(t *testing.T) {
	for _, q := range []struct {
		from        line
		flow        Flow
		value, want float64
	}{
		{line{}, Flow{}, 2, 0}, // read once
		// 2 L from zero at 90 s, which the pump can give since 60 s, and one since then.
		{line{kind: zeroed, first: 2, last: 2, high: 2, low: 2, times: 1, since: 90 * s, at: 90 * s}, Flow{}, 3, 3},
		{line{kind: zeroed, first: 2, last: 2, high: 2, low: 2, times: 1, since: 90 * s, at: 90 * s}, sensed(1), 3, 0},
		{line{kind: lower, first: 50, last: 50, high: 50, low: 50, times: 1, since: 90 * s, at: 90 * s}, Flow{}, 51, 0},
	} {
		c := doubtful(q.from)
		c.top.flow = q.flow
		if got := c.doubt(q.value, at(105*s)); got.Pending != q.want {
			t.Errorf("to %g: %g L, want %g", q.value, got.Pending, q.want)
		}
	}
}
