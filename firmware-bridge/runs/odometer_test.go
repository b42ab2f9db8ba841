package runs

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

// perMetre is the degrees of latitude of a metre, as package geo measures them.
const perMetre = 180 / (math.Pi * 6371008.8)

// walker moves an odometer north and east, metre by metre.
type walker struct {
	odometer
	t           time.Duration
	north, east float64
	jitter      float64
	dice        *rand.Rand
}

func newWalker() *walker { return &walker{dice: rand.New(rand.NewPCG(1, 2))} }

// walk moves for a number of steps of so many seconds, at m/s north and east; speed
// is what the receiver says of it, below 0: nothing. share is of a second.
func (w *walker) walk(steps int, seconds, north, east, speed float64, share share) {
	for range steps {
		if w.known {
			w.t += time.Duration(seconds * float64(time.Second))
			w.north, w.east = w.north+north*seconds, w.east+east*seconds
			part := share
			part.all, part.told, part.worked, part.undecided = seconds*share.all, seconds*share.told,
				seconds*share.worked, seconds*share.undecided
			w.pass(part)
		}
		noise := func() float64 { return w.jitter * (2*w.dice.Float64() - 1) }
		s := Sample{T: w.t, Values: fact.Values{Lat: new((w.north + noise()) * perMetre),
			Lon: new(100 + (w.east+noise())*perMetre)}} // on the equator
		if speed >= 0 {
			s.Speed = &speed
		}
		w.take(s)
	}
}

var (
	works = share{all: 1, told: 1, worked: 1}
	rests = share{all: 1}
)

// Exact metres of legs: moving ones are counted from 1.5 m on, those of unknown speed
// from 3 m, of a machine that stands from 10 m; the last leg from 1.5 m.
func TestTheOdometerCountsLegs(t *testing.T) {
	for name, c := range map[string]struct {
		walk   func(w *walker)
		worked float64
		all    float64
	}{
		"one position":          {func(w *walker) { w.walk(1, 1, 5, 0, 5, works) }, 0, 0},
		"ten steps of 5 m":      {func(w *walker) { w.walk(11, 1, 5, 0, 5, works) }, 50, 50},
		"ten of 1 m":            {func(w *walker) { w.walk(11, 1, 1, 0, 1, works) }, 10, 10},
		"unknown speed":         {func(w *walker) { w.walk(11, 1, 1, 0, -1, works) }, 9, 9},
		"unknown speed, 11 m":   {func(w *walker) { w.walk(12, 1, 1, 0, -1, works) }, 11, 11},
		"the last leg is short": {func(w *walker) { w.walk(2, 1, 1.4, 0, 1.4, works) }, 0, 0},
		"the last leg is long":  {func(w *walker) { w.walk(2, 1, 1.6, 0, -1, works) }, 1.6, 1.6},
		"it creeps":             {func(w *walker) { w.walk(101, 1, 0.3, 0, 0.3, works) }, 30, 30},
		"half of it works": {func(w *walker) {
			w.walk(11, 1, 5, 0, 5, works)
			w.walk(10, 1, 8, 0, 8, rests)
		}, 50, 130},
		"it works within a leg": {func(w *walker) {
			w.walk(2, 1, 1, 0, -1, works)
			w.walk(2, 1, 1, 0, -1, rests)
		}, 1, 3},
		"the speed says too little": {func(w *walker) { w.walk(11, 1, 5, 0, 1, works) }, 50, 50},
		"the speed says too much":   {func(w *walker) { w.walk(11, 1, 5, 0, 18, works) }, 50, 50},
		"the speed says it stands":  {func(w *walker) { w.walk(11, 1, 5, 0, 0, works) }, 50, 50},
		"around a corner": {func(w *walker) {
			w.walk(2, 1, 1, 0, 1, works)
			w.walk(1, 1, 0, 1, 1, works)
			w.walk(3, 1, 0, 1, 1, works)
		}, 5, 5},
		"there and back within a leg": {func(w *walker) {
			w.walk(3, 1, 0.7, 0, -1, works)
			w.walk(3, 1, -0.7, 0, -1, works)
		}, 0, 0},
	} {
		w := newWalker()
		c.walk(w)
		got := w.total()
		if math.Abs(got.worked-c.worked) > 0.02*c.worked+1e-6 || math.Abs(got.all-c.all) > 0.02*c.all+1e-6 ||
			got.told != got.worked {
			t.Errorf("%s: %.3f m at work of %.3f m, want %g of %g", name, got.worked, got.all, c.worked, c.all)
		}
	}
}

