package fleet

import (
	"database/sql"
	"math"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/firmware-bridge/geo"
	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

// county is a fleet with its way from the store.
type county struct {
	*Fleet
	*committed.Way
}

func open(t *testing.T, path string) *county {
	t.Helper()
	file := committed.Open(t, path, follow.Schema+Schema, follow.SchemaNewest)
	f, err := New(t.Context(), file, live.New(0), NewRuns(file, nil))
	if err != nil {
		t.Fatal(err)
	}
	return &county{f, committed.NewWay(t, file, &committed.Store{}, f)}
}

// played returns the records of a fogger whose tank falls while it works, whose
// flow sensor hangs afterwards, and that is filled for the next run; for three
// seconds its receiver believes to be far away.
func played(t *testing.T) (tracks []*wire.Track, run *wire.Run) {
	t.Helper()
	w := machine.NewWatch(machine.Config{Machine: "fogger-4", Name: "4号", Type: "fogger", TankL: 20,
		Idle: 5 * time.Second, Pause: 20 * time.Second}, wire.SourceModbus, "boot")
	begin := clock.Moment{Wall: t0, Boot: time.Minute}
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

// wetted returns for how long a page's chart shows work, the lowest tank level
// that it shows, and how many metres of its path are drawn as work.
func wetted(p RunPage) (seconds, lowest, metres float64) {
	lowest = 100
	for i, c := range p.Chart {
		if c.On {
			seconds += p.Chart[i+1].At.Sub(c.At).Seconds()
		}
		lowest = min(lowest, *c.Tank)
	}
	for i, x := range p.Points {
		if x.On {
			next := p.Points[i+1]
			metres += geo.Distance(geo.Point{Lat: x.Lat, Lon: x.Lon}, geo.Point{Lat: next.Lat, Lon: next.Lon})
		}
	}
	return seconds, lowest, metres
}

// What a run's page draws is what its numbers and its grade are of: also of a
// run that an earlier program wrote, whose record does not say when it worked.
func TestARunsPageShowsWhatItsNumbersAreOf(t *testing.T) {
	tracks, run := played(t)
	earlier := *run
	earlier.ID, earlier.Since, earlier.Until, earlier.Work = "earlier", nil, nil, nil
	var entries []wire.Entry
	for i, x := range tracks {
		entries = append(entries, committed.Entry(t, uint64(i+1), x.At.Time, x))
	}
	for _, x := range []*wire.Run{run, &earlier} {
		entries = append(entries, committed.Entry(t, uint64(len(entries)+1), run.Until.Time, x))
	}
	c := open(t, filepath.Join(t.TempDir(), "f.db"))
	c.Commit(t0, committed.Batch(entries...))
	for id, tolerated := range map[string]float64{run.ID: 1, "earlier": 5} { // what came after its end is not known
		p, err := c.runs.One(t.Context(), "fogger-4", id)
		if err != nil {
			t.Fatal(err)
		}
		on, lowest, wet := wetted(p)
		if math.Abs(on-run.FlowS) > tolerated {
			t.Errorf("%s: drawn as working for %g s, of %g s", id, on, run.FlowS)
		}
		first, last := *p.Chart[0].Tank, *p.Chart[len(p.Chart)-1].Tank
		if first != *run.TankFirst || id == run.ID && (lowest != *run.TankLast || last != *run.TankLast) {
			t.Errorf("%s: the chart goes from %g to %g %%, the numbers from %g to %g %%",
				id, first, last, *run.TankFirst, *run.TankLast)
		}
		for _, x := range p.Points {
			if x.Lat > 35.92 {
				t.Errorf("%s: %g was left out of the numbers, and is drawn", id, x.Lat)
			}
		}
		if math.Abs(wet-180) > 6 {
			t.Errorf("%s: %g m are drawn thick, want 180 m", id, wet)
		}
	}
}

// openRun returns a run of a machine that reports by itself.
func openRun(at time.Time, working bool) *wire.Run {
	return &wire.Run{Machine: "fogger-9", ID: "r", Name: "9号", Type: "fogger", Source: wire.SourceReport,
		State: fact.RunOpen, Start: wire.At(at.Add(-time.Minute)), End: wire.At(at), Working: working,
		Grade: "measured", Reasons: []string{}, Faults: []string{}}
}

func report(at time.Time, p wire.TrackPoint) *wire.Track {
	return &wire.Track{Machine: "fogger-9", Source: wire.SourceReport, At: wire.At(at), Points: []wire.TrackPoint{p}}
}

// A machine that reports by itself works as long as its run says so, and not
// as its last message has it: that may be of something else.
func TestATileSaysWhatTheRunSays(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "f.db"))
	point := wire.TrackPoint{Values: fact.Values{Tank: new(50.0)}} // no flow, no command
	for i, want := range []fact.MachineState{fact.MachineWorking, fact.MachinePaused} {
		at := t0.Add(time.Duration(i) * time.Second)
		c.Commit(at, committed.Batch(committed.Entry(t, uint64(2*i+1), at, openRun(at, want == fact.MachineWorking)),
			committed.Entry(t, uint64(2*i+2), at, report(at, point))))
		if err := c.Show(at); err != nil {
			t.Fatal(err)
		}
		if got := c.machines["fogger-9"].State; got != want {
			t.Errorf("the tile says %s, want %s", got, want)
		}
	}
}

