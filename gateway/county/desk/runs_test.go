package desk

import (
	"math"
	"testing"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// played are the records of a fogger whose tank falls while it works, whose
// flow sensor hangs afterwards, and that is filled for the next run; for three
// seconds its receiver believes to be far away.
func played(t *testing.T) (tracks []*wire.Track, run *wire.Run) {
	t.Helper()
	w := machine.NewWatch(machine.Config{Machine: "fogger-4", Name: "4号", Type: "fogger", TankL: 20,
		Idle: 5 * time.Second, Pause: 20 * time.Second}, wire.SourceModbus, "boot")
	begin := clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC), Boot: time.Minute}
	tank, lat := 100.0, 35.9
	for i := range 120 {
		on := i >= 5 && i < 65
		s := runs.Sample{Values: fact.Values{Command: new(on), Flow: new(0.0), Lon: new(115.1)}}
		if on {
			tank -= 0.75
			lat += 3.0 / 111_000
			s.Flow = new(9.0)
		}
		if i >= 65 && i < 110 {
			s.Flow = new(9.0) // it hangs
		}
		if i == 95 {
			tank = 100
		}
		s.Tank, s.Lat = new(tank), new(lat)
		if i >= 30 && i < 33 {
			s.Lat = new(lat + 0.03)
		}
		now := begin.Add(time.Duration(i) * time.Second)
		w.Take(now, s)
		for _, b := range w.Turn(now) {
			switch x := b.(type) {
			case *wire.Track:
				tracks = append(tracks, x)
			case *wire.Run:
				run = x
			}
		}
	}
	if run == nil || run.State != fact.RunClosed || run.Grade != "disputed" {
		t.Fatalf("%+v", run)
	}
	return tracks, run
}

// What a run's page draws is what its numbers and its grade are of.
func TestARunsPageShowsWhatItsNumbersAreOf(t *testing.T) {
	tracks, run := played(t)
	earlier := *run // as an earlier program wrote it
	earlier.ID, earlier.Since, earlier.Until, earlier.Work = "earlier", nil, nil, nil
	d, held := newDesk(t)
	var entries []wire.Entry
	for i, x := range tracks {
		entries = append(entries, entry(t, uint64(i+1), x.At.Time, x))
	}
	for _, x := range []*wire.Run{run, &earlier} {
		entries = append(entries, entry(t, uint64(len(entries)+1), run.Until.Time, x))
	}
	b := batch(entries...)
	held.keep(b)
	took(t, d, b)
	for _, id := range []string{run.ID, "earlier"} {
		p, err := d.OneRun(t.Context(), "fogger-4", id)
		if err != nil {
			t.Fatal(err)
		}
		on, first, last := 0.0, p.Chart[0], p.Chart[len(p.Chart)-1]
		lowest := 100.0
		for i, c := range p.Chart {
			if c.On {
				on += p.Chart[i+1].At.Sub(c.At).Seconds()
			}
			lowest = min(lowest, *c.Tank)
		}
		if math.Abs(on-run.FlowS) > map[string]float64{run.ID: 1, "earlier": 5}[id] { // what came after its end is not known
			t.Errorf("%s: drawn as working for %g s, of %g s", id, on, run.FlowS)
		}
		if *first.Tank != *run.TankFirst || id == run.ID && (lowest != *run.TankLast || *last.Tank != *run.TankLast) {
			t.Errorf("%s: the chart goes from %g to %g %%, the numbers from %g to %g %%",
				id, *first.Tank, *last.Tank, *run.TankFirst, *run.TankLast)
		}
		wet := 0.0
		for i, x := range p.Points {
			if x.Lat > 35.92 {
				t.Errorf("%s: %g was left out of the numbers, and is drawn", id, x.Lat)
			}
			if x.On {
				wet += runs.Distance(x.Lat, x.Lon, p.Points[i+1].Lat, p.Points[i+1].Lon)
			}
		}
		if math.Abs(wet-180) > 6 {
			t.Errorf("%s: %g m are drawn thick, want 180 m", id, wet)
		}
	}
}

// A machine that reports by itself works as long as its run says so, and not
// as its last message has it: that may be of something else.
func TestATileSaysWhatTheRunSays(t *testing.T) {
	d, _ := newDesk(t)
	now := time.Now()
	point := wire.TrackPoint{Values: fact.Values{Tank: new(50.0)}} // no flow, no command
	run := &wire.Run{Machine: "fogger-9", ID: "r", Name: "9号", Type: "fogger", Source: wire.SourceReport,
		State: fact.RunOpen, Start: wire.At(now.Add(-time.Minute)), End: wire.At(now), Grade: "measured", Reasons: []string{}, Faults: []string{}}
	for i, working := range []bool{true, false} {
		run.Working = working
		at := now.Add(time.Duration(i) * time.Second)
		track := &wire.Track{Machine: "fogger-9", Source: wire.SourceReport, At: wire.At(at), Points: []wire.TrackPoint{point}}
		took(t, d, batch(entry(t, uint64(2*i+1), at, run), entry(t, uint64(2*i+2), at, track)))
		if err := d.lookMachines(now); err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{true: "working", false: "paused"}[working]
		if got := d.machines["fogger-9"].State; got != fact.MachineState(want) {
			t.Errorf("the run says working: %v, the tile %s", working, got)
		}
	}
}