func TestJitterAddsUpNeitherAtRestNorOnTheWay(t *testing.T) {
	for name, c := range map[string]struct {
		metres, speed, said, jitter float64
		most                        float64
	}{
		"stands":                   {0, 0, 0, 2, 3},
		"stands, the speed jitter": {0, 0, 0.3, 2, 3},
		"stands, no speed":         {0, 0, -1, 1, 3},
		"creeps":                   {240, 1, 1, 0.5, 12},
		"creeps, no speed":         {240, 1, -1, 0.3, 12},
		"walks":                    {600, 2.5, 2.5, 1, 30},
	} {
		w := newWalker()
		w.jitter = c.jitter
		w.walk(241, 1, c.speed, 0, c.said, works)
		if got := w.total().worked; math.Abs(got-c.metres) > c.most {
			t.Errorf("%s: %.1f m, want %g", name, got, c.metres)
		}
	}
}

// An old position that is said again is no new one while the machine moves.
func TestAnOldPositionIsNotTheWay(t *testing.T) {
	w := newWalker()
	w.walk(2, 1, 5, 0, 5, works)
	old := w.last
	old.Speed = new(standing) // the least of one that moves
	for i := range 4 {        // it works for these seconds, and its position is not heard
		w.pass(works)
		old.T += time.Second
		if found := w.take(old); found != Reached || w.seconds.all != float64(i+1) {
			t.Fatalf("%v, %v", found, w.seconds)
		}
	}
	w.t, w.north = w.t+4*time.Second, w.north+20
	w.walk(1, 1, 5, 0, 5, rests)
	if got := w.total(); math.Abs(got.worked-25) > 0.1 || math.Abs(got.all-30) > 0.1 {
		t.Errorf("%+v, want 25 of 30 m", got)
	}
}

func TestAJumpIsNoWayAndAMoveBeginsAnew(t *testing.T) {
	w := newWalker()
	w.walk(11, 1, 5, 0, 5, works)
	w.north += 5000
	w.walk(30, 1, 5, 0, 5, works)
	got := w.total()
	if got.worked < 50+90 || got.worked > 50+110 {
		t.Errorf("%.1f m, want 50 before and some 100 after it is there", got.worked)
	}
}

func TestWhatIsUndecidedIsDecidedWhereverItIs(t *testing.T) {
	undecided := share{all: 1, told: 1, undecided: 1}
	for _, worked := range []bool{true, false} {
		w := newWalker()
		w.walk(11, 1, 5, 0, 5, works)
		w.walk(10, 1, 5, 0, 5, undecided) // in legs that are over
		w.walk(1, 1, 1, 0, -1, undecided) // in the one that is not
		w.walk(1, 1, 1, 0, -1, undecided)
		w.pass(undecided) // since the last position
		w.decide(worked)
		if w.seconds.undecided != 0 || (w.seconds.worked == 1) != worked {
			t.Errorf("%+v", w.seconds)
		}
		want := map[bool]float64{true: 102, false: 50}[worked]
		if got := w.total(); math.Abs(got.worked-want) > 0.1 || math.Abs(got.told-102) > 0.1 || got.undecided != 0 {
			t.Errorf("%+v, want %g m of 102", got, want)
		}
	}
}
