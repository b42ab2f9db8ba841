package report

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

// A broker that sends again later what a collector that died had not acknowledged:
// reports without a time lie where their counter was, and the run is as it would be.
func TestReportsThatComeAgainLateLieWhereTheyWereMade(t *testing.T) {
	noTime := regexp.MustCompile(`"at":"[^"]*",`)
	reports := work(begin, 100, 60)
	for i := range reports {
		reports[i] = noTime.ReplaceAllString(reports[i], "")
	}
	for late := 6; late < 34; late += 3 {
		c := newCounty(t, t.TempDir())
		for i := range len(reports) + 15 {
			c.now = begin.Add(time.Duration(2*i) * time.Second)
			if i == late+15 {
				c.sayAgain(topic, reports[late])
				c.restart()
			}
			if i < len(reports) && i != late {
				c.say(topic, reports[i])
			}
			c.Tick(t.Context(), c.now)
		}
		c.now = c.now.Add(20 * time.Minute)
		c.Tick(t.Context(), c.now)
		got := fmt.Sprint(c.runsOf("fogger-9"))
		if want := "[20200214t060010.000z closed measured 6.00 1m0s]"; got != want {
			t.Errorf("report %d is late: %s, want %s", late, got, want)
		}
		c.end()
	}
}

func TestWhereACounterWas(t *testing.T) {
	var c counts
	values := func(volume float64, works bool) *fact.Values {
		return &fact.Values{Volume: &volume, Command: &works}
	}
	for i, v := range []float64{10, 10, 11, 13, 13, 14} {
		c.add(begin.Add(time.Duration(i)*time.Second), values(v, i > 1 && i < 5))
	}
	c.add(begin.Add(time.Minute), &fact.Values{})
	for volume, want := range map[float64]time.Duration{10: time.Second, 10.5: 1500 * time.Millisecond,
		12: 2500 * time.Millisecond, 13: 4 * time.Second, 13.75: 4750 * time.Millisecond, 9.9: -1, 14: -1, 15: -1} {
		at, ok := c.find(begin.Add(time.Minute), values(volume, true), true)
		if ok != (want >= 0) || ok && at.Sub(begin) != want {
			t.Errorf("%g L: %s %v, want %s", volume, at.Sub(begin), ok, want)
		}
	}
	if _, ok := c.find(begin, &fact.Values{}, true); ok {
		t.Error("no value lies somewhere")
	}
	for name, x := range map[string]struct {
		past  time.Duration
		works bool
		want  bool
	}{
		"works, as those beside it":      {unmarked, true, true},
		"works, too long ago":            {unmarked + 1, true, false},
		"rests, between two that worked": {time.Second, false, false},
	} {
		if _, ok := c.find(begin.Add(2500*time.Millisecond+x.past), values(12, x.works), false); ok != x.want {
			t.Errorf("%s: %v", name, ok)
		}
	}
	c.add(begin.Add(6*time.Second), values(0, false))
	if _, ok := c.find(begin.Add(7*time.Second), values(13.5, true), true); ok {
		t.Error("the counter has been reset since")
	}
}

func TestCountsAreBounded(t *testing.T) {
	var many, old counts
	for i := range 2 * mostCounts {
		v := float64(i)
		many.add(begin.Add(time.Duration(i)*time.Millisecond), &fact.Values{Volume: &v})
		old.add(begin.Add(time.Duration(i)*time.Second), &fact.Values{Volume: &v})
	}
	if len(many) != mostCounts || len(old) != int(countsAging/time.Second)+1 {
		t.Errorf("%d and %d values are kept", len(many), len(old))
	}
}
