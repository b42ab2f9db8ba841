package sense

import (
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

// warming is a background, and then a person, whose sensor warms by perSecond.
func warming(d time.Duration, perSecond fact.Temp) []shot {
	var out []shot
	for at := time.Duration(0); at < d; at += step {
		out = append(out, shot{step, 2000 + fact.Temp(len(out)%2), 2000 + fact.Temp(at.Seconds()*float64(perSecond))})
	}
	last := out[len(out)-1].ambient
	return join(out, []shot{{step, 3340, last}, {step, 3341, last}, {step, 3340, last}, {step, 3341, last},
		{step, 3340, last}, {step, 3341, last}})
}

func TestASensorInTheSunMeasuresNobody(t *testing.T) {
	for name, c := range map[string]struct {
		warms time.Duration
		rate  fact.Temp // hundredths of a degree a second
		drift bool
	}{
		"air in a room":             {time.Minute, 1, false},
		"just as fast as it may":    {time.Minute, 2, false},
		"sun on the housing":        {time.Minute, 6, true},
		"a cold draught":            {time.Minute, -6, true},
		"the sun has just come out": {5 * time.Second, 15, true},
		"an agent has just begun":   {2 * time.Second, 6, false},
	} {
		got, _ := play(warming(c.warms, c.rate)...)
		if len(got) != 1 || got[0].Drift != c.drift {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Twenty seconds after the last change the sensor has settled.
func TestASensorThatHasSettledMeasures(t *testing.T) {
	step1 := join(same(30, 2000, 2000), same(1, 2000, 2000+steadyWithin+1))
	for seconds, drift := range map[int]bool{10: true, 19: true, 22: false} {
		shots := step1
		for range int(time.Duration(seconds) * time.Second / step) {
			shots = append(shots, shot{step, 2000, 2000 + steadyWithin + 1})
		}
		got, _ := play(join(shots, same(6, 3340, 2000+steadyWithin+1))...)
		if len(got) != 1 || got[0].Drift != drift {
			t.Errorf("after %d s: %+v", seconds, got)
		}
	}
}

// A value that rises from sample to sample has not arrived yet, however close the
// samples are; one that never arrives is reported as unsettled.
func TestASlowRiseIsNoPlateau(t *testing.T) {
	rise := func(n int, by fact.Temp) (out []shot) {
		for i := range n {
			out = append(out, shot{step, 3300 + fact.Temp(i)*by, 2000})
		}
		return out
	}
	empty := same(20, 2000, 2000)
	if got, _ := play(join(empty, rise(60, 4))...); len(got) != 0 {
		t.Errorf("it settles on the way: %+v", got)
	}
	if got, _ := play(join(empty, rise(90, 4))...); len(got) != 1 || got[0].Settled {
		t.Errorf("it rises for ever: %+v", got)
	}
	top := fact.Temp(3300 + 29*4)
	if got, _ := play(join(empty, rise(30, 4), same(6, top, 2000))...); len(got) != 1 || !got[0].Settled ||
		got[0].Object != top {
		t.Errorf("it arrives: %+v", got)
	}
	if got, _ := play(join(empty, rise(60, 2))...); len(got) == 0 || !got[0].Settled {
		t.Errorf("noise counts as a rise: %+v", got)
	}
}
