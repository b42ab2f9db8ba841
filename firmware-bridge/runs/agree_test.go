package runs

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// contradictions are the sentences about a run that can't both be true.
func contradictions(r Run, cfg Config) (out []string) {
	is := func(b *bool, want bool) bool { return b != nil && *b == want }
	never := func(when bool, what string) {
		if when {
			out = append(out, what)
		}
	}
	e, why := r.Evidence, func(code string) bool { return slices.Contains(r.Reasons, code) }
	litres, fell := 0.0, math.NaN()
	if l := r.Litres(); l != nil {
		litres = *l
	}
	if r.TankFell != nil {
		fell = *r.TankFell
	}
	never((e.Flowed == nil) != (r.Litres() == nil), "flowed and litres")
	never((e.TankFell == nil) != (r.TankFell == nil), "tank fell, without litres")
	never(r.Unasked < 0 || r.Unasked > litres+1e-9, fmt.Sprintf("%g of %g L were not asked for", r.Unasked, litres))
	never((e.Moved != nil && !*e.Moved) != why(ReasonStill), "moved and its reason")
	never(e.Moved != nil && why(ReasonNoFix), "it moved, and had no position")
	switch r.Grade {
	case Proven:
		never(!is(e.Flowed, true) || !is(e.TankFell, true) || is(e.Commanded, false), "proven by what?")
		never(!why(ReasonAgrees), "proven, and nothing agrees")
	case Measured:
		never(!is(e.Flowed, true) || is(e.Commanded, false), "measured, and nothing flowed, or nobody told it to")
	case Dry:
		never(is(e.TankFell, true) || !is(e.Flowed, false) && !why(ReasonTankFull), "dry by whom?")
		never(!is(e.Commanded, true), "dry, and not told to run")
	case Leak:
		never(!is(e.Flowed, true) || !why(ReasonUnasked), "a leak, and nothing flowed")
		never(e.Commanded == nil, "a leak, and the command is not known")
		never(is(e.Commanded, true) && r.Unasked < 0.3, "a leak of what was asked for")
	case Unproven:
		never(is(e.Flowed, false), "unproven, and somebody measured that nothing flowed")
		never(!why(ReasonNoSensor) && !why(ReasonUnmeasured), "unproven, and it was measured")
	case Disputed:
		never(e.TankFell == nil && !why(ReasonMeters), "disputed with whom?")
	}
	never(why(ReasonTankFull) && (!is(e.TankFell, false) || is(e.Flowed, false)), "the tank did not fall, and fell")
	never(why(ReasonSensorMute) && (!is(e.TankFell, true) || !is(e.Flowed, false)),
		"the tank fell without flow, and it flowed")
	never(why(ReasonNoTank) && r.TankFirst != nil, "there is no tank, and it has a level")
	unlike := math.Abs(fell-litres) > max(0.25*litres, 1, 0.05*cfg.TankLitres)
	never(why(ReasonSmall) && unlike, "too little to tell, and the tank tells otherwise")
	never(why(ReasonDiffers) && math.Abs(fell-litres) <= 1, "flow and tank differ, and are the same")
	return out
}

// uncounted are numbers of a run that are not of the samples it says to be of.
func uncounted(r Run, cfg Config, samples []Sample) (out []string) {
	never := func(when bool, what string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(what, args...))
		}
	}
	never(r.Since.After(r.Start) || r.Start.After(r.End) || r.End.After(r.Until),
		"times: %s %s %s %s", r.Since, r.Start, r.End, r.Until)
	var on, last time.Duration
	for i, w := range r.Work {
		never(w.To <= w.From || i > 0 && w.From <= last || w.From < 0, "span %d: %v after %s", i, w, last)
		last = w.To
		on += w.To - w.From
	}
	until := r.Until.Sub(r.Start)
	never(last > until, "it worked until %s, and was counted until %s", last, until)
	never(len(r.Work) < maxSpans && on != r.On, "it is drawn for %s, and was on for %s", on, r.On)
	if r.TankFirst == nil {
		return out
	}
	var levels []float64
	for _, s := range samples {
		if s.Tank != nil && !s.At.Before(r.Since) && !s.At.After(r.Until) {
			levels = append(levels, *s.Tank)
		}
	}
	never(!slices.Contains(levels, *r.TankFirst) || !slices.Contains(levels, *r.TankLast),
		"the tank was never at %g or %g", *r.TankFirst, *r.TankLast)
	never((r.Refills == 0) != (r.Refilled == 0), "%d refills of %g %%", r.Refills, r.Refilled)
	if r.TankFell != nil {
		sum := (*r.TankFirst + r.Refilled - *r.TankLast) / 100 * cfg.TankLitres
		never(math.Abs(sum-*r.TankFell) > 1e-6,
			"%g + %g - %g %% are %g L, not %g", *r.TankFirst, r.Refilled, *r.TankLast, sum, *r.TankFell)
	}
	return out
}

