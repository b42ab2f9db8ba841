package journal

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

func TestRecordsComeBackByteForByteAfterReopening(t *testing.T) {
	o := options(t.TempDir())
	o.SegmentBytes = 2000
	j, rep := mustOpen(t, o)
	if !rep.Created || rep.NewJID == "" {
		t.Fatalf("report of a first start: %+v", rep)
	}
	fill(t, j, 50)
	mustSync(t, j)
	before, holes := all(t, j.Read, 50)
	if len(before) != 50 || len(holes) != 0 {
		t.Fatalf("%d entries, holes %v", len(before), holes)
	}
	jid := j.JID()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, rep = mustOpen(t, o)
	if rep.Created || rep.NewJID != "" || rep.TornBytes != 0 || rep.Damaged != nil || rep.StateLost != "" {
		t.Fatalf("report: %+v", rep)
	}
	after, holes := all(t, j.Read, j.Durable())
	if len(after) != 50 || len(holes) != 0 || j.JID() != jid || j.First() != 1 || j.Last() != 50 {
		t.Fatalf("%d entries, holes %v, first %d, last %d", len(after), holes, j.First(), j.Last())
	}
	checkReadRaw(t, j, after, holes)
	for i := range after {
		again, err := wire.EncodeRecord(after[i].Record)
		if err != nil || string(again) != string(after[i].Raw) {
			t.Fatalf("seq %d: encoding the record again gives other bytes: %v", i+1, err)
		}
		if string(after[i].Raw) != string(before[i].Raw) {
			t.Fatalf("seq %d differs", i+1)
		}
	}
}

func TestSecondOpenFailsWithErrLocked(t *testing.T) {
	o := options(t.TempDir())
	j, _ := mustOpen(t, o)
	if _, _, err := Open(o, start); !errors.Is(err, ErrLocked) {
		t.Fatalf("second open: %v", err)
	}
	if err := Trust(o.Dir, "store-b", 1); !errors.Is(err, ErrLocked) {
		t.Fatalf("trust beside a running agent: %v", err)
	}
	j.Close()
	mustOpen(t, o)
}

func TestTooLongRecordIsRefusedAndUsesNoSeq(t *testing.T) {
	j, _ := mustOpen(t, options(t.TempDir()))
	long := &wire.Health{Device: "agent", State: "ok", Detail: strings.Repeat("x", wire.MaxRecordBytes)}
	if _, err := j.Append(start, long); !errors.Is(err, ErrTooLong) {
		t.Fatalf("append: %v", err)
	}
	long.Detail = long.Detail[:wire.MaxRecordBytes-200]
	r, err := j.Append(start, long)
	if err != nil || r.Seq != 1 {
		t.Fatalf("append: seq %d, %v", r.Seq, err)
	}
	mustSync(t, j)
	if entries, _ := all(t, j.Read, 1); len(entries) != 1 {
		t.Fatal("the long record did not come back")
	}
}

func TestReadStopsAtItsLimitsAndAtDurable(t *testing.T) {
	o := options(t.TempDir())
	o.SegmentBytes = 3000
	j, _ := mustOpen(t, o)
	fill(t, j, 30)
	mustSync(t, j)
	c, err := j.Read(1, 256, 1)
	if err != nil || len(c.Entries) != 1 {
		t.Fatalf("1 byte: %d entries, %v", len(c.Entries), err)
	}
	size := len(c.Entries[0].Raw)
	for _, limit := range []struct{ from, records, bytes, want int }{
		{1, 5, 1 << 20, 5}, {3, 100, 4 * (size + 2), 4}, {29, 100, 1 << 20, 2}, {31, 100, 1 << 20, 0}, {40, 5, 100, 0},
		{7, 0, 0, 1},
	} {
		c, err := j.Read(uint64(limit.from), limit.records, limit.bytes)
		if err != nil || len(c.Entries) != limit.want || c.To != uint64(limit.from+limit.want-1) {
			t.Errorf("%+v: %d entries to %d, %v", limit, len(c.Entries), c.To, err)
		}
	}
	if _, err := j.Read(0, 1, 1); err == nil {
		t.Error("seq 0 was read")
	}
}

