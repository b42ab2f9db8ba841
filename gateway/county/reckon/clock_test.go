package reckon

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var truth = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

// report is one message: when it was made, what the machine's clock showed, and when
// it arrived.
type report struct{ made, own, arrived time.Time }

// heard is a machine's stream as the collector keeps it.
type heard struct {
	clock Clock
	kept  []kept
}

type kept struct {
	report

	flow time.Time // own, as it was judged
	at   time.Time
}

func (h *heard) take(r report) {
	j := h.clock.Judge(r.arrived, r.own)
	h.kept = append(h.kept, kept{r, j.Own, j.At})
	if !j.Moved {
		return
	}
	for i := range h.kept {
		k := &h.kept[i]
		at := k.flow.Add(h.clock.Offset)
		if !k.arrived.Before(h.clock.Since) && at.Sub(k.arrived) <= Slack {
			k.at = at
		}
	}
}

// line says how the reports of a stream travel.
type line struct {
	stalls  [][2]time.Duration // what is made meanwhile arrives at the end, in order
	latency time.Duration
	late    int // every such report arrives later than those behind it; 0: none
	lateBy  time.Duration
}

// carry sets when reports arrive, and puts them into that order.
func (l line) carry(reports []report) []report {
	for i := range reports {
		r := &reports[i]
		r.arrived = r.made.Add(l.latency)
		for _, s := range l.stalls {
			if from, to := truth.Add(s[0]), truth.Add(s[1]); !r.arrived.Before(from) && r.arrived.Before(to) {
				r.arrived = to
			}
		}
		if l.late > 0 && i%l.late == l.late-1 {
			r.arrived = r.arrived.Add(l.lateBy)
		}
	}
	slices.SortStableFunc(reports, func(a, b report) int { return a.arrived.Compare(b.arrived) })
	for i := 1; i < len(reports); i++ {
		if !reports[i].arrived.After(reports[i-1].arrived) {
			reports[i].arrived = reports[i-1].arrived.Add(1)
		}
	}
	return reports
}

// For any stream with delays, reports that overtake each other, a clock that is wrong
// by a constant, and one step of it: each report lies within 2 s of when it was made.
func TestReportsLieWhereTheyWereMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		offset := func(name string) time.Duration {
			switch rapid.IntRange(0, 3).Draw(t, name) {
			case 0:
				return 0
			case 1: // slow
				return -time.Duration(rapid.IntRange(150, 13*24*3600).Draw(t, name+" slow")) * time.Second
			case 2: // years slow
				return -time.Duration(rapid.IntRange(30, 18000).Draw(t, name+" days")) * 24 * time.Hour
			}
			return time.Duration(rapid.IntRange(3, 1e8).Draw(t, name+" fast")) * time.Second
		}
		every := time.Duration(rapid.IntRange(200, 3000).Draw(t, "every")) * time.Millisecond
		first, second := offset("first"), offset("second")
		if (second - first).Abs() < 3*time.Minute {
			second = first
		}
		live := 15*time.Second + 10*every // to begin with, and after the step
		step := 2*live + time.Duration(rapid.IntRange(0, 60).Draw(t, "step"))*time.Second
		length := step + 2*live + 60*time.Second
		l := line{latency: time.Duration(rapid.IntRange(0, 900).Draw(t, "latency")) * time.Millisecond,
			late: rapid.SampledFrom([]int{0, 7, 20}).Draw(t, "late"), lateBy: 1500 * time.Millisecond}
		if rapid.Bool().Draw(t, "stall") {
			from := step + 2*live + time.Duration(rapid.IntRange(0, 30).Draw(t, "from"))*time.Second
			l.stalls = [][2]time.Duration{
				{from, from + time.Duration(rapid.IntRange(1, 90000).Draw(t, "for"))*time.Second},
			}
		}
		var reports []report
		for at := time.Duration(0); at < length; at += every {
			more := first
			if at >= step {
				more = second
			}
			made := truth.Add(at)
			reports = append(reports, report{made: made, own: made.Add(more)})
		}
		var h heard
		for _, r := range l.carry(reports) {
			h.take(r)
		}
		for _, k := range h.kept {
			if off := k.at.Sub(k.made); off.Abs() > Slack+l.latency {
				t.Fatalf("made %s, judged %s off; clock %+v", k.made.Sub(truth), off, h.clock)
			}
		}
	})
}

// Whatever comes, a report does not lie in the future, and two of the same stretch
// keep their order and the time between them.
func TestNoReportLiesInTheFuture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h heard
		arrived := truth
		for range rapid.IntRange(1, 60).Draw(t, "reports") {
			arrived = arrived.Add(time.Duration(rapid.Int64Range(1, 1e11).Draw(t, "later")))
			own := truth.Add(time.Duration(rapid.Int64Range(-4e18, 4e18).Draw(t, "own")))
			if rapid.Bool().Draw(t, "near") {
				own = arrived.Add(-time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "lag")))
			}
			h.take(report{own: own, arrived: arrived})
			last := h.kept[len(h.kept)-1]
			if early := last.at.Sub(arrived); early > Slack {
				t.Fatalf("it lies %s in the future", early)
			}
			if late := arrived.Sub(last.at); late > TooLate {
				t.Fatalf("it lies %s in the past", late)
			}
		}
	})
}

// stream is reports a second apart from a moment on, with a clock that shows more.
func stream(from, to, more time.Duration) (out []report) {
	for at := from; at < to; at += time.Second {
		made := truth.Add(at)
		out = append(out, report{made: made, own: made.Add(more), arrived: made})
	}
	return out
}

