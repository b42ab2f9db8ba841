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
	noFlow  bool // the meter has a counter alone
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
		if c.noFlow {
			s.Flow = nil
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

// keep returns the samples to keep of all, and the runs of all.
func keep(samples []Sample) (kept []Sample, want []Run) {
	all := New(small)
	for _, s := range samples {
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
	return kept, want
}

func TestTheSamplesToKeepMakeTheSameRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newScript()
		c.noMeter, c.noTank = rapid.Bool().Draw(t, "no meter"), rapid.Bool().Draw(t, "no tank")
		if c.noFlow = rapid.Bool().Draw(t, "no flow sensor"); c.noFlow {
			// How fast it counts is known by its first work: what crept before is not kept.
			c.play(5, false, 0).play(20, true, 3).play(5, false, 0)
		}
		for range rapid.IntRange(1, 12).Draw(t, "parts") {
			lpm := rapid.SampledFrom([]float64{0, 0, 0.4, 3}).Draw(t, "lpm")
			seconds := rapid.IntRange(1, 90).Draw(t, "seconds")
			if rapid.IntRange(0, 5).Draw(t, "silent") == 0 {
				c.silent(seconds, lpm)
			} else {
				c.play(seconds, rapid.Bool().Draw(t, "command"), lpm)
			}
		}
		kept, want := keep(c.samples)
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

// What a counter alone has counted in a silence is in doubt until three readings show
// it: all of these are kept. After more than a pause it counts from where it is.
func TestTheReadingsAfterASilenceAreKept(t *testing.T) {
	for silence, want := range map[int]float64{50: 4.5, 76: 1.9} { // 3 L/min, then 40 s of it
		c := newScript()
		c.noFlow, c.noTank = true, true
		c.play(30, false, 0).play(20, true, 0.4).play(80, false, 0).silent(silence, 3).play(40, false, 3)
		kept, all := keep(c.samples)
		got := Segment(small, kept)
		if len(got) != 2 || len(all) != 2 || got[1].ID != all[1].ID || *got[1].Meter != *all[1].Meter {
			t.Fatalf("%d s: %+v, from all %+v", silence, got, all)
		}
		if math.Abs(*got[1].Meter-want) > 0.06 {
			t.Errorf("%d s: %.2f L, want %.2f L", silence, *got[1].Meter, want)
		}
	}
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
