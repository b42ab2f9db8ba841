package runs

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
)

var noon = time.Date(2020, 2, 14, 4, 0, 0, 0, time.UTC)

// script plays a machine second by second.
type script struct {
	t       int
	volume  float64
	tank    float64
	size    float64
	lat     float64
	noMeter bool // no flow meter
	noTank  bool
	samples []Sample
}

func newScript() *script { return &script{volume: 100, tank: 90, size: 20, lat: 35.9} }

// play adds seconds at a time: commanded or not, and what really flows.
func (c *script) play(seconds int, command bool, lpm float64, do ...func(*Sample)) *script {
	for range seconds {
		c.volume += lpm / 60
		c.tank = max(0, c.tank-lpm/60/c.size*100)
		c.lat += 3.0 / 111_000
		past := time.Duration(c.t) * time.Second
		s := Sample{At: noon.Add(past), T: time.Hour + past, Values: fact.Values{
			Command: new(command), Lat: new(c.lat), Lon: new(115.1), Armed: new(true)}}
		if !c.noMeter {
			s.Flow, s.Volume = new(lpm), new(c.volume)
		}
		if !c.noTank {
			s.Tank = new(c.tank)
		}
		for _, f := range do {
			f(&s)
		}
		c.samples = append(c.samples, s)
		c.t++
	}
	return c
}

// silent lets seconds pass without a sample, while lpm flows.
func (c *script) silent(seconds int, lpm float64) *script {
	c.t += seconds
	c.volume += lpm * float64(seconds) / 60
	c.tank -= lpm / 60 / c.size * 100 * float64(seconds)
	return c
}

var small = Config{Machine: "drone-1", TankLitres: 20, Idle: 5 * time.Second, Pause: time.Minute}

func TestRunsAreFoundAndGraded(t *testing.T) {
	stuck := func(v float64) func(*Sample) { return func(s *Sample) { s.Flow, s.Volume = new(v), nil } }
	cases := map[string]struct {
		play    func(*script)
		grades  []Grade
		sorties int
		litres  float64 // of the first run; -1: not known
	}{
		"it flew and sprayed": {func(c *script) {
			c.play(10, false, 0).play(120, true, 3).play(10, false, 0)
		}, []Grade{Proven}, 1, 6},
		"nothing happened": {func(c *script) { c.play(300, false, 0) }, nil, 0, 0},
		"a dry nozzle": {func(c *script) {
			c.play(10, false, 0).play(60, true, 0).play(10, false, 0)
		}, []Grade{Dry}, 1, 0},
		"a leaking valve": {func(c *script) {
			c.play(10, false, 0).play(60, true, 3).play(50, false, 1.2)
		}, []Grade{Leak}, 1, 4},
		"a leak without any command": {func(c *script) {
			c.play(10, false, 0).play(90, false, 1)
		}, []Grade{Leak}, 1, 1.5},
		"a moment's noise is no leak": {func(c *script) {
			c.play(10, false, 0).play(2, false, 0.5).play(100, false, 0)
		}, nil, 0, 0},
		"no flow meter": {func(c *script) {
			c.noMeter = true
			c.play(10, false, 0).play(60, true, 3)
		}, []Grade{Unproven}, 1, -1},
		"no tank sensor": {func(c *script) {
			c.noTank = true
			c.play(10, false, 0).play(60, true, 3)
		}, []Grade{Measured}, 1, 3},
		"too little for the tank's sensor": {func(c *script) {
			c.play(10, false, 0).play(20, true, 3)
		}, []Grade{Measured}, 1, 1},
		"the sensor is mute, the tank falls": {func(c *script) {
			c.play(10, false, 0).play(120, true, 3, stuck(0))
		}, []Grade{Disputed}, 1, 0},
		"the sensor hangs, the tank is full": {func(c *script) {
			c.play(10, false, 0).play(120, true, 0, stuck(3))
		}, []Grade{Disputed}, 1, 5.95},
		"a refill: one task, two sorties": {func(c *script) {
			c.play(5, false, 0).play(120, true, 3).play(30, false, 0)
			c.tank = 95
			c.play(10, false, 0).play(120, true, 3)
		}, []Grade{Proven}, 2, 12},
		"two tasks": {func(c *script) {
			c.play(5, false, 0).play(90, true, 3).play(90, false, 0).play(90, true, 3)
		}, []Grade{Proven, Proven}, 1, 4.5},
		"the link is gone for 20 s": {func(c *script) {
			c.play(5, false, 0).play(60, true, 3).silent(20, 3).play(60, true, 3)
		}, []Grade{Proven}, 1, 7},
		"switched off without goodbye": {func(c *script) {
			c.play(5, false, 0).play(90, true, 3)
		}, []Grade{Proven}, 1, 4.5},
		"the counter is reset in mid-run": {func(c *script) {
			c.play(5, false, 0).play(60, true, 3)
			c.volume = 0
			c.play(60, true, 3)
		}, []Grade{Proven}, 1, 6},
		"the counter jumps": {func(c *script) {
			c.play(5, false, 0).play(60, true, 3)
			c.volume += 5e6
			c.play(60, true, 3)
		}, []Grade{Proven}, 1, 5.95},
		"a sample late at its end is no leak": {func(c *script) {
			c.noTank = true
			c.play(10, false, 0).play(20, true, 6).silent(8, 6).play(10, false, 0)
		}, []Grade{Measured}, 1, 2.8},
		"told to run, seldom heard": {func(c *script) {
			c.noTank = true
			for range 5 {
				c.play(1, true, 6).silent(19, 6)
			}
			c.play(1, false, 0)
		}, []Grade{Measured}, 1, 9.9},
		"a battery change: disarmed in between": {func(c *script) {
			c.play(60, true, 3).play(20, false, 0, func(s *Sample) { s.Armed = new(false) }).play(60, true, 3)
		}, []Grade{Proven}, 2, 6},
	}
	for name, c := range cases {
		s := newScript()
		c.play(s)
		got := Segment(small, s.samples)
		var grades []Grade
		for _, r := range got {
			grades = append(grades, r.Grade)
		}
		if !slices.Equal(grades, c.grades) {
			t.Errorf("%s: graded %v, want %v: %+v", name, grades, c.grades, got)
			continue
		}
		if len(got) == 0 {
			continue
		}
		r := got[0]
		if r.Sorties != c.sorties {
			t.Errorf("%s: %d sorties, want %d", name, r.Sorties, c.sorties)
		}
		if l := r.Litres(); (l == nil) != (c.litres < 0) || l != nil && math.Abs(*l-c.litres) > 0.02*c.litres+0.011 {
			t.Errorf("%s: %v litres, want %g", name, l, c.litres)
		}
	}
}