func TestClocks(t *testing.T) {
	dump := func(in []report, at time.Duration, rate float64) []report {
		for i := range in {
			in[i].arrived = truth.Add(at + time.Duration(float64(i)/rate*float64(time.Second)))
		}
		return in
	}
	const min, day = time.Minute, 24 * time.Hour
	const year = 365 * day
	set := func(a, b []report) []report { return append(a, b...) }
	for name, c := range map[string]struct {
		reports []report
		offset  time.Duration
		settled bool
		off     time.Duration // the largest of a report
	}{
		"right":                      {stream(0, 30*time.Second, 0), 0, true, 0},
		"right, not known yet":       {stream(0, 15*time.Second, 0), 0, false, 0},
		"right, just known":          {stream(0, 16*time.Second, 0), 0, true, 0},
		"9 s slow is a slow line":    {stream(0, 2*min, -9*time.Second), 0, true, 9 * time.Second},
		"11 s slow for less than 1m": {stream(0, 60*time.Second, -11*time.Second), 0, false, 11 * time.Second},
		"11 s slow for 1m":           {stream(0, 61*time.Second, -11*time.Second), 11 * time.Second, true, 0},
		"119 s slow":                 {stream(0, 60*time.Second, -119*time.Second), 0, false, 119 * time.Second},
		"2m slow, not known yet":     {stream(0, 15*time.Second, -2*min), 0, false, 2 * min},
		"2m slow":                    {stream(0, 16*time.Second, -2*min), 2 * min, true, 0},
		"2 s fast":                   {stream(0, 16*time.Second, 2*time.Second), 0, true, 2 * time.Second},
		"3 s fast":                   {stream(0, 1*time.Second, 3*time.Second), -3 * time.Second, false, 0},
		"13 days late":               {dump(stream(0, min, 0), 13*day, 20), 0, false, 0},
		"15 days slow":               {stream(0, 1*time.Second, -15*day), 15 * day, false, 0},
		"too few to know":            {stream(0, 16*time.Second, -2*min)[12:], 0, false, 2 * min},
		"set back, not known yet": {set(stream(0, min, 0), stream(min, 90*time.Second, -time.Hour)),
			0, true, time.Hour},
		"set back": {set(stream(0, min, 0), stream(min, 91*time.Second, -time.Hour)),
			time.Hour, true, 0},
		"set back by 100 s, for 10 min": {set(stream(0, min, 0), stream(min, 11*min, -100*time.Second)),
			0, true, 100 * time.Second},
		"set back by 100 s, for longer": {set(stream(0, min, 0), stream(min, 11*min+time.Second, -100*time.Second)),
			100 * time.Second, true, 0},
		"set forward":         {set(stream(0, min, -time.Hour), stream(min, 2*min, 0)), 0, true, 0},
		"set half forward":    {set(stream(0, min, -time.Hour), stream(min, 2*min, -30*min)), 30 * min, true, 0},
		"1970, then set":      {set(stream(0, 5*time.Second, -50*year), stream(5*time.Second, min, 0)), 0, true, 0},
		"a year, then 1970":   {set(stream(0, min, year), stream(min, 2*min, -50*year)), 50 * year, true, 0},
		"late, as fast again": {dump(stream(0, 2*min, 0), 10*min, 2), 0, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var h heard
			for _, r := range c.reports {
				h.take(r)
			}
			if h.clock.Offset != c.offset || h.clock.Settled != c.settled {
				t.Errorf("offset %s, settled %t", h.clock.Offset, h.clock.Settled)
			}
			far := slices.MaxFunc(h.kept, func(a, b kept) int {
				return cmp.Compare(a.at.Sub(a.made).Abs(), b.at.Sub(b.made).Abs())
			})
			if off := far.at.Sub(far.made).Abs(); off != c.off {
				t.Errorf("a report lies %s off", off)
			}
		})
	}
}

// A clock that shows minutes, or stands: the time goes on with the arrivals.
func TestACoarseClockGoesOn(t *testing.T) {
	var h heard
	for _, r := range stream(0, 3*time.Minute, 0) {
		r.own = r.made.Truncate(time.Minute)
		h.take(r)
	}
	for i, k := range h.kept {
		if off := k.at.Sub(k.made).Abs(); off > 0 && i >= 5 || off > 5*time.Second {
			t.Errorf("%s lies %s off", k.made.Sub(truth), off)
		}
	}
	if !h.clock.Same.Coarse {
		t.Error("the clock is not known to be coarse")
	}
	for _, r := range stream(3*time.Minute, 3*time.Minute+3*time.Second, 0) {
		h.take(r)
	}
	if h.clock.Same.Coarse {
		t.Error("the clock shows seconds now")
	}
}

// A clock that is set back by as much as a message may be late: some messages seem to
// be just that late, the next ones more.
func TestAClockSetBackByTheLargestDelay(t *testing.T) {
	for name, slow := range map[string]time.Duration{"right before": 0, "37 days slow before": 37 * 24 * time.Hour} {
		for later := 1; later < 5; later++ {
			var h heard
			for _, r := range stream(0, time.Minute, -slow) {
				h.take(r)
			}
			for i, r := range stream(time.Minute, 2*time.Minute, -slow-TooLate) {
				if i == later {
					r.arrived = r.arrived.Add(time.Second / 2)
				}
				h.take(r)
			}
			for _, k := range h.kept {
				if off := k.at.Sub(k.made).Abs(); off > Slack {
					t.Errorf("%s, %d: %s lies %s off", name, later, k.made.Sub(truth), off)
				}
			}
		}
	}
}
