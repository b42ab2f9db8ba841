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

// written makes a closed journal of n records in segments of about 20.
func written(t testing.TB, n int) Options {
	t.Helper()
	o := options(t.TempDir())
	o.SegmentBytes = 20 * 300
	j, _ := mustOpen(t, o)
	fill(t, j, n)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return o
}

func segmentsOf(t tester, dir string) []*segment {
	t.Helper()
	segs, err := listSegments(dir)
	if err != nil || len(segs) == 0 {
		t.Fatalf("segments %v, %v", segs, err)
	}
	return segs
}

// edit changes a file in place.
func edit(t tester, path string, change func(b []byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// offsetOf gives where the frame of seq begins.
func offsetOf(t tester, seg *segment, seq uint64) int64 {
	t.Helper()
	f, err := os.Open(seg.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := &scanner{r: f, off: seg.start, limit: seg.size}
	for {
		fr, ok := s.next()
		if !ok {
			t.Fatalf("seq %d is not in %s", seq, seg.path)
		}
		if fr.seq == seq {
			return fr.off
		}
	}
}

func TestDamageCostsOnlyWhatItHit(t *testing.T) {
	flip := func(off int64) func([]byte) []byte {
		return func(b []byte) []byte { b[off] ^= 0x10; return b }
	}
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, segs []*segment)
		holes  []wire.Hole
	}{
		{"payload of one record", func(t *testing.T, s []*segment) {
			edit(t, s[0].path, flip(offsetOf(t, s[0], 5)+frameLen+30))
		}, []wire.Hole{newHole(5, 5, ReasonDamaged)}},
		{"length of one record", func(t *testing.T, s []*segment) {
			edit(t, s[0].path, flip(offsetOf(t, s[0], 5)+9))
		}, []wire.Hole{newHole(5, 5, ReasonDamaged)}},
		{"a block of zeros over records", func(t *testing.T, s []*segment) {
			from, to := offsetOf(t, s[0], 3)+10, offsetOf(t, s[0], 7)+10
			edit(t, s[0].path, func(b []byte) []byte { clear(b[from:to]); return b })
		}, []wire.Hole{newHole(3, 7, ReasonDamaged)}},
		{"the last record of a closed segment", func(t *testing.T, s []*segment) {
			edit(t, s[0].path, flip(s[0].size-1))
		}, []wire.Hole{newHole(0, 0, ReasonDamaged)}},
		{"the header of a segment", func(t *testing.T, s []*segment) {
			edit(t, s[1].path, flip(3))
		}, nil},
		{"a segment cut in the middle", func(t *testing.T, s []*segment) {
			off := offsetOf(t, s[0], 4)
			edit(t, s[0].path, func(b []byte) []byte { return b[:off] })
		}, []wire.Hole{newHole(4, 0, ReasonDamaged)}},
		{"a missing segment", func(t *testing.T, s []*segment) {
			if err := os.Remove(s[1].path); err != nil {
				t.Fatal(err)
			}
		}, []wire.Hole{newHole(0, 0, "second")}},
		{"an empty segment", func(t *testing.T, s []*segment) {
			edit(t, s[1].path, func([]byte) []byte { return nil })
		}, []wire.Hole{newHole(0, 0, "second")}},
		{"a segment put in twice over", func(t *testing.T, s []*segment) {
			off := offsetOf(t, s[0], 9)
			edit(t, s[0].path, func(b []byte) []byte { return slices.Concat(b[:off], b[headerLen:]) })
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := written(t, 60)
			segs := segmentsOf(t, o.Dir)
			c.damage(t, segs)
			for i := range c.holes { // bounds that depend on the segments
				h := &c.holes[i]
				switch {
				case h.Reason == "second":
					*h = newHole(segs[1].first, segs[2].first-1, ReasonDamaged)
				case h.To == 0:
					*h = newHole(max(h.From, segs[1].first-1)*bit(h.From == 0)+h.From, segs[1].first-1, ReasonDamaged)
				}
			}
			j, rep := mustOpen(t, o)
			if len(rep.Damaged) != len(c.holes) || rep.NewJID != "" {
				t.Fatalf("report %+v, want holes %v", rep, c.holes)
			}
			fill(t, j, 1)
			mustSync(t, j)
			entries, holes := all(t, j.Read, j.Durable())
			if !slices.Equal(holes, c.holes) || entries[len(entries)-1].Record.Seq != 61 {
				t.Fatalf("holes %v, want %v", holes, c.holes)
			}
			j.Close()
			if _, rep := mustOpen(t, o); len(rep.Damaged) != 0 {
				t.Errorf("known damage was reported again: %v", rep.Damaged)
			}
			checkVerify(t, o.Dir, c.holes)
		})
	}
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func checkVerify(t *testing.T, dir string, holes []wire.Hole) {
	t.Helper()
	v, err := Look(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	damaged, err := v.Verify()
	if err != nil || len(damaged) != len(holes) {
		t.Fatalf("verify: %v, %v; want %v", damaged, err, holes)
	}
	for i, d := range damaged {
		if d.From != holes[i].From || d.To != holes[i].To {
			t.Errorf("verify: %v, want %v", d, holes[i])
		}
	}
	if _, seen := all(t, v.Read, v.Last); !slices.Equal(seen, holes) {
		t.Errorf("view: holes %v, want %v", seen, holes)
	}
}

func TestBytesOfDamageAreKept(t *testing.T) {
	o := written(t, 60)
	seg := segmentsOf(t, o.Dir)[0]
	from, to := offsetOf(t, seg, 5), offsetOf(t, seg, 6)
	edit(t, seg.path, func(b []byte) []byte { b[from+40] ^= 1; return b })
	b, err := os.ReadFile(seg.path)
	if err != nil {
		t.Fatal(err)
	}
	_, rep := mustOpen(t, o)
	if len(rep.Damaged) != 1 || !strings.Contains(rep.Damaged[0].String(), "seqs 5 to 5 are lost") {
		t.Fatalf("report: %v", rep.Damaged)
	}
	kept, err := filepath.Glob(filepath.Join(o.Dir, damagedDir, "*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%v %v", kept, err)
	}
	if got, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(got, b[from:to]) {
		t.Fatalf("kept %d bytes, %v; want %d", len(got), err, to-from)
	}
}

// A record at the end that was damaged after it had been sent can't be told
// from one that was never written completely: its seq must not be given again.
func TestSeqsOfATornEndAreNeverGivenAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		tear func(b []byte, last int64) []byte
		lost uint64 // from seq 30 on
	}{
		{"one byte of a record's head", func(b []byte, last int64) []byte { return b[:last+1] }, 1},
		{"half a record", func(b []byte, last int64) []byte { return b[:last+100] }, 1},
		{"all but a byte", func(b []byte, _ int64) []byte { return b[:len(b)-1] }, 1},
		{"a flipped bit in the last record", func(b []byte, last int64) []byte { b[last+50] ^= 1; return b }, 1},
		{"zeros after the last record", func(b []byte, _ int64) []byte { return append(b, make([]byte, 1000)...) }, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t.TempDir())
			j, _ := mustOpen(t, o)
			fill(t, j, 30)
			j.Close()
			seg := segmentsOf(t, o.Dir)[0]
			last := offsetOf(t, seg, 30)
			edit(t, seg.path, func(b []byte) []byte { return c.tear(b, last) })

			j, rep := mustOpen(t, o)
			if rep.TornBytes == 0 || len(rep.Damaged) != 0 {
				t.Fatalf("report: %+v", rep)
			}
			for range 3 { // whatever comes after, the hole stays
				j.Close()
				j, rep = mustOpen(t, o)
				if rep.TornBytes != 0 {
					t.Fatalf("torn again: %+v", rep)
				}
			}
			fill(t, j, 1)
			mustSync(t, j)
			entries, holes := all(t, j.Read, j.Durable())
			kept := uint64(len(entries) - 1)
			want := newHole(kept+1, kept+c.lost, ReasonTorn)
			if !slices.Equal(holes, []wire.Hole{want}) || entries[kept].Record.Seq != want.To+1 {
				t.Fatalf("holes %v, want %v", holes, want)
			}
		})
	}
}

