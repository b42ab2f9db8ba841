package runs

import (
	"math"
	"testing"

	"gatehouse/firmware-bridge/geo"
)

// north returns the point so many metres to the north.
func north(metres float64) geo.Point { return geo.Point{Lat: metres * perMetre, Lon: 100} }

// The length of a leg of 10 m: by speed and time where that is within 1.7 times of the
// positions.
func TestTheLengthOfALeg(t *testing.T) {
	for name, c := range map[string]struct {
		path, driven, seconds float64
		blind                 bool
		want                  float64
	}{
		"by its speed":                    {12, 11, 10, false, 11},
		"the speed was not known":         {12, 11, 10, true, 10},
		"the speed says too little":       {12, 5.8, 10, false, 10},
		"just enough":                     {12, 5.9, 10, false, 5.9},
		"the speed is in another unit":    {12, 20.5, 10, false, 12},
		"just not":                        {12, 20.3, 10, false, 20.3},
		"it stands, the speed is noise":   {30, 18, 40, false, 10},
		"it stands, and may have moved":   {30, 16.9, 40, false, 16.9},
		"it stands, and has gone around":  {11, 18.9, 38, false, 10},
		"as slow as one that moves":       {11, 19, 38, false, 11},
		"as slow as one that moves, bent": {30, 20, 40, false, 20},
	} {
		l := leg{from: north(0), path: share{all: c.path}, driven: c.driven, seconds: c.seconds, blind: c.blind}
		if got := l.length(north(10)); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: %g m, want %g", name, got, c.want)
		}
	}
}

// At 1.7 times the speed is believed still.
func TestTheLengthOfALegAtItsLimits(t *testing.T) {
	l := leg{from: north(0), path: share{all: 10}, driven: believed * 10, seconds: 1}
	if got := l.length(north(0)); got != believed*10 {
		t.Errorf("as the path: %g m", got)
	}
	straight := geo.Distance(north(0), north(10))
	l = leg{from: north(0), path: share{all: 100}, driven: believed * straight, seconds: 1000}
	if got := l.length(north(10)); got != believed*straight {
		t.Errorf("standing, as the straight line: %g m", got)
	}
	least := straight / believed
	for believed*least < straight { // division may round down
		least = math.Nextafter(least, straight)
	}
	l = leg{from: north(0), path: share{all: 100}, driven: least, seconds: 1}
	if got := l.length(north(10)); got != least {
		t.Errorf("the straight line, as driven: %g m of %g", got, straight)
	}
}

// Steps of other lengths than a second, and a receiver that says 0.5 m/s: it moves.
func TestTheOdometerCountsLegsOfAnyTime(t *testing.T) {
	for name, c := range map[string]struct {
		walk   func(w *walker)
		worked float64
		all    float64
	}{
		"it works for half a second, and rests for two": {func(w *walker) {
			w.walk(2, 0.5, 2, 0, -1, works)
			w.walk(1, 2, 1, 0, -1, rests)
		}, 1, 3},
		"a way by its speed": {func(w *walker) { w.walk(11, 0.8, 5, 0, 5, works) }, 40, 40},
		"there and back at 0.5 m/s": {func(w *walker) {
			w.walk(4, 1, 0.6, 0, 0.5, works)
			w.walk(3, 1, -0.6, 0, 0.5, works)
		}, 3, 3},
		"at 0.5 m/s, slower by its positions": {func(w *walker) { w.walk(9, 1, 0.2, 0, 0.5, works) }, 1.6, 1.6},
		"to and fro at 0.5 m/s": {func(w *walker) {
			w.walk(3, 1, 0.55, 0, 0.5, works)
			w.walk(2, 1, -0.55, 0, 0.5, works)
			w.walk(3, 1, 0.55, 0, 0.5, works)
		}, 3.5, 3.5},
		"a corner while it stands": {func(w *walker) {
			w.walk(11, 1, 0.15, 0, 0.3, works)
			w.walk(2, 1, 0, 0.1, 0.3, works)
		}, 1.513, 1.513},
		"standing, less than 10 m": {func(w *walker) {
			w.walk(2, 1, 9.9, 0, 0.1, works)
			w.walk(1, 1, -9.9, 0, 0.1, works)
		}, 0, 0},
		"standing, more than 10 m": {func(w *walker) {
			w.walk(2, 1, 10.1, 0, 0.1, works)
			w.walk(1, 1, -10.1, 0, 0.1, works)
		}, 20.2, 20.2},
	} {
		w := newWalker()
		c.walk(w)
		if got := w.total(); math.Abs(got.worked-c.worked) > 0.005 || math.Abs(got.all-c.all) > 0.005 {
			t.Errorf("%s: %.3f m at work of %.3f m, want %g of %g", name, got.worked, got.all, c.worked, c.all)
		}
	}
}

// A receiver of which one position is known only has gone no way when it moves.
func TestAMoveAfterOnePositionIsNoWay(t *testing.T) {
	w := newWalker()
	w.walk(1, 1, 0, 0, -1, works)
	w.north = 5000
	w.walk(12, 1, 0, 0, -1, works) // the jump is at 1 s, and believed from 11 s on
	if got := w.total(); got.all != 0 || !w.known || w.last.T.Seconds() != 12 {
		t.Errorf("%+v, the last position at %s", got, w.last.T)
	}
}
