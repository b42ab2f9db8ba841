package sense

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
)

var t0 = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)

const (
	step  = 70 * time.Millisecond // 14 samples a second
	limit = 3410                  // a fever of 37.30 with an offset of 3.20
)

// scene is a series of samples, step by step.
type scene struct {
	at      time.Time
	samples []devices.Sample
	wobble  fact.Temp
}

func newScene() *scene { return (&scene{at: t0}).see(2000, 2*time.Second) }

func (s *scene) see(object fact.Temp, d time.Duration) *scene {
	for end := s.at.Add(d); s.at.Before(end); s.at = s.at.Add(step) {
		s.wobble = 2 - s.wobble // a live sensor's last digit moves
		s.samples = append(s.samples, devices.Sample{At: s.at, Object: object - s.wobble, Ambient: 2000})
	}
	return s
}

func (s *scene) silence(d time.Duration) *scene { s.at = s.at.Add(d); return s }

func (s *scene) measure() (out []Measurement, m *Meter) {
	m = NewMeter(limit)
	for _, x := range s.samples {
		if got, ok := m.Observe(x); ok {
			out = append(out, got)
		}
	}
	return out, m
}

type want struct {
	object     fact.Temp
	settled    bool
	supersedes bool
}

func TestMeasurements(t *testing.T) {
	for name, c := range map[string]struct {
		scene *scene
		want  []want
	}{
		"nobody": {newScene(), nil},
		"a person is measured once": {newScene().see(3340, 3*time.Second).see(2000, time.Second),
			[]want{{3340, true, false}}},
		"the ramp is not the value": {newScene().see(2500, step).see(2900, step).see(3200, step).see(3340,
			time.Second).see(2000, time.Second), []want{{3340, true, false}}},
		"two people with a gap": {newScene().see(3340, time.Second).see(2000, time.Second).see(3300,
			time.Second), []want{{3340, true, false}, {3300, true, false}}},
		"too short": {newScene().see(3340, 4*step).see(2000, time.Second),
			[]want{{3340, false, false}}},
		"something passing by": {newScene().see(3340, 2*step).see(2000, time.Second), nil},
		"a hot drink":          {newScene().see(5500, 3*time.Second).see(2000, time.Second), nil},
		"a cold forehead is measured": {newScene().see(2950, time.Second).see(2000, time.Second),
			[]want{{2950, true, false}}},
		"a fever that shows late": {newScene().see(3340, time.Second).see(3480, time.Second).see(2000,
			time.Second), []want{{3340, true, false}, {3480, true, true}}},
		"one that creeps to the limit": {newScene().see(3400, time.Second).see(3410, time.Second).see(2000,
			time.Second), []want{{3400, true, false}, {3410, true, true}}},
		"one close behind, warmer": {newScene().see(3340, time.Second).see(3200, time.Second).see(3500, time.Second),
			[]want{{3340, true, false}, {3500, true, true}}},
		"one right behind, as warm": {newScene().see(3340, time.Second).see(2000, 2*step).see(3340, time.Second),
			[]want{{3340, true, false}, {3340, true, false}}},
		"one right behind, warmer": {newScene().see(3340, time.Second).see(2000, 2*step).see(3480, time.Second),
			[]want{{3340, true, false}, {3480, true, false}}},
		"one right behind, cooler": {newScene().see(3480, time.Second).see(2000, 2*step).see(3340, time.Second),
			[]want{{3480, true, false}, {3340, true, false}}},
		"a glance before it settles": {newScene().see(3340, 4*step).see(2000, 2*step).see(3340, time.Second),
			[]want{{3340, true, false}}},
		"samples stop half way": {newScene().see(3340, 4*step).silence(3*time.Second).see(2000, time.Second),
			[]want{{3340, false, false}}},
		"samples stop, then another": {newScene().see(3340, time.Second).silence(3*time.Second).see(3500, time.Second),
			[]want{{3340, true, false}, {3500, true, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := c.scene.measure()
			if len(got) != len(c.want) {
				t.Fatalf("got %d measurements, want %d: %+v", len(got), len(c.want), got)
			}
			for i, w := range c.want {
				if g := got[i]; g.Object != w.object || g.Settled != w.settled || g.Supersedes != w.supersedes ||
					g.Background < 1990 || g.Background > 2000 {
					t.Errorf("measurement %d is %+v, want %+v", i, g, w)
				}
			}
		})
	}
}

func TestAValueSettlesWithinHalfASecondOfThePlateau(t *testing.T) {
	s := newScene()
	came := s.at
	got, _ := s.see(3340, 3*time.Second).measure()
	if len(got) != 1 || got[0].At.Sub(came) > 500*time.Millisecond {
		t.Fatalf("got %+v, the person came at %s", got, came)
	}
}

func TestWhoNeverStandsStillIsToldOnceAfterFiveSeconds(t *testing.T) {
	s := newScene()
	for range 60 {
		s.see(3300, step).see(3360, step)
	}
	got, _ := s.measure()
	if len(got) != 1 || got[0].Settled || got[0].Duration < unsettledAfter {
		t.Fatalf("got %+v", got)
	}
}

func TestWhoStandsStillAtLastIsTheSamePerson(t *testing.T) {
	s := newScene()
	for range 45 {
		s.see(3300, step).see(3360, step)
	}
	got, _ := s.see(3350, time.Second).measure()
	if len(got) != 2 || got[0].Settled || !got[1].Settled || !got[1].Supersedes {
		t.Fatalf("got %+v", got)
	}
}

func TestAPersonAtTheVeryStartIsSeenAgainstTheAir(t *testing.T) {
	got, _ := (&scene{at: t0}).see(3340, time.Second).measure()
	if len(got) != 1 || !got[0].Settled || got[0].Background != 2000 {
		t.Fatalf("got %+v", got)
	}
}

func TestWhatStandsForAMinuteBecomesTheBackground(t *testing.T) {
	s := newScene().see(3000, 62*time.Second)
	if got, m := s.measure(); len(got) != 1 || m.State() != Idle {
		t.Fatalf("got %+v, state %v", got, m.State())
	}
	got, _ := s.see(3400, time.Second).measure()
	if last := got[len(got)-1]; last.Object != 3400 || last.Background > 3000 || last.Background < 2990 {
		t.Fatalf("the person before it: %+v", last)
	}
}

func TestABackgroundAsWarmAsPeopleIsReported(t *testing.T) {
	if _, m := newScene().see(4000, 75*time.Second).measure(); !m.Hot() {
		t.Fatal("the meter holds a background of 40 °C to be fit for measuring")
	}
	if _, m := newScene().measure(); m.Hot() {
		t.Fatal("the meter holds a background of 20 °C to be hot")
	}
}

func TestASensorThatRepeatsItselfIsReported(t *testing.T) {
	m := NewMeter(limit)
	s := devices.Sample{Object: 2000, Ambient: 2000}
	for i := range 500 {
		s.At = t0.Add(time.Duration(i) * step)
		m.Observe(s)
		if want := s.At.Sub(t0) >= stuckAfter; m.Stuck() != want {
			t.Fatalf("after %s stuck is %v", s.At.Sub(t0), m.Stuck())
		}
	}
	s.At, s.Object = s.At.Add(step), 2002
	if m.Observe(s); m.Stuck() {
		t.Fatal("it moved and is still stuck")
	}
}

func TestAFeverThatStandsStillIsNeverMissed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newScene()
		for range rapid.IntRange(0, 8).Draw(t, "acts") {
			s.see(fact.Temp(rapid.IntRange(1500, 4400).Draw(t, "object")),
				time.Duration(rapid.IntRange(1, 40).Draw(t, "steps"))*step)
		}
		// A background the fever stands out from, then the fever.
		s.see(2000, 12*time.Second)
		fever := fact.Temp(rapid.IntRange(limit, 4400).Draw(t, "fever"))
		s.see(fact.Temp(rapid.IntRange(2300, limit).Draw(t, "first")),
			time.Duration(rapid.IntRange(0, 30).Draw(t, "steps"))*step)
		s.see(fever, time.Second)
		got, _ := s.measure()
		if len(got) == 0 || got[len(got)-1].Object < limit {
			t.Fatalf("a fever of %s gave %+v", fever, got)
		}
	})
}

func TestMeasurementsComeFromSamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, at := NewMeter(limit), t0
		seen := map[fact.Temp]bool{}
		for range rapid.IntRange(1, 300).Draw(t, "samples") {
			at = at.Add(time.Duration(rapid.IntRange(1, 1500).Draw(t, "ms")) * time.Millisecond)
			s := devices.Sample{At: at, Object: fact.Temp(rapid.IntRange(-7000, 38000).Draw(t, "object")),
				Ambient: 2000}
			if rapid.Bool().Draw(t, "skin") {
				s.Object = fact.Temp(rapid.IntRange(2800, 4500).Draw(t, "skin temperature"))
			}
			seen[s.Object] = true
			if got, ok := m.Observe(s); ok && (!seen[got.Object] || got.Object < skinMin || got.Object > skinMax ||
				got.Duration < 0 || got.Samples < glimpse) {
				t.Fatalf("impossible measurement %+v", got)
			}
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	samples := newScene().see(2000, 20*time.Second).see(3340, time.Second).see(2000, 20*time.Second).samples
	b.ReportAllocs()
	m := NewMeter(limit)
	for i := range b.N {
		s := samples[i%len(samples)]
		s.At = t0.Add(time.Duration(i) * step)
		m.Observe(s)
	}
}

// A sensor that has repeated one value since it was switched on, or came back, measures
// nobody, whatever its own temperature does.
func TestASensorThatOnlyRepeatsItselfMeasuresNobody(t *testing.T) {
	for name, ambient := range map[string]func(i int) fact.Temp{
		"all of it":                   func(int) fact.Temp { return 2200 },
		"but for its own temperature": func(i int) fact.Temp { return 2200 + fact.Temp(i%3) },
	} {
		m := NewMeter(limit)
		at := t0
		stuck := func(n int) {
			for i := range n {
				at = at.Add(step)
				if got, ok := m.Observe(devices.Sample{At: at, Object: 3340, Ambient: ambient(i)}); ok {
					t.Errorf("%s: it measures %+v", name, got)
				}
			}
		}
		if stuck(440); !m.Stuck() { // 31 s
			t.Errorf("%s: it is not stuck", name)
		}
		for _, x := range newScene().samples {
			x.At = x.At.Add(time.Minute)
			m.Observe(x)
			at = x.At
		}
		at = at.Add(5 * time.Second)
		stuck(20)
		if got, ok := m.Observe(devices.Sample{At: at.Add(step), Object: 3342, Ambient: 2200}); !ok || !got.Settled {
			t.Errorf("%s: once it moves it measures: %+v, %v", name, got, ok)
		}
	}
}