func TestTornEndCountsAtLeastTheRecordsItHeld(t *testing.T) {
	var b []byte
	for seq := range uint64(40) {
		raw, err := wire.EncodeRecord(wire.Record{Seq: seq + 1, At: wire.At(start.Wall), Kind: "k", Body: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		b = appendFrame(b, kindRecord, seq+1, raw)
	}
	for _, damage := range []func([]byte){
		func([]byte) {},
		func(b []byte) { clear(b) },
		func(b []byte) { b[9] ^= 0x20 },
		func(b []byte) { clear(b[:len(b)/2]) },
	} {
		torn := bytes.Clone(b)
		damage(torn)
		if n := tornRecords(torn); n < 40 || n > 60 {
			t.Errorf("%d records for 40", n)
		}
	}
}

func TestJournalTakesANewJIDWhenItCantVouchForTheOld(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(t *testing.T, o *Options)
		reason  string
		former  bool
		renewed uint64 // seqs that stay with the former jid
	}{
		{"another host", func(_ *testing.T, o *Options) { o.HostID = "host-b" }, "another host", true, 40},
		{"identity lost", func(t *testing.T, o *Options) { remove(t, o.Dir, identityFile) }, "identity is lost", true, 40},
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
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t.TempDir())
			o.SegmentBytes = 20 * 300
			j, _ := mustOpen(t, o)
			fill(t, j, 60)
			mustSync(t, j)
			if err := j.Acked(start, State{Through: 40, Store: "store-a", Term: 3}); err != nil {
				t.Fatal(err)
			}
			jid := j.JID()
			j.Close()
			c.change(t, &o)

			j, rep := mustOpen(t, o)
			if j.JID() == jid || !strings.Contains(rep.NewJID, c.reason) || (rep.Former == jid) != c.former || rep.Created {
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
			if renewed > 0 && (len(holes) != 1 || holes[0] != newHole(1, renewed, ReasonRenewed)) || renewed == 0 && len(holes) > 0 {
				t.Fatalf("holes %v", holes)
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
			if err := j.Acked(start, State{Through: 4, Store: "store-a", Term: 1}); err != nil {
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

func TestRenewKeepsSeqsAndSendsWhatWasNotAcknowledged(t *testing.T) {
	o := options(t.TempDir())
	j, _ := mustOpen(t, o)
	fill(t, j, 10)
	mustSync(t, j)
	if err := j.Acked(start, State{Through: 6, Store: "store-a", Term: 1}); err != nil {
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

func TestAcknowledgedSegmentsGoAfterKeepOfRunningTime(t *testing.T) {
	o := options(t.TempDir())
	o.SegmentBytes = 20 * 300
	j, _ := mustOpen(t, o)
	fill(t, j, 60)
	mustSync(t, j)
	through := func(n uint64) State { return State{Through: n, Store: "store-a", Term: 1} }
	later := start.Add(6 * 24 * time.Hour)
	later.Wall = later.Wall.AddDate(50, 0, 0) // a step of the wall clock removes nothing
	if err := j.Acked(later, through(60)); err != nil || j.First() != 1 {
		t.Fatalf("after 6 days: first %d, %v", j.First(), err)
	}
	j.Close()
	j, _ = mustOpen(t, o) // boots anew: 6 days of age are remembered
	later = start.Add(25 * time.Hour)
	if err := j.Acked(later, through(30)); err != nil {
		t.Fatal(err)
	}
	segs := segmentsOf(t, o.Dir)
	if j.First() != segs[0].first || j.First() == 1 || j.First() > 31 {
		t.Fatalf("first %d, on disk %d", j.First(), segs[0].first)
	}
	if err := j.Acked(later, through(60)); err != nil {
		t.Fatal(err)
	}
	if err := j.Acked(later.Add(saveEvery), through(60)); err != nil {
		t.Fatal(err)
	}
	segs = segmentsOf(t, o.Dir)
	if len(segs) != 1 || j.First() != segs[0].first {
		t.Fatalf("%d segments, first %d", len(segs), j.First())
	}
	gone := newHole(1, segs[0].first-1, ReasonTrimmed)
	for range 2 {
		if entries, holes := all(t, j.Read, 60); !slices.Equal(holes, []wire.Hole{gone}) || len(entries) != int(60-gone.To) {
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

func TestWatermarkMayLagOnDiskButNeverLeads(t *testing.T) {
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
		{"first store", 0, State{5, "a", 1}, State{5, "a", 1}},
		{"soon after", time.Second, State{9, "a", 1}, State{5, "a", 1}},
		{"later", 11 * time.Second, State{12, "a", 1}, State{12, "a", 1}},
		{"restored store", 11 * time.Second, State{3, "a", 2}, State{3, "a", 2}},
		{"same again", 12 * time.Second, State{4, "a", 2}, State{3, "a", 2}},
	} {
		if err := j.Acked(start.Add(c.after), c.ack); err != nil || j.State() != c.ack || onDisk() != c.disk {
			t.Fatalf("%s: %v, state %v, on disk %v, want %v", c.name, err, j.State(), onDisk(), c.disk)
		}
	}
	for name, s := range map[string]State{
		"no store": {5, "", 2}, "another store": {5, "b", 2}, "older term": {5, "a", 1}, "beyond durable": {21, "a", 2},
	} {
		if err := j.Acked(start, s); err == nil || j.State() != (State{4, "a", 2}) {
			t.Errorf("%s: %v, state %v", name, err, j.State())
		}
	}
	j.Close()
	if onDisk() != (State{4, "a", 2}) {
		t.Errorf("after close: %v", onDisk())
	}
}

func TestTrustPinsAnotherStoreRunningOrNot(t *testing.T) {
	o := options(t.TempDir())
	j, _ := mustOpen(t, o)
	fill(t, j, 5)
	mustSync(t, j)
	if err := j.Acked(start, State{5, "a", 4}); err != nil {
		t.Fatal(err)
	}
	if err := j.Trust("b", 1); err != nil || j.State() != (State{0, "b", 1}) {
		t.Fatalf("%v, %v", err, j.State())
	}
	j.Close()
	if err := Trust(o.Dir, "c", 2); err != nil {
		t.Fatal(err)
	}
	if err := Trust(o.Dir, "", 2); err == nil {
		t.Error("no store is trusted")
	}
	if err := Trust(t.TempDir(), "c", 2); err == nil {
		t.Error("an empty folder trusts")
	}
	if j, _ = mustOpen(t, o); j.State() != (State{0, "c", 2}) {
		t.Fatalf("state %v", j.State())
	}
}

func TestLookReadsBesideARunningAgentAndDespiteLostFiles(t *testing.T) {
	o := options(t.TempDir())
	j, _ := mustOpen(t, o)
	fill(t, j, 12)
	v, err := Look(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if entries, holes := all(t, v.Read, v.Last); len(entries) != 12 || holes != nil || v.First != 1 || v.JID != j.JID() {
		t.Fatalf("%d entries, holes %v, %+v", len(entries), holes, v)
	}
	if _, err := v.Read(0, 1, 1); err == nil {
		t.Error("seq 0 was read")
	}
	v.Close()
	j.Close()
	remove(t, o.Dir, identityFile)
	remove(t, o.Dir, stateFile)
	if v, err = Look(o.Dir); err != nil || len(v.Trouble) != 2 || v.Last != 12 {
		t.Fatalf("%+v, %v", v, err)
	}
	v.Close()
	if _, err := Look(t.TempDir()); err == nil {
		t.Error("an empty folder is a journal")
	}
}