func TestAMachineThatReportsByItselfIsGoneAfterAMinute(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	fault := wire.TrackPoint{Values: fact.Values{Fault: "急停"}}
	open(t, path).Commit(t0, committed.Batch(committed.Entry(t, 1, t0, report(t0, fault))))
	c := open(t, path) // a restart forgets nothing
	for after, want := range map[time.Duration]fact.MachineState{
		10 * time.Second: fact.MachineFault, 61 * time.Second: fact.MachineGone, 24 * time.Hour: fact.MachineGone,
	} {
		if err := c.Show(t0.Add(after)); err != nil {
			t.Fatal(err)
		}
		if m := c.machines["fogger-9"]; m.State != want || !m.Heard.Equal(t0) {
			t.Errorf("after %s it is %s, last heard at %s; want %s", after, m.State, m.Heard, want)
		}
	}
}

func TestAMachineIsSilentWithItsBridge(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "f.db"))
	beat := []wire.BeatMachine{{Machine: "drone-1", Name: "1号", Type: "drone", State: fact.MachineWorking, IdleS: 2}}
	for i, want := range []fact.MachineState{fact.MachineWorking, fact.MachineSilent, fact.MachineWorking} {
		heard := t0.Add(time.Duration(i/2) * time.Minute)
		c.Beat("station", want == fact.MachineWorking, heard, beat)
		if m := c.machines["drone-1"]; m.State != want || !m.Heard.Equal(heard.Add(-2*time.Second)) {
			t.Errorf("look %d: it is %s, heard at %s; want %s", i, m.State, m.Heard, want)
		}
	}
	if !c.Bridges("station") || c.Bridges("gate-001") {
		t.Error("it is not known who bridges machines")
	}
}

// A journal that begins again gives low seqs to newer states of the same run.
func TestARunGoesOnInAJournalThatBeganAgain(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "f.db"))
	c.Commit(t0, committed.Batch(committed.Entry(t, 1, t0, report(t0, wire.TrackPoint{})),
		committed.Entry(t, 2, t0, openRun(t0, true))))
	err := c.file.Write(t.Context(), func(tx *sql.Tx) error {
		if _, err := c.Reset(t.Context(), tx, committed.JID, "former"); err != nil {
			return err
		}
		closed := openRun(t0, false)
		closed.State = fact.RunClosed
		entry := follow.Entry{Agent: committed.Agent, JID: committed.JID,
			Record: committed.Entry(t, 1, t0, closed).Record}
		_, err := c.Apply(t.Context(), tx, t0, []follow.Entry{entry})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if last, err := c.runs.Last(t.Context(), "", 10); err != nil || len(last) != 1 || last[0].State != fact.RunClosed {
		t.Errorf("%+v, %v", last, err)
	}
}

func TestOnlyOldTracksOfNoFileAreDeletedSomeAtATime(t *testing.T) {
	file, err := db.Open(filepath.Join(t.TempDir(), "f.db"), Schema, SchemaIndexes)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Exec(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
		INSERT INTO tracks SELECT 'm', i, 'j', i, CASE WHEN i = 1 THEN 'file' ELSE '' END, '[]' FROM n`); err != nil {
		t.Fatal(err)
	}
	_, err = file.Exec(t.Context(), "INSERT INTO machines (machine, agent, heard) VALUES ('m', 'm', 1)")
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(t.Context(), file, live.New(0), NewRuns(file, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{50, 1, 1} { // all are old, one is of a file
		if err := f.Prune(t.Context(), time.Now().Add(-TracksFor)); err != nil {
			t.Fatal(err)
		}
		n, _, err := db.One(t.Context(), file.Reader(), db.Value[int], "SELECT count(*) FROM tracks")
		if n != want || err != nil {
			t.Errorf("%d tracks are left, %v, want %d", n, err, want)
		}
	}
}
