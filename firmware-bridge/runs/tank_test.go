package runs

import (
	"math"
	"testing"
	"time"
)

// A level that rises by more than 5 percent is a refill; until the level falls for the
// first time the tank is being filled.
func TestALevelThatFallsAndRises(t *testing.T) {
	for name, c := range map[string]struct {
		levels              []float64
		first, fell, filled float64
		times               int
	}{
		"it falls":                    {[]float64{50, 45, 40}, 50, 10, 0, 0},
		"it rises by 5":               {[]float64{50, 40, 45, 38}, 50, 12, 0, 0},
		"it rises by more":            {[]float64{50, 40, 45.5}, 50, 10, 5.5, 1},
		"it falls after a refill":     {[]float64{50, 40, 45.5, 43}, 50, 12.5, 5.5, 1},
		"two refills":                 {[]float64{90, 50, 80, 60, 100, 95}, 90, 65, 70, 2},
		"it is still filled at first": {[]float64{50, 60, 70, 65}, 70, 5, 0, 0},
		"it is filled in steps":       {[]float64{50, 40, 60, 80, 75}, 50, 15, 40, 1},
	} {
		var k tank
		for _, level := range c.levels {
			k.add(level)
		}
		if k.first != c.first || k.fell() != c.fell || k.filled != c.filled || k.times != c.times ||
			k.low != c.levels[len(c.levels)-1] && name != "it rises by 5" {
			t.Errorf("%s: %+v, want %+v", name, k, c)
		}
	}
}

// The levels are litres where the tank's size is known.
func TestATankOfUnknownSizeHasNoLitres(t *testing.T) {
	for _, size := range []float64{0, 40} {
		tracker := New(Config{Machine: "m", TankLitres: size})
		for s, level := range []float64{80, 80, 75, 70} {
			tanked(tracker, s, s > 0, 0, level)
		}
		r := tracker.Run()
		if *r.TankFirst != 80 || *r.TankLast != 70 || (r.TankFell != nil) != (size > 0) {
			t.Errorf("%g L: %+v", size, r)
		}
		if r.TankFell != nil && math.Abs(*r.TankFell-4) > 1e-9 {
			t.Errorf("ten percent of 40 L are %g L", *r.TankFell)
		}
	}
}

// An empty tank ends a sortie.
func TestAnEmptyTankEndsASortie(t *testing.T) {
	for level, want := range map[float64]int{0: 2, 0.1: 1} {
		tracker := New(Config{Machine: "m", TankLitres: 20})
		tanked(tracker, 0, true, 0, 1)
		tanked(tracker, 1, true, 0, 0.5)
		tanked(tracker, 2, false, 0, level)
		tanked(tracker, 3, true, 0, level)
		if got := tracker.Run().Sorties; got != want {
			t.Errorf("%g %%: %d sorties, want %d", level, got, want)
		}
	}
}

// Of more spans than a run keeps those with the shortest pause between them are one.
func TestARunKeepsItsLongestPauses(t *testing.T) {
	second := func(s int) time.Duration { return time.Duration(s) * time.Second }
	for name, short := range map[string]int{"the first pause": 1, "one within": 77, "the last one": 200, "none": 0} {
		var list []Span
		for i := range maxSpans + 1 {
			from := second(10 * i)
			if i == short && i > 0 {
				from -= time.Millisecond // the pause before it is 5 s but for this
			}
			if list = join(list, Span{from, second(10*i + 5)}); i == maxSpans-1 && len(list) != maxSpans {
				t.Fatalf("%s: %d spans of %d", name, len(list), maxSpans)
			}
		}
		one := max(short, 1) // without a shorter one it is the first
		if len(list) != maxSpans || list[one-1] != (Span{second(10 * (one - 1)), second(10*one + 5)}) {
			t.Errorf("%s: %d spans, %v", name, len(list), list[one-1])
		}
		if list[0].From != 0 || list[maxSpans-1].To != second(10*maxSpans+5) {
			t.Errorf("%s: begins with %v and ends with %v", name, list[0], list[maxSpans-1])
		}
	}
	if got := join([]Span{{0, second(5)}}, Span{second(5), second(9)}); len(got) != 1 || got[0].To != second(9) {
		t.Errorf("without a pause: %v", got)
	}
}
