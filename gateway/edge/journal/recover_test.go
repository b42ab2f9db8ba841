package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse/gateway/wire"
)

// written creates and closes a journal of n records in segments of about 20.
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

// offsetOf returns the offset of the frame of seq.
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

// flip returns an edit that flips a bit of the byte at off.
func flip(off int64) func([]byte) []byte {
	return func(b []byte) []byte { b[off] ^= 0x10; return b }
}

// Holes that damage is expected to leave, from the segments before it.
func noHole([]*segment) []wire.Hole { return nil }

func oneHole(from, to uint64) func([]*segment) []wire.Hole {
	return func([]*segment) []wire.Hole { return []wire.Hole{newHole(from, to, ReasonDamaged)} }
}

func secondSegment(s []*segment) []wire.Hole {
	return []wire.Hole{newHole(s[1].first, s[2].first-1, ReasonDamaged)}
}

// damages are kinds of damage to a closed journal.
var damages = []struct {
	name   string
	damage func(t *testing.T, segs []*segment)
	holes  func(s []*segment) []wire.Hole
}{
	{"payload of one record", func(t *testing.T, s []*segment) {
		edit(t, s[0].path, flip(offsetOf(t, s[0], 5)+frameLen+30))
	}, oneHole(5, 5)},
	{"length of one record", func(t *testing.T, s []*segment) {
		edit(t, s[0].path, flip(offsetOf(t, s[0], 5)+9))
	}, oneHole(5, 5)},
	{"a block of zeros over records", func(t *testing.T, s []*segment) {
		from, to := offsetOf(t, s[0], 3)+10, offsetOf(t, s[0], 7)+10
		edit(t, s[0].path, func(b []byte) []byte { clear(b[from:to]); return b })
	}, oneHole(3, 7)},
	{"the last record of a closed segment", func(t *testing.T, s []*segment) {
		edit(t, s[0].path, flip(s[0].size-1))
	}, func(s []*segment) []wire.Hole {
		return []wire.Hole{newHole(s[1].first-1, s[1].first-1, ReasonDamaged)}
	}},
	{"the header of a segment", func(t *testing.T, s []*segment) {
		edit(t, s[1].path, flip(3))
	}, noHole},
	{"a segment cut in the middle", func(t *testing.T, s []*segment) {
		off := offsetOf(t, s[0], 4)
		edit(t, s[0].path, func(b []byte) []byte { return b[:off] })
	}, func(s []*segment) []wire.Hole { return []wire.Hole{newHole(4, s[1].first-1, ReasonDamaged)} }},
	{"a missing segment", func(t *testing.T, s []*segment) {
		if err := os.Remove(s[1].path); err != nil {
			t.Fatal(err)
		}
	}, secondSegment},
	{"an empty segment", func(t *testing.T, s []*segment) {
		edit(t, s[1].path, func([]byte) []byte { return nil })
	}, secondSegment},
	{"a segment put in twice over", func(t *testing.T, s []*segment) {
		off := offsetOf(t, s[0], 9)
		edit(t, s[0].path, func(b []byte) []byte { return slices.Concat(b[:off], b[headerLen:]) })
	}, noHole},
}

func TestDamageLosesOnlyTheRecordsThatItHit(t *testing.T) {
	for _, c := range damages {
		t.Run(c.name, func(t *testing.T) {
			o := written(t, 60)
			segs := segmentsOf(t, o.Dir)
			c.damage(t, segs)
			want := c.holes(segs)
			j, rep := mustOpen(t, o)
			if len(rep.Damaged) != len(want) || rep.NewJID != "" {
				t.Fatalf("report %+v, want holes %v", rep, want)
			}
			fill(t, j, 1)
			mustSync(t, j)
			entries, holes := all(t, j.Read, j.Durable())
			if !slices.Equal(holes, want) || entries[len(entries)-1].Record.Seq != 61 {
				t.Fatalf("holes %v, want %v", holes, want)
			}
			checkReadRaw(t, j, entries, holes)
			j.Close()
			if _, rep := mustOpen(t, o); len(rep.Damaged) != 0 {
				t.Errorf("known damage was reported again: %v", rep.Damaged)
			}
			checkVerify(t, o.Dir, want)
		})
	}
}

func checkVerify(t *testing.T, dir string, holes []wire.Hole) {
	t.Helper()
	v, err := Look(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	damaged, err := v.Verify(nil)
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

func TestDamagedBytesAreKept(t *testing.T) {
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

// A record at the end that was damaged after it had been sent looks like one
// that was never written completely, so its seq must not be used again.
func TestSeqsOfATornEndAreNeverUsedAgain(t *testing.T) {
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
			for range 3 { // the hole stays
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

func TestTornEndCountsAtLeastItsRecords(t *testing.T) {
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
