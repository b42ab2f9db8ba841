package runs

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

// at returns rows without a meter: on or off at so many seconds.
func at(command string, seconds ...float64) (out []row) {
	for _, s := range seconds {
		out = append(out, row{s, command, no, no})
	}
	return out
}

// A sortie ends when there was no work for more than 5 s, and what comes 2 s after a
// silence still belongs to it.
func TestWhenASortieEnds(t *testing.T) {
	for name, c := range map[string]struct {
		rows    []row
		sorties int
		gaps    float64 // seconds
	}{
		"off for 5 s":        {slices.Concat(at("on", 0, 1), at("off", 2, 3, 4, 5, 6, 7), at("on", 7.5)), 1, 0},
		"off for more":       {slices.Concat(at("on", 0, 1), at("off", 2, 3, 4, 5, 6, 7, 7.001), at("on", 7.5)), 2, 0},
		"a short silence":    {slices.Concat(at("on", 0, 1), at("off", 2), at("on", 5)), 1, 0},
		"after a silence":    {slices.Concat(at("on", 0, 1), at("off", 11), at("on", 13)), 1, 10},
		"later after one":    {slices.Concat(at("on", 0, 1), at("off", 11), at("on", 13.001)), 2, 10},
		"a silence of 5 s":   {slices.Concat(at("on", 0, 1), at("off", 6), at("on", 9)), 1, 5},
		"a longer one":       {slices.Concat(at("on", 0, 1), at("off", 6.001), at("on", 9.002)), 2, 5.001},
		"rest within 2 s":    {slices.Concat(at("on", 0, 1), at("off", 2, 6, 8), at("on", 9)), 2, 4},
		"rest, heard once":   {slices.Concat(at("on", 0, 1), at("off", 2, 6, 8.001), at("on", 9)), 1, 4},
		"off, not heard 3 s": {slices.Concat(at("on", 0, 1), at("off", 2, 5), at("on", 6)), 1, 0},
		"off, and longer":    {slices.Concat(at("on", 0, 1), at("off", 2, 5.001), at("on", 6)), 1, 3.001},
	} {
		got := play(Config{Machine: "m", Idle: 5 * time.Second, Pause: time.Minute}, c.rows)
		if len(got) != 1 || got[0].Sorties != c.sorties || math.Abs(got[0].Gaps.Seconds()-c.gaps) > 1e-9 {
			t.Errorf("%s: %+v, want %d sorties and gaps of %g s", name, got, c.sorties, c.gaps)
		}
	}
}

func TestAMachineWorksUntilItIsIdle(t *testing.T) {
	tracker := New(Config{Machine: "m", Idle: 5 * time.Second, Pause: time.Minute})
	for _, s := range samples(slices.Concat(at("on", 0, 1), at("off", 2, 7))) {
		tracker.Observe(s) // on until the second 2
	}
	if open, working := tracker.Open(); !open || !working {
		t.Error("5 s after its work it is idle")
	}
	tracker.Observe(samples(at("off", 7.001))[0])
	if open, working := tracker.Open(); !open || working {
		t.Error("after more than 5 s it works")
	}
	late := New(Config{Machine: "m", Idle: 5 * time.Second, Pause: time.Minute})
	for _, s := range samples(slices.Concat(at("on", 0, 1), at("off", 2, 7.001))) {
		late.Observe(s)
	}
	if open, working := late.Open(); !open || working || !late.open.sortie {
		t.Error("the first sample after a silence shows that it is idle, and ends no sortie")
	}
}

// A run ends when its last work is more than a pause ago.
func TestWhenARunEnds(t *testing.T) {
	for last, want := range map[float64]int{61: 1, 61.001: 2} {
		got := play(Config{Machine: "m", Idle: 5 * time.Second, Pause: time.Minute}, at("on", 0, 1, last))
		if len(got) != want {
			t.Errorf("on again at %g s: %d runs, want %d", last, len(got), want)
		}
	}
}