// anyMachine plays a machine of which anything may be missing, stuck or wrong.
func anyMachine(t *rapid.T) (Config, []Sample) {
	cfg := Config{Machine: "m", Idle: 5 * time.Second, Pause: time.Minute}
	cfg.TankLitres = rapid.SampledFrom([]float64{0, 5, 20, 600}).Draw(t, "size")
	c := newScript()
	c.size = max(20, cfg.TankLitres)
	lat := c.lat
	for range rapid.IntRange(1, 8).Draw(t, "parts") {
		lpm := rapid.SampledFrom([]float64{0, 0, 0.01, 0.06, 0.4, 3, 30}).Draw(t, "lpm")
		seconds := rapid.IntRange(1, 90).Draw(t, "seconds")
		every := rapid.SampledFrom([]int{1, 1, 1, 2, 5, 20}).Draw(t, "every")
		if rapid.IntRange(0, 5).Draw(t, "silent") == 0 {
			c.silent(seconds, lpm)
			continue
		}
		switch rapid.IntRange(0, 7).Draw(t, "before") {
		case 0:
			c.tank = rapid.Float64Range(0, 100).Draw(t, "refilled to")
		case 1:
			c.volume = rapid.SampledFrom([]float64{0, 1e6}).Draw(t, "counter")
		case 2:
			lat += rapid.Float64Range(-0.1, 0.1).Draw(t, "jump")
		}
		command := rapid.SampledFrom([]*bool{nil, new(true), new(true), new(false), new(false)}).Draw(t, "command")
		lacks := rapid.IntRange(0, 15).Draw(t, "lacks")
		stuck := rapid.SampledFrom([]float64{-1, -1, -1, 0, 3}).Draw(t, "stuck at")
		speed := rapid.SampledFrom([]float64{0, 1, 5}).Draw(t, "m/s")
		c.play(seconds, false, lpm, func(s *Sample) {
			s.Command = command
			lat += speed / 111_000
			s.Lat = new(lat)
			if stuck >= 0 {
				s.Flow = &stuck
			}
			if lacks&1 != 0 {
				s.Flow = nil
			}
			if lacks&2 != 0 {
				s.Volume = nil
			}
			if lacks&12 == 4 {
				s.Tank = nil
			}
			if lacks&12 == 8 {
				s.Lat, s.Lon = nil, nil
			}
			c.tank = max(0, c.tank) // silent does not look
			if s.Tank != nil {
				s.Tank = new(max(0, *s.Tank))
			}
		})
		if n := len(c.samples); every > 1 && n >= seconds {
			kept := c.samples[:n-seconds]
			for i := n - seconds; i < n; i += every {
				kept = append(kept, c.samples[i])
			}
			c.samples = kept
		}
	}
	return cfg, c.samples
}

// Whatever a machine says, at any moment: the sentences about its run do not
// contradict each other, its grade or its numbers.
func TestARunNeverContradictsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, samples := anyMachine(t)
		tracker := New(cfg)
		look := func(r Run) {
			if bad := append(contradictions(r, cfg), uncounted(r, cfg, samples)...); len(bad) > 0 {
				t.Fatalf("%q\n%s, %g L of which %g unasked, evidence %s, %v\n%+v",
					bad, r.Grade, deref(r.Litres()), r.Unasked, said(r.Evidence), r.Reasons, r)
			}
		}
		for _, s := range samples {
			for _, e := range tracker.Observe(s) {
				look(e.Run)
			}
			if open, _ := tracker.Open(); open {
				look(tracker.Run())
			}
		}
	})
}

func deref(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

func said(e Evidence) string {
	one := func(b *bool) string {
		if b == nil {
			return "?"
		}
		return fmt.Sprint(*b)
	}
	return fmt.Sprintf("commanded %s, flowed %s, tank fell %s, moved %s",
		one(e.Commanded), one(e.Flowed), one(e.TankFell), one(e.Moved))
}

// Such a run was once reported with a tank that fell by 9.0 L, from 100 % to 100 %.
func TestTheRefillAfterTheLastSortieDoesNotCount(t *testing.T) {
	stuck := func(s *Sample) { s.Flow, s.Volume = new(9.0), nil }
	c := newScript()
	c.tank = 100
	c.play(5, false, 0).play(60, true, 9).play(20, false, 0, stuck)
	c.tank = 100
	c.play(30, false, 0, stuck)
	got := Segment(small, c.samples)
	if len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	r := got[0]
	if *r.TankFirst != 100 || math.Abs(*r.TankLast-55) > 0.1 || math.Abs(*r.TankFell-9) > 0.1 {
		t.Errorf("the tank fell %g L, %g to %g %%; want 9 L, 100 to 55 %%", *r.TankFell, *r.TankFirst, *r.TankLast)
	}
	if r.Grade != Disputed || slices.Contains(r.Reasons, ReasonTankFull) {
		t.Errorf("graded %s, %v", r.Grade, r.Reasons)
	}
}