func TestWallClockStepsDoNotMoveARun(t *testing.T) {
	c := newScript().play(5, false, 0).play(60, true, 3)
	steady := Segment(small, c.samples)
	for i := range c.samples[30:] {
		c.samples[30+i].At = c.samples[30+i].At.Add(-3 * time.Hour)
	}
	stepped := Segment(small, c.samples)
	if len(stepped) != 1 {
		t.Fatalf("%+v", stepped)
	}
	got, want := stepped[0], steady[0]
	if !got.End.Equal(want.End) || *got.Meter != *want.Meter || got.End.Before(got.Start) {
		t.Errorf("%+v, without the step %+v", got, want)
	}
}

func TestJumpsOfAReceiverAreNoDistance(t *testing.T) {
	c := newScript().play(5, false, 0).play(60, true, 3)
	clean := Segment(small, c.samples)[0]
	for _, i := range []int{20, 21, 40} {
		c.samples[i].Lat = new(36.4) // 50 km away
	}
	r := Segment(small, c.samples)[0]
	if r.BadFixes != 3 || math.Abs(r.Distance-clean.Distance) > 1 {
		t.Errorf("%d bad fixes, %.1f m, want 3 and %.1f m", r.BadFixes, r.Distance, clean.Distance)
	}
	if clean.Distance < 170 || clean.Distance > 185 || !*clean.Evidence.Moved {
		t.Errorf("60 s at 3 m/s are %.1f m, moved %v", clean.Distance, *clean.Evidence.Moved)
	}
}

func TestAHungSensorIsNoEndlessLeak(t *testing.T) {
	c := newScript().play(5, false, 0).play(60, true, 3)
	c.play(600, false, 0, func(s *Sample) { s.Flow, s.Volume = new(3.0), nil })
	got := Segment(small, c.samples)
	if len(got) != 1 || got[0].Grade != Disputed || got[0].End.Sub(got[0].Start) > 3*time.Minute {
		t.Errorf("%+v", got)
	}
}

func TestImpossibleValuesAreTakenAway(t *testing.T) {
	for name, v := range map[string]fact.Values{
		"latitude 91":          {Lat: new(91.0), Lon: new(115.0)},
		"not a number":         {Lat: new(math.NaN()), Lon: new(115.0)},
		"0, 0":                 {Lat: new(0.0), Lon: new(0.0)},
		"half a position":      {Lat: new(35.0)},
		"tank of 300 %":        {Tank: new(300.0)},
		"negative flow":        {Flow: new(-1.0)},
		"flow is not a number": {Flow: new(math.NaN())},
		"infinite volume":      {Volume: new(math.Inf(1))},
	} {
		s := Sample{Values: v}
		if bad := s.Clean(); len(bad) != 1 || !s.Empty() {
			t.Errorf("%s: %v leaves %+v", name, bad, s)
		}
	}
	s := Sample{Values: fact.Values{Lat: new(35.9), Lon: new(115.1), Flow: new(0.0), Tank: new(100.0)}}
	if bad := s.Clean(); bad != nil || s.Flow == nil || s.Lat == nil {
		t.Errorf("good values: %v", bad)
	}
}