func TestFaultsAreCollectedOnce(t *testing.T) {
	tracker := New(Config{Machine: "m"})
	var want []string
	for i := range 12 {
		code := fmt.Sprintf("E%d", i)
		for j := range 2 {
			past := time.Duration(2*i+j) * time.Second
			tracker.Observe(Sample{At: noon.Add(past), T: time.Hour + past,
				Values: fact.Values{Command: new(true), Fault: code}})
		}
		if want = append(want, code); i >= 8 {
			want = want[:8]
		}
		tracker.Observe(samples(at("on", float64(2*i)+1.5))[0]) // without one
		if got := tracker.Run().Faults; !slices.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
	}
}

// The second sample of one moment counts.
func TestTwoSamplesOfOneMoment(t *testing.T) {
	got := play(Config{Machine: "m"}, slices.Concat(at("off", 0), at("on", 0, 2), at("off", 3)))
	if len(got) != 1 || got[0].Commanded != 3*time.Second || got[0].Samples != 3 {
		t.Errorf("%+v", got)
	}
	// Counter and flow are both read twice a second: three times as much is disputed.
	var rows []row
	for i := range 121 {
		r := row{float64(i / 2), "on", 6, 100 + 0.3*float64(i/2)}
		rows = append(rows, r)
	}
	if got := play(Config{Machine: "m"}, rows); len(got) != 1 || got[0].Grade != Disputed {
		t.Errorf("%+v", got)
	}
}

// placed is a sample at so many seconds, metres to the north.
type placed struct {
	at     float64
	on     bool
	flow   float64
	metres float64 // no: no position
}

func placedRun(list []placed) Run {
	tracker := New(Config{Machine: "m", Idle: 5 * time.Second, Pause: time.Minute})
	for _, p := range list {
		past := time.Duration(p.at * 1e9)
		s := Sample{At: noon.Add(past), T: time.Hour + past, Values: fact.Values{Command: &p.on, Flow: &p.flow}}
		if p.metres != no {
			s.Lat, s.Lon = new(north(p.metres).Lat), new(100.0)
		}
		tracker.Observe(s)
	}
	return tracker.Run()
}

// Positions count from the first work to the first sample after it.
func TestWhereItWorked(t *testing.T) {
	for name, c := range map[string]struct {
		list  []placed
		moved *bool
	}{
		"it goes away after its work": {[]placed{{0, true, 0, 0}, {1, true, 0, 0}, {2, false, 0, 0},
			{3, false, 0, 30}, {4, false, 0, 60}}, new(false)},
		"it has gone when it ends": {[]placed{{0, true, 0, 0}, {3, false, 0, 30}}, new(true)},
		"10 m":                     {[]placed{{0, true, 0, 0}, {3, true, 0, 9.99}}, new(false)},
		"more than 10 m":           {[]placed{{0, true, 0, 0}, {3, true, 0, 10.01}}, new(true)},
		"one position":             {[]placed{{0, true, 0, 0}, {3, true, 0, no}}, nil},
	} {
		got := placedRun(c.list).Evidence.Moved
		if (got == nil) != (c.moved == nil) || got != nil && *got != *c.moved {
			t.Errorf("%s: moved %v", name, got)
		}
	}
}

// It flows without command from the tenth second on, at 5 m/s. What flowed for a
// moment elsewhere is no part of the way.
func TestTheWayBeginsWhenItBeginsToFlow(t *testing.T) {
	list := []placed{{0, false, 0, 0}, {1, false, 6, 0}, {2, false, 6, 5}, {3, false, 0, 10}}
	for s := 10; s <= 20; s++ {
		list = append(list, placed{float64(s), false, 6, 200 + 5*float64(s)})
	}
	list[6].metres = no
	r := placedRun(append(list, placed{21, false, 0, 305}))
	if math.Abs(r.Distance-55) > 0.1 || r.Flowing != 11*time.Second || !r.Start.Equal(noon.Add(10*time.Second)) {
		t.Errorf("%.2f m in %s from %s, want 55 m in 11 s from the tenth second", r.Distance, r.Flowing, r.Start)
	}
	if want := []Span{seconds(0, 11)}; !slices.Equal(r.Work, want) {
		t.Errorf("it worked in %v", r.Work)
	}
	// Told to run later, elsewhere: the moment is no part of it.
	list = append(list[:4], placed{20, true, 6, 60}, placed{21, true, 6, 65}, placed{22, false, 0, 70})
	if r := placedRun(list); math.Abs(r.Distance-10) > 0.1 {
		t.Errorf("%.2f m, want 10", r.Distance)
	}
}
