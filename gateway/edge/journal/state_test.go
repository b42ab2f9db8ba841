package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/wire"
)

// jidChanges are changes to a closed journal after which it takes a new jid.
var jidChanges = []struct {
	name    string
	change  func(t *testing.T, o *Options)
	reason  string
	former  bool
	renewed uint64 // seqs up to here stay with the former jid
}{
	{"another host", func(_ *testing.T, o *Options) { o.HostID = "host-b" }, "another host", true, 40},
	{"identity lost", func(t *testing.T, o *Options) {
		remove(t, o.Dir, identityFile)
	}, "identity is lost", true, 40},
	{"identity damaged", func(t *testing.T, o *Options) {
		edit(t, filepath.Join(o.Dir, identityFile), func(b []byte) []byte { b[12] ^= 1; return b })
	}, "identity is lost", true, 40},
	{"identity and state lost", func(t *testing.T, o *Options) {
		remove(t, o.Dir, identityFile)
		remove(t, o.Dir, stateFile)
	}, "identity is lost", false, 0},
	{"acknowledged end lost", func(t *testing.T, o *Options) {
		segs := segmentsOf(t, o.Dir)
		for _, s := range segs[1:] {
			if err := os.Remove(s.path); err != nil {
				t.Fatal(err)
			}
		}
	}, "the end is lost", true, 0},
}

