package meter

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// truth is a meter of which everything is known: what has really flowed, and what
// its counter shows.
type truth struct {
	resolution float64
	turn       float64 // 0: it does not roll over
	flowed     float64 // litres, ever
	zero       float64 // flowed when the counter was last at zero
}

// shown is a reading on its way, with what had flowed then.
type shown struct {
	value, flowed float64
	slot          int // in which it arrives
}

// sent is what a meter sends: readings in the order of their arrival.
type sent struct {
	truth
	every  time.Duration
	all    []shown
	slot   int
	flowAt map[int]float64 // litres that had flowed at each slot
	resets int
}

// pass lets slots pass, in each of which some flow; every one is read unless it is
// a gap.
func (s *sent) pass(t *rapid.T, slots int, litres float64, gap bool, jitter, late *rapid.Generator[float64]) {
	for i := range slots {
		s.slot++
		s.flowed += litres
		s.flowAt[s.slot] = s.flowed
		if gap && i < slots-1 {
			continue
		}
		value := s.flowed - s.zero + (jitter.Draw(t, "jitter")-0.5)*s.resolution
		if s.turn > 0 {
			value = math.Mod(value+s.turn, s.turn)
		}
		r := shown{value: value, flowed: s.flowed, slot: s.slot}
		how := late.Draw(t, "late")
		if how > 0.8 { // it comes late
			r.slot += int((how - 0.8) * 15)
		}
		s.all = append(s.all, r)
		if how < 0.1 { // and again
			r.slot += int(how * 40)
			s.all = append(s.all, r)
		}
	}
}

func (s *sent) reset() {
	s.zero = s.flowed
	s.resets++
}

// anyMeter plays a meter. late: readings come late and twice. resets: the counter
// is reset.
func anyMeter(t *rapid.T, late, resets bool) *sent {
	s := &sent{flowAt: map[int]float64{}}
	s.resolution = rapid.SampledFrom([]float64{0.001, 0.01, 0.1, 1}).Draw(t, "resolution")
	s.every = rapid.SampledFrom([]time.Duration{time.Second / 2, time.Second, 5 * time.Second}).Draw(t, "every")
	s.zero = -rapid.SampledFrom([]float64{0, 0, 3, 100, 8000}).Draw(t, "begins at")
	if !resets && rapid.Bool().Draw(t, "rolls over") {
		s.turn = rapid.SampledFrom([]float64{655.36, 1000, 65536}).Draw(t, "turn")
		s.zero = -s.turn + rapid.Float64Range(0, 30).Draw(t, "turns after")
	}
	jitter, delays := rapid.Float64Range(0, 1), rapid.Just(0.5)
	if late {
		delays = rapid.Float64Range(0, 1)
	}
	s.pass(t, rapid.IntRange(1, 10).Draw(t, "rest"), 0, false, jitter, rapid.Just(0.5))
	for range rapid.IntRange(1, 6).Draw(t, "parts") {
		lpm := rapid.SampledFrom([]float64{0, 0.6, 3, 6, 60}).Draw(t, "lpm")
		slots := rapid.IntRange(1, 20).Draw(t, "slots")
		s.pass(t, slots, lpm*s.every.Minutes(), rapid.IntRange(0, 4).Draw(t, "gap") == 0, jitter, delays)
		// A reset is seen, and of more than dust: what the comment of the package says.
		more := s.flowed-s.zero > 2*dust+5*s.resolution
		if resets && more && !belowTurn(s.flowed-s.zero) && rapid.IntRange(0, 2).Draw(t, "reset") == 0 {
			s.reset()
			s.pass(t, rapid.IntRange(6, 10).Draw(t, "off"), 0, false, jitter, rapid.Just(0.5))
		}
	}
	// In the end all has arrived, and the counter has moved again.
	s.pass(t, 30, 60*s.every.Minutes(), false, jitter, rapid.Just(0.5))
	s.pass(t, 5, 0, false, jitter, rapid.Just(0.5))
	slices.SortStableFunc(s.all, func(a, b shown) int { return a.slot - b.slot })
	return s
}

// belowTurn reports whether a counter has shown of late what lies just below a turn:
// a reset there is taken for that.
func belowTurn(shows float64) bool {
	for late := -1.0; late < 20; late += 0.2 {
		if inferred(0, shows-late, math.Inf(1)) > 0 {
			return true
		}
	}
	return false
}

// count counts the litres of what was sent; sensed: there is a flow sensor.
func (s *sent) count(sensed bool) (litres float64, unknown Unknown, log []string) {
	c := New(Kind{Resolution: s.resolution, Rollover: s.turn})
	before := s.flowAt[s.all[0].slot]
	for _, r := range s.all {
		flow := Flow{Litres: s.flowAt[r.slot] - before, Known: true}
		if !sensed {
			flow = Flow{}
		}
		before = s.flowAt[r.slot]
		got := c.Take(Reading{At: time.Duration(r.slot) * s.every, Value: r.value, Flow: flow})
		litres += got.Litres
		unknown |= got.Unknown
		log = append(log, fmt.Sprintf("%d: %.4f (%.4f) %+.4f %b", r.slot, r.value, r.flowed, got.Litres, got.Unknown))
	}
	return litres, unknown, log
}

// For any truth, and any mix of late and repeated readings, jitter, resets and
// gaps, the litres are right to a resolution, or the counter says what is unknown.
func TestLitresAreRightOrSaidToBeUnknown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyMeter(t, rapid.Bool().Draw(t, "late"), rapid.Bool().Draw(t, "resets"))
		sensed := rapid.Bool().Draw(t, "flow sensor")
		litres, unknown, log := s.count(sensed)
		want := s.flowed - s.all[0].flowed
		within := s.resolution*float64(1+s.resets) + 1e-6 // from one reset to the next
		if math.Abs(litres-want) > within && unknown == 0 {
			t.Fatalf("%.4f L of %.4f, resolution %g, turn %g, every %s, %d resets\n%s",
				litres, want, s.resolution, s.turn, s.every, s.resets, log)
		}
	})
}

// Without resets and turns, and in order, nothing is unknown, whatever the jitter
// and the gaps. Of a turn in a gap it may be said so, if it flowed faster then.
func TestLitresAreRightWithoutResets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyMeter(t, false, false)
		litres, unknown, log := s.count(rapid.Bool().Draw(t, "flow sensor"))
		want := s.flowed - s.all[0].flowed
		if unknown == 0 && math.Abs(litres-want) > s.resolution+1e-6 || unknown != 0 && s.turn == 0 {
			t.Fatalf("%.4f L of %.4f, unknown %b, resolution %g, turn %g, every %s\n%s",
				litres, want, unknown, s.resolution, s.turn, s.every, log)
		}
	})
}

// In order, a reset costs nothing where there is a flow sensor.
func TestAResetCostsNothingWithAFlowSensor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyMeter(t, false, true)
		litres, _, log := s.count(true)
		more := litres - (s.flowed - s.all[0].flowed)
		if math.Abs(more) > s.resolution*float64(1+s.resets)+1e-6 {
			t.Fatalf("%+.4f L, resolution %g, every %s, %d resets\n%s", more, s.resolution, s.every, s.resets, log)
		}
	})
}