// What is kept finds the same runs: that is what a restarted bridge does.
func TestWhatIsKeptFindsTheSameRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newScript()
		c.noMeter, c.noTank = rapid.Bool().Draw(t, "no meter"), rapid.Bool().Draw(t, "no tank")
		for range rapid.IntRange(1, 12).Draw(t, "parts") {
			lpm := rapid.SampledFrom([]float64{0, 0, 0.4, 3}).Draw(t, "lpm")
			seconds := rapid.IntRange(1, 90).Draw(t, "seconds")
			if rapid.IntRange(0, 5).Draw(t, "silent") == 0 {
				c.silent(seconds, lpm)
			} else {
				c.play(seconds, rapid.Bool().Draw(t, "command"), lpm)
			}
		}
		all := New(small)
		var kept []Sample
		var want []Run
		for _, s := range c.samples {
			for _, e := range all.Tick(s.T) {
				want = append(want, e.Run)
			}
			kept = append(kept, all.Keep(s)...)
			for _, e := range all.Observe(s) {
				if e.Closed {
					want = append(want, e.Run)
				}
			}
		}
		for _, e := range all.Finish() {
			want = append(want, e.Run)
		}
		got := Segment(small, kept)
		if len(got) != len(want) {
			t.Fatalf("%d runs from what was kept, %d from all\n%+v\n%+v", len(got), len(want), got, want)
		}
		for i, r := range got {
			w := want[i]
			same := r.ID == w.ID && r.Grade == w.Grade && r.Sorties == w.Sorties &&
				r.Unasked == w.Unasked && r.End.Equal(w.End) && (r.Litres() == nil) == (w.Litres() == nil)
			if !same || r.Litres() != nil && math.Abs(*r.Litres()-*w.Litres()) > 1e-9 {
				t.Fatalf("from what was kept %+v, from all %+v", r, w)
			}
			if r.Distance < 0 || r.End.Before(r.Start) || r.Flowing < 0 || r.Unasked < 0 {
				t.Fatalf("%+v", r)
			}
		}
	})
}

func TestThinningKeepsEveryChangeOfTheWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var track []Point
		lat, lon := 35.9, 115.1
		step := rapid.Float64Range(-5, 5)
		for range rapid.IntRange(0, 300).Draw(t, "n") {
			lat += step.Draw(t, "north") / 111_000
			lon += step.Draw(t, "east") / 90_000
			track = append(track, Point{lat, lon, rapid.Bool().Draw(t, "on")})
		}
		keep := Thin(track, 2)
		if !slices.IsSorted(keep) || len(slices.Compact(slices.Clone(keep))) != len(keep) {
			t.Fatalf("%v", keep)
		}
		for i := range track {
			end := i == 0 || i == len(track)-1
			if (end || track[i].On != track[i-1].On) && !slices.Contains(keep, i) {
				t.Fatalf("point %d of %d is gone", i, len(track))
			}
		}
	})
}

func TestAFuserForgetsWhatIsOld(t *testing.T) {
	var f Fuser
	f.Take(Sample{T: time.Hour, Values: fact.Values{Flow: new(3.0), Lat: new(35.9), Lon: new(115.1)}})
	f.Take(Sample{T: time.Hour + 3*time.Second, Values: fact.Values{Tank: new(80.0)}})
	s, ok := f.Sample(noon, time.Hour+4*time.Second)
	if !ok || *s.Flow != 3 || *s.Tank != 80 || s.Lat == nil {
		t.Errorf("%+v", s)
	}
	if _, ok := f.Sample(noon, time.Hour+5*time.Second); ok {
		t.Error("nothing came, and it has a sample")
	}
	f.Take(Sample{T: time.Hour + 6*time.Second, Values: fact.Values{Tank: new(79.0)}})
	if s, _ := f.Sample(noon, time.Hour+6*time.Second); s.Flow != nil || s.Lat != nil || *s.Tank != 79 {
		t.Errorf("old values stay: %+v", s)
	}
}

// BenchmarkDay segments a day of a million samples.
func BenchmarkDay(b *testing.B) {
	c := newScript()
	for len(c.samples) < 1_000_000 {
		c.play(100, false, 0).play(600, true, 3).play(100, false, 0)
		c.tank = 90
	}
	b.ResetTimer()
	for b.Loop() {
		if len(Segment(small, c.samples)) < 1000 {
			b.Fatal("no runs")
		}
	}
	b.ReportMetric(float64(len(c.samples))*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
}