func TestJournalTakesANewJIDWhenSeqsCouldBeUsedTwice(t *testing.T) {
	for _, c := range jidChanges {
		t.Run(c.name, func(t *testing.T) {
			o := options(t.TempDir())
			o.SegmentBytes = 20 * 300
			j, _ := mustOpen(t, o)
			fill(t, j, 60)
			mustSync(t, j)
			if err := j.Acknowledge(start, State{Through: 40, Store: "store-a", Term: 3}); err != nil {
				t.Fatal(err)
			}
			jid := j.JID()
			j.Close()
			c.change(t, &o)

			j, rep := mustOpen(t, o)
			if j.JID() == jid || !strings.Contains(rep.NewJID, c.reason) ||
				(rep.Former == jid) != c.former || rep.Created {
				t.Fatalf("jid %s, before %s, report %+v", j.JID(), jid, rep)
			}
			last := j.Last()
			fill(t, j, 1)
			mustSync(t, j)
			renewed := c.renewed
			if c.reason == "the end is lost" {
				renewed = last
			}
			entries, holes := all(t, j.Read, j.Durable())
			var want []wire.Hole
			if renewed > 0 {
				want = []wire.Hole{newHole(1, renewed, ReasonRenewed)}
			}
			if !slices.Equal(holes, want) {
				t.Fatalf("holes %v, want %v", holes, want)
			}
			if len(entries) != int(last+1-renewed) || j.State().Through != 0 {
				t.Fatalf("%d entries after %d, state %v", len(entries), renewed, j.State())
			}
			if trusted := j.State().Store == "store-a" && j.State().Term == 3; trusted == (rep.StateLost != "") {
				t.Fatalf("state %+v, report %+v", j.State(), rep)
			}
			renewedJID := j.JID()
			j.Close()
			if j, rep := mustOpen(t, o); j.JID() != renewedJID || rep.NewJID != "" {
				t.Fatalf("renewed twice: %+v", rep)
			}
		})
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestLostStateIsReportedAndKeepsTheJID(t *testing.T) {
	for name, spoil := range map[string]func(b []byte) []byte{
		"flipped bit":  func(b []byte) []byte { b[60] ^= 1; return b },
		"empty":        func([]byte) []byte { return nil },
		"half written": func(b []byte) []byte { return b[:len(b)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t.TempDir())
			j, _ := mustOpen(t, o)
			fill(t, j, 5)
			mustSync(t, j)
			if err := j.Acknowledge(start, State{Through: 4, Store: "store-a", Term: 1}); err != nil {
				t.Fatal(err)
			}
			jid := j.JID()
			j.Close()
			edit(t, filepath.Join(o.Dir, stateFile), spoil)
			j, rep := mustOpen(t, o)
			if rep.StateLost == "" || rep.NewJID != "" || j.JID() != jid || j.State() != (State{}) {
				t.Fatalf("report %+v, state %+v", rep, j.State())
			}
		})
	}
}

func TestRenewKeepsUnacknowledgedRecordsAndTheirSeqs(t *testing.T) {
	o := options(t.TempDir())
	j, _ := mustOpen(t, o)
	fill(t, j, 10)
	mustSync(t, j)
	if err := j.Acknowledge(start, State{Through: 6, Store: "store-a", Term: 1}); err != nil {
		t.Fatal(err)
	}
	before, _ := all(t, j.Read, 10)
	jid := j.JID()
	if err := j.Renew("the store knows more"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		fill(t, j, 1)
		mustSync(t, j)
		after, holes := all(t, j.Read, j.Durable())
		if j.JID() == jid || j.First() != 7 || !slices.Equal(holes, []wire.Hole{newHole(1, 6, ReasonRenewed)}) {
			t.Fatalf("first %d, holes %v", j.First(), holes)
		}
		for i, e := range after[:4] {
			if !bytes.Equal(e.Raw, before[6+i].Raw) {
				t.Fatalf("seq %d changed", e.Record.Seq)
			}
		}
		if s := j.State(); s != (State{Store: "store-a", Term: 1}) {
			t.Fatalf("state %+v", s)
		}
		j.Close()
		j, _ = mustOpen(t, o)
	}
}

func TestAcknowledgedSegmentsAreRemovedAfterKeepOfUptime(t *testing.T) {
	o := options(t.TempDir())
	o.SegmentBytes = 20 * 300
	j, _ := mustOpen(t, o)
	fill(t, j, 60)
	mustSync(t, j)
	through := func(n uint64) State { return State{Through: n, Store: "store-a", Term: 1} }
	later := start.Add(6 * 24 * time.Hour)
	later.Wall = later.Wall.AddDate(50, 0, 0) // a step of the wall clock removes nothing
	if err := j.Acknowledge(later, through(60)); err != nil || j.First() != 1 {
		t.Fatalf("after 6 days: first %d, %v", j.First(), err)
	}
	j.Close()
	j, _ = mustOpen(t, o) // boots anew: 6 days of age are remembered
	later = start.Add(25 * time.Hour)
	if err := j.Acknowledge(later, through(30)); err != nil {
		t.Fatal(err)
	}
	segs := segmentsOf(t, o.Dir)
	if j.First() != segs[0].first || j.First() == 1 || j.First() > 31 {
		t.Fatalf("first %d, on disk %d", j.First(), segs[0].first)
	}
	if err := j.Acknowledge(later, through(60)); err != nil {
		t.Fatal(err)
	}
	if err := j.Acknowledge(later.Add(saveEvery), through(60)); err != nil {
		t.Fatal(err)
	}
	segs = segmentsOf(t, o.Dir)
	if len(segs) != 1 || j.First() != segs[0].first {
		t.Fatalf("%d segments, first %d", len(segs), j.First())
	}
	gone := newHole(1, segs[0].first-1, ReasonTrimmed)
	for range 2 {
		entries, holes := all(t, j.Read, 60)
		if !slices.Equal(holes, []wire.Hole{gone}) || len(entries) != int(60-gone.To) {
			t.Fatalf("%d entries, holes %v", len(entries), holes)
		}
		j.Close()
		j, _ = mustOpen(t, o)
	}
	fill(t, j, 1)
	if j.Last() != 61 {
		t.Fatalf("last %d", j.Last())
	}
}

func TestWatermarkOnDiskIsNeverNewerThanAcknowledged(t *testing.T) {
	o := options(t.TempDir())
	j, _ := mustOpen(t, o)
	fill(t, j, 20)
	mustSync(t, j)
	onDisk := func() State {
		s, err := readSmall[savedState](o.Dir, stateFile)
		if err != nil {
			t.Fatal(err)
		}
		return s.state()
	}
	for _, c := range []struct {
		name  string
		after time.Duration
		ack   State
		disk  State
	}{
		{"first store", 0, State{5, "a", 1, ""}, State{5, "a", 1, ""}},
		{"soon after", time.Second, State{9, "a", 1, ""}, State{5, "a", 1, ""}},
		{"later", 11 * time.Second, State{12, "a", 1, ""}, State{12, "a", 1, ""}},
		{"restored store", 11 * time.Second, State{3, "a", 2, ""}, State{3, "a", 2, ""}},
		{"same again", 12 * time.Second, State{4, "a", 2, ""}, State{3, "a", 2, ""}},
	} {
		if err := j.Acknowledge(start.Add(c.after), c.ack); err != nil || j.State() != c.ack || onDisk() != c.disk {
			t.Fatalf("%s: %v, state %v, on disk %v, want %v", c.name, err, j.State(), onDisk(), c.disk)
		}
	}
	for name, s := range map[string]State{
		"no store":       {5, "", 2, ""},
		"another store":  {5, "b", 2, ""},
		"older term":     {5, "a", 1, ""},
		"beyond durable": {21, "a", 2, ""},
	} {
		if err := j.Acknowledge(start, s); err == nil || j.State() != (State{4, "a", 2, ""}) {
			t.Errorf("%s: %v, state %v", name, err, j.State())
		}
	}
	j.Close()
	if onDisk() != (State{4, "a", 2, ""}) {
		t.Errorf("after close: %v", onDisk())
	}
}
