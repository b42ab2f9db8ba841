package sense

import (
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
)

// shot is a sample, with the time since the one before.
type shot struct {
	after   time.Duration
	object  fact.Temp
	ambient fact.Temp
}

// play gives a new meter samples, and returns what it measures and its last state.
func play(shots ...shot) (out []Measurement, m *Meter) {
	m = NewMeter(limit)
	at := t0
	for _, x := range shots {
		at = at.Add(x.after)
		if got, ok := m.Observe(devices.Sample{At: at, Object: x.object, Ambient: x.ambient}); ok {
			out = append(out, got)
		}
	}
	return out, m
}

// same is n equal samples, a step apart.
func same(n int, object, ambient fact.Temp) (out []shot) {
	for range n {
		out = append(out, shot{step, object, ambient})
	}
	return out
}

func join(parts ...[]shot) (out []shot) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func TestTheLimitsOfWhoIsAPerson(t *testing.T) {
	for name, c := range map[string]struct {
		background, ambient, object fact.Temp
		measured, hot               bool
	}{
		"as cold as skin can be":        {2000, 2000, skinMin, true, false},
		"colder":                        {2000, 2000, skinMin - 1, false, false},
		"as warm as skin can be":        {2000, 2000, skinMax, true, false},
		"warmer":                        {2000, 2000, skinMax + 1, false, false},
		"just above the background":     {2700, 2600, 2700 + rise, true, false},
		"not above it":                  {2700, 2600, 2700 + rise - 1, false, false},
		"before a hot background":       {hotBackground, hotBackground, hotBackground + rise, true, true},
		"before one that is not so hot": {hotBackground - 1, hotBackground, hotBackground + rise, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, m := play(same(20, c.background, c.ambient)...)
			if m.Hot() != c.hot {
				t.Errorf("hot is %v", m.Hot())
			}
			got, _ := play(join(same(20, c.background, c.ambient), same(10, c.object, c.ambient))...)
			if len(got) == 1 != c.measured {
				t.Fatalf("got %+v", got)
			}
			if c.measured && (got[0].Object != c.object || got[0].Background != c.background ||
				got[0].HotBackground != c.hot || !got[0].Settled || got[0].Samples != settleCount ||
				got[0].Duration != (settleCount-1)*step) {
				t.Fatalf("got %+v", got[0])
			}
		})
	}
}

func TestTheLimitsOfAPlateau(t *testing.T) {
	empty := same(20, 2000, 2000)
	edge := func(low fact.Temp) []shot { return join(empty, same(4, 3340, 2000), same(1, low, 2000)) }
	if got, _ := play(edge(3340 - settleSpread)...); len(got) != 1 || got[0].Object != 3340 {
		t.Errorf("just close enough: %+v", got)
	}
	if got, _ := play(edge(3340 - settleSpread - 1)...); len(got) != 0 {
		t.Errorf("just too far apart: %+v", got)
	}
	if got, _ := play(join(empty, same(9, 3300, 2000), same(5, 3300+higher, 2000))...); len(got) != 2 {
		t.Errorf("just so much higher: %+v", got)
	}
	if got, _ := play(join(empty, same(9, 3300, 2000), same(5, 3300+higher-1, 2000))...); len(got) != 1 {
		t.Errorf("not so much higher: %+v", got)
	}
	// Of equal values the newest sample of a plateau counts, and the first of a peak.
	five := []shot{{step, 3340, 2001}, {step, 3340, 2002}, {step, 3340, 2003}, {step, 3340, 2004}, {step, 3340, 2005}}
	if got, _ := play(join(empty, five)...); len(got) != 1 || got[0].Ambient != 2005 {
		t.Errorf("the plateau: %+v", got)
	}
	if got, _ := play(join(empty, five[:3], same(9, 2000, 2000))...); len(got) != 1 || got[0].Ambient != 2001 {
		t.Errorf("the peak: %+v", got)
	}
}

func TestTheLimitsOfTime(t *testing.T) {
	empty := same(20, 2000, 2000)
	four := join(empty, same(4, 3340, 2000))
	if got, _ := play(join(four, []shot{{gapAfter, 3340, 2000}})...); len(got) != 1 || !got[0].Settled {
		t.Errorf("a second without samples: %+v", got)
	}
	if got, _ := play(join(four, []shot{{gapAfter + 1, 3340, 2000}})...); len(got) != 1 || got[0].Settled {
		t.Errorf("more than a second: %+v", got)
	}
	aside := join(four, []shot{{step, 2000, 2000}})
	if got, m := play(join(aside, []shot{{awayFor - 1, 2000, 2000}})...); len(got) != 0 || m.State() != Measuring {
		t.Errorf("a glance aside: %+v", got)
	}
	if got, m := play(join(aside, []shot{{awayFor, 2000, 2000}})...); len(got) != 1 || m.State() != Idle {
		t.Errorf("gone: %+v", got)
	}
	if got, _ := play(join(empty, same(glimpse, 3340, 2000), same(9, 2000, 2000))...); len(got) != 1 {
		t.Errorf("three samples: %+v", got)
	}
	if got, _ := play(join(empty, same(glimpse-1, 3340, 2000), same(9, 2000, 2000))...); len(got) != 0 {
		t.Errorf("two samples: %+v", got)
	}
}

func TestTheLimitsOfStandingStill(t *testing.T) {
	stay := func(n int, every time.Duration, a, b fact.Temp) (out []shot) {
		for i := range n {
			out = append(out, shot{every, []fact.Temp{a, b}[i%2], 2000})
		}
		return out
	}
	empty := same(20, 2000, 2000)
	if got, _ := play(join(empty, stay(51, 100*time.Millisecond, 3300, 3360))...); len(got) != 0 {
		t.Errorf("after five seconds: %+v", got)
	}
	if got, _ := play(join(empty, stay(52, 100*time.Millisecond, 3300, 3360))...); len(got) != 1 {
		t.Errorf("after more than five seconds: %+v", got)
	}
	if _, m := play(join(empty, stay(61, time.Second, 3300, 3302))...); m.State() != Measured {
		t.Errorf("after a minute the state is %v", m.State())
	}
	if _, m := play(join(empty, stay(62, time.Second, 3300, 3302))...); m.State() != Idle {
		t.Errorf("after more than a minute the state is %v", m.State())
	}
	if _, m := play(join(same(1, 2000, 2000), stay(300, 100*time.Millisecond, 2000, 2000))...); !m.Stuck() {
		t.Error("the same value for half a minute is not stuck")
	}
	if _, m := play(join(same(1, 2000, 2000), stay(299, 100*time.Millisecond, 2000, 2000))...); m.Stuck() {
		t.Error("the same value for less is stuck")
	}
	if _, m := play(shot{0, 2000, 2000}, shot{backgroundSpan, 2000, 2000}); len(m.past) != 2 {
		t.Errorf("of ten seconds %d samples are kept", len(m.past))
	}
	if _, m := play(shot{0, 2000, 2000}, shot{backgroundSpan + 1, 2000, 2000}); len(m.past) != 1 {
		t.Errorf("of more than ten seconds %d samples are kept", len(m.past))
	}
}
