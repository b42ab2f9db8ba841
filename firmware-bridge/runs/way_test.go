package runs

import (
	"math"
	"slices"
	"testing"
	"time"
)

// A position is reached at 20 m and 70 m for each second, and moved to after 10 s.
func TestAPositionTooFarAwayIsAJump(t *testing.T) {
	type take struct {
		at     float64 // seconds
		metres float64 // to the north
		found  Fix
		gone   float64 // metres
	}
	for name, c := range map[string][]take{
		"20 m at once":         {{0, 0, Reached, 0}, {0, 19.99, Reached, 19.99}},
		"more at once":         {{0, 0, Reached, 0}, {0, 20.01, Jumped, 0}},
		"90 m in a second":     {{0, 0, Reached, 0}, {1, 89.99, Reached, 89.99}},
		"more in a second":     {{0, 0, Reached, 0}, {1, 90.01, Jumped, 0}},
		"160 m in two seconds": {{0, 0, Reached, 0}, {2, 159.99, Reached, 159.99}},
		"more in two seconds":  {{0, 0, Reached, 0}, {2, 160.01, Jumped, 0}},
		"there and back": {{0, 0, Reached, 0}, {1, 5000, Jumped, 0}, {2, 4, Reached, 4},
			{3, 5000, Jumped, 0}, {12.9, 5000, Jumped, 0}},
		"it stays there": {{0, 0, Reached, 0}, {1, 5000, Jumped, 0}, {10.999, 5000, Jumped, 0},
			{11, 5000, Moved, 0}, {12, 5003, Reached, 3}},
	} {
		var w Way
		for _, x := range c {
			p := north(x.metres)
			gone, found := w.Take(p.Lat, p.Lon, time.Hour+time.Duration(x.at*1e9))
			if found != x.found || math.Abs(gone-x.gone) > 1e-6 {
				t.Errorf("%s, at %g s: %g m, %v; want %g m, %v", name, x.at, gone, found, x.gone, x.found)
			}
		}
	}
}

func TestThinKeepsWhatDrawsATrack(t *testing.T) {
	for name, c := range map[string]struct {
		metres []float64 // to the east, of points 10 m apart to the north
		on     string    // + where it works
		want   []int
	}{
		"nothing":         {nil, "", nil},
		"one point":       {[]float64{0}, "+", []int{0}},
		"two":             {[]float64{0, 0}, "+-", []int{0, 1}},
		"two at work":     {[]float64{0, 0}, "++", []int{0, 1}},
		"a straight line": {[]float64{0, 0, 0, 0, 0}, "+++++", []int{0, 4}},
		"a bend":          {[]float64{0, 0, 5, 0, 0}, "-----", []int{0, 1, 2, 3, 4}},
		"within 2 m":      {[]float64{0, 0, 1, 0, 0}, "-----", []int{0, 4}},
		"it begins":       {[]float64{0, 0, 0, 0, 0, 0}, "---+++", []int{0, 3, 5}},
		"for one point":   {[]float64{0, 0, 0, 0, 0, 0}, "--+---", []int{0, 2, 3, 5}},
		"at the last":     {[]float64{0, 0, 0, 0}, "---+", []int{0, 3}},
		"at the second":   {[]float64{0, 0, 0, 0}, "-+++", []int{0, 1, 3}},
	} {
		var track []Point
		for i, m := range c.metres {
			p := north(float64(10 * i))
			track = append(track, Point{p.Lat, p.Lon + m*perMetre, c.on[i] == '+'})
		}
		if got := Thin(track, 2); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
