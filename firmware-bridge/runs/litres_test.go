package runs

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
)

// counted plays a machine whose counter flickers, comes late and is reset, and
// returns its samples and what has really flowed.
func counted(t *rapid.T, sensor bool) (samples []Sample, flowed float64) {
	zero := -rapid.SampledFrom([]float64{0, 5, 8000}).Draw(t, "begins at")
	jitter := rapid.SampledFrom([]float64{0, 0.001, 0.01}).Draw(t, "jitter")
	noise, late := rapid.Float64Range(0, 1), rapid.IntRange(0, 19)
	var shown []float64
	play := func(seconds int, on bool, lpm float64) {
		for range seconds {
			past := time.Duration(len(samples)) * time.Second
			shown = append(shown, flowed-zero+jitter*(noise.Draw(t, "noise")-0.5))
			value := shown[len(shown)-1]
			if n := len(shown); n > 3 && late.Draw(t, "late") == 0 {
				value = shown[n-2] // as it was a second before
			}
			s := Sample{At: noon.Add(past), T: time.Hour + past, Values: fact.Values{Command: &on, Volume: &value}}
			if sensor {
				s.Flow = &lpm
			}
			samples = append(samples, s)
			flowed += lpm / 60
		}
	}
	play(10, false, 0)
	for range rapid.IntRange(1, 4).Draw(t, "parts") {
		lpm := rapid.SampledFrom([]float64{0.6, 3, 30}).Draw(t, "lpm")
		play(rapid.IntRange(10, 40).Draw(t, "seconds"), true, lpm)
		if flowed-zero > 0.3 && rapid.IntRange(0, 2).Draw(t, "reset") == 0 { // of less it is noise
			play(4, true, 0)
			zero, shown = flowed, nil
			play(4, true, 0)
		}
	}
	play(12, false, 0)
	return samples, flowed
}

// The litres of a run are those that flowed, whatever its counter does, or its
// reasons say what is unknown; and noise is no leak.
func TestLitresOfARunAreRightOrSaidToBeUnknown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples, flowed := counted(t, rapid.Bool().Draw(t, "sensor"))
		got := Segment(Config{Machine: "m"}, samples)
		if len(got) != 1 || got[0].Meter == nil {
			t.Fatalf("%d runs: %+v", len(got), got)
		}
		r := got[0]
		said := slices.ContainsFunc(r.Reasons, func(code string) bool {
			return code == ReasonReset || code == ReasonJump || code == ReasonMeters
		})
		if math.Abs(*r.Meter-flowed) > 0.02*flowed+0.02 && !said || r.Grade == Leak || r.Unasked > 0.05 {

			t.Fatalf("%.3f L of %.3f, %.3f unasked: %s, %q", *r.Meter, flowed, r.Unasked, r.Grade, r.Reasons)
		}
	})
}

// Where the counter and the flow sensor disagree beyond what each may be off, the
// run is disputed; nothing else of them is.
func TestACounterAndAFlowSensorThatDisagree(t *testing.T) {
	for _, c := range []struct {
		counter  float64 // times what flowed
		disputed bool
	}{{0, true}, {0.7, true}, {0.85, false}, {1, false}, {1.15, false}, {1.4, true}, {3, true}} {
		s := newScript()
		s.noTank = true
		begin := s.volume
		s.play(10, false, 0).play(120, true, 6, func(x *Sample) {
			*x.Volume = begin + (*x.Volume-begin)*c.counter
		})
		got := Segment(small, s.samples)
		if len(got) != 1 {
			t.Fatalf("%g: %+v", c.counter, got)
		}
		r := got[0]
		if (r.Grade == Disputed) != c.disputed || slices.Contains(r.Reasons, ReasonMeters) != c.disputed {
			t.Errorf("%g times: %s %q, %.2f and %.2f L", c.counter, r.Grade, r.Reasons, *r.Meter, *r.Integrated)
		}
		if math.Abs(*r.Integrated-12) > 0.2 || math.Abs(*r.Meter-12*c.counter) > 0.2*c.counter+0.01 {
			t.Errorf("%g times: %.2f and %.2f L, want both to stand", c.counter, *r.Meter, *r.Integrated)
		}
	}
}

// What flowed before a counter was first read, or after it was last read, is by flow
// and time, and the run says so where that is more than next to nothing.
func TestACounterThatIsNotReadAllTheTime(t *testing.T) {
	// 10 s of rest, 2 s of command, 10 s of 12 L/min: 0.2 L a second, of which flow and
	// time see 0.1 L while it comes on, and 0.1 L more than there is while it goes off.
	for name, c := range map[string]struct {
		read   func(second int) bool
		want   float64
		partly bool
	}{
		"all the time":        {func(int) bool { return true }, 2, false},
		"never":               {func(int) bool { return false }, 2, false},
		"from its first flow": {func(s int) bool { return s >= 12 }, 0.1 + 1.8, true},
		"from the middle":     {func(s int) bool { return s >= 17 }, 1.1 + 0.8, true},
		"until the middle":    {func(s int) bool { return s < 17 }, 1 + 1.1, true},
		"every second time":   {func(s int) bool { return s%2 == 1 }, 2, false},
		"not in the middle":   {func(s int) bool { return s < 14 || s > 18 }, 2, false},
	} {
		s := newScript().play(10, false, 0).play(2, true, 0).play(10, true, 12).play(10, false, 0)
		for i := range s.samples {
			if !c.read(i) {
				s.samples[i].Volume = nil
			}
		}
		got := Segment(small, s.samples)
		if len(got) != 1 || got[0].Litres() == nil {
			t.Fatalf("%s: %+v", name, got)
		}
		litres, partly := *got[0].Litres(), slices.Contains(got[0].Reasons, ReasonUncounted)
		if math.Abs(litres-c.want) > 1e-6 || partly != c.partly {
			t.Errorf("%s: %.3f L, %q, want %.3f L", name, litres, got[0].Reasons, c.want)
		}
	}
}