func TestTimesRiseWithinAnEra(t *testing.T) {
	wall := start.Wall
	tomorrow, before, year := wall.Add(25*time.Hour), wall.Add(-time.Second-1), wall.AddDate(-1, 0, 0)
	for _, c := range []struct {
		name string
		wall []time.Time
		at   []time.Time
		era  []uint32
	}{
		{"forward 25 h", []time.Time{wall, tomorrow}, []time.Time{wall, tomorrow}, []uint32{0, 0}},
		{"same instant", []time.Time{wall, wall, wall}, []time.Time{wall, wall.Add(1), wall.Add(2)}, []uint32{0, 0, 0}},
		{"back a second", []time.Time{wall, wall.Add(-time.Second)}, []time.Time{wall, wall.Add(1)}, []uint32{0, 0}},
		{"back more", []time.Time{wall, before}, []time.Time{wall, before}, []uint32{0, 1}},
		{"back a year and on", []time.Time{wall, year, wall}, []time.Time{wall, year, wall}, []uint32{0, 1, 1}},
		{"before 1970", []time.Time{time.Unix(-5, 0), time.Unix(-9, 0)},
			[]time.Time{earliest, earliest.Add(1)}, []uint32{0, 0}},
		{"after 2261", []time.Time{latest.AddDate(99, 0, 0), latest.AddDate(99, 0, 0)},
			[]time.Time{latest, latest.Add(1)}, []uint32{0, 0}},
	} {
		for _, reopen := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reopening %v", c.name, reopen), func(t *testing.T) {
				o := options(t.TempDir())
				j, _ := mustOpen(t, o)
				for i := range c.wall {
					r, err := j.Append(clock.Moment{Wall: c.wall[i], Boot: start.Boot}, body(i))
					if err != nil || !r.At.Equal(c.at[i]) || r.Era != c.era[i] || r.BootNS != int64(start.Boot) {
						t.Fatalf("record %d: %v era %d, %v; want %v era %d", i, r.At, r.Era, err, c.at[i], c.era[i])
					}
					if reopen {
						j.Close()
						j, _ = mustOpen(t, o)
					}
				}
			})
		}
	}
}

func TestRecordsAreMarkedUnlessTheClockIsSynchronised(t *testing.T) {
	j, _ := mustOpen(t, options(t.TempDir()))
	for i, known := range []bool{false, true, false} {
		j.SetSynced(known)
		if r, err := j.Append(start, body(i)); err != nil || r.Unsync == known {
			t.Errorf("clock known %v: unsync %v, %v", known, r.Unsync, err)
		}
	}
}

func TestLostRecordsBecomeHolesAndUseSeqs(t *testing.T) {
	for _, reopen := range []bool{false, true} {
		o := options(t.TempDir())
		j, _ := mustOpen(t, o)
		fill(t, j, 2)
		for i, reason := range []string{ReasonDiskFull, ReasonDiskFull, ReasonDiskFull, "append-failed"} {
			if seq := j.Lose(reason); seq != uint64(3+i) || j.Last() != seq {
				t.Fatalf("seq %d, last %d", seq, j.Last())
			}
		}
		mustSync(t, j)
		if j.Durable() != 2 {
			t.Fatalf("durable %d before the hole is written", j.Durable())
		}
		if reopen {
			j.Close()
			j, _ = mustOpen(t, o)
		}
		fill(t, j, 1)
		mustSync(t, j)
		entries, holes := all(t, j.Read, j.Durable())
		if want := []wire.Hole{newHole(3, 5, ReasonDiskFull), newHole(6, 6, "append-failed")}; len(entries) != 3 ||
			entries[2].Record.Seq != 7 || !slices.Equal(holes, want) {
			t.Fatalf("%d entries, holes %v", len(entries), holes)
		}
	}
}

func TestMethodsFailAfterClose(t *testing.T) {
	j, _ := mustOpen(t, options(t.TempDir()))
	j.Close()
	_, appendErr := j.Append(start, body(1))
	_, readErr := j.Read(1, 1, 1)
	ackErr := j.Acknowledge(start, State{Store: "s"})
	for _, err := range []error{appendErr, readErr, ackErr, j.Trust("s", 1), j.Renew("test")} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("after close: %v", err)
		}
	}
}

func TestFilesArePrivate(t *testing.T) {
	o := options(t.TempDir() + "/new")
	j, _ := mustOpen(t, o)
	fill(t, j, 1)
	if info, err := os.Stat(o.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(o.Dir)
	if err != nil || len(entries) != 4 {
		t.Fatalf("%v %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", e.Name(), info.Mode(), err)
		}
	}
}
