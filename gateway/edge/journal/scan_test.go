package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/uuid"

	"gatehouse/gateway/wire"
)

// sound returns a segment of records 1 to 3, a hole 4 to 6 and record 7.
func sound() []byte {
	b := header{jid: uuid.MustParse("3f2b8c1e-5a77-4f5e-9f0b-0d6c3c1a9e11"), first: 1, age: 5}.append(nil)
	for seq := range uint64(3) {
		b = appendFrame(b, kindRecord, seq+1, record(seq+1))
	}
	b = appendHole(b, newHole(4, 6, ReasonDiskFull))
	return appendFrame(b, kindRecord, 7, record(7))
}

func record(seq uint64) []byte {
	raw, err := wire.EncodeRecord(wire.Record{Seq: seq, At: wire.At(start.Wall), Kind: wire.KindHealth,
		Body: []byte(`{"device":"agent","state":"ok"}`)})
	if err != nil {
		panic(err) // constants
	}
	return raw
}

var segmentCases = []struct {
	name string
	make func(b []byte) []byte
	seqs []uint64
}{
	{"sound", func(b []byte) []byte { return b }, []uint64{1, 2, 3, 4, 7}},
	{"empty", func([]byte) []byte { return nil }, nil},
	{"header only", func(b []byte) []byte { return b[:headerLen] }, nil},
	{"half a header", func(b []byte) []byte { return b[:headerLen/2] }, nil},
	{"no header", func(b []byte) []byte { return b[headerLen:] }, []uint64{1, 2, 3, 4, 7}},
	{"torn end", func(b []byte) []byte { return b[:len(b)-5] }, []uint64{1, 2, 3, 4}},
	{"garbage between", func(b []byte) []byte {
		return slices.Concat(b[:headerLen], []byte("garbage \xffGJ\xfe\xff"), b[headerLen:])
	}, []uint64{1, 2, 3, 4, 7}},
	{"twice", func(b []byte) []byte { return slices.Concat(b, b[headerLen:]) }, []uint64{1, 2, 3, 4, 7}},
	{"zeros", func(b []byte) []byte { return make([]byte, 5000) }, nil},
	{"marks only", func(b []byte) []byte { return bytes.Repeat(frameMark, 300) }, nil},
	{"a hole that ends before it begins", func(b []byte) []byte {
		return appendHole(b[:headerLen], wire.Hole{From: 9, To: 3, Reason: "x"})
	}, nil},
	{"a hole without a reason", func(b []byte) []byte {
		return appendHole(b[:headerLen], wire.Hole{From: 9, To: 9})
	}, nil},
	{"an unknown kind of frame", func(b []byte) []byte { return appendFrame(b[:headerLen], 9, 5, []byte("x")) }, nil},
	{"a length beyond all records", func(b []byte) []byte {
		return appendFrame(b[:headerLen], kindRecord, 5, make([]byte, maxPayload+1))
	}, nil},
	{"a record past one buffer", func(b []byte) []byte {
		b = append(b, make([]byte, scanBytes-len(b)-10)...)
		return appendFrame(b, kindRecord, 8, bytes.Repeat([]byte("x"), maxPayload))
	}, []uint64{1, 2, 3, 4, 7, 8}},
}

func scanAll(b []byte) (seqs []uint64) {
	s := &scanner{r: bytes.NewReader(b), limit: int64(len(b))}
	for f, ok := s.next(); ok; f, ok = s.next() {
		seqs = append(seqs, f.seq)
	}
	return seqs
}

func TestScannerFindsEveryValidFrame(t *testing.T) {
	for _, c := range segmentCases {
		t.Run(c.name, func(t *testing.T) {
			if seqs := scanAll(c.make(sound())); !slices.Equal(seqs, c.seqs) {
				t.Errorf("seqs %v, want %v", seqs, c.seqs)
			}
		})
	}
}

func TestScannerSkipsSectorsThatCantBeRead(t *testing.T) {
	b := sound()[:headerLen]
	var offsets []int64
	for seq := range uint64(100) {
		offsets = append(offsets, int64(len(b)))
		b = appendFrame(b, kindRecord, seq+1, record(seq+1))
	}
	s := &scanner{r: badSector{bytes.NewReader(b)}, off: headerLen, limit: int64(len(b))}
	seen := map[uint64]bool{}
	for f, ok := s.next(); ok; f, ok = s.next() {
		seen[f.seq] = true
	}
	for i, off := range offsets {
		end := int64(len(b))
		if i+1 < len(offsets) {
			end = offsets[i+1]
		}
		if bad := off < 2*blockBytes && end > blockBytes; seen[uint64(i+1)] == bad {
			t.Errorf("seq %d at %d to %d: seen %v", i+1, off, end, !bad)
		}
	}
}

// badSector fails for reads that touch the second block.
type badSector struct{ *bytes.Reader }

func (s badSector) ReadAt(p []byte, off int64) (int, error) {
	if off < 2*blockBytes && off+int64(len(p)) > blockBytes {
		if off >= blockBytes {
			return 0, errors.New("input/output error")
		}
		n, _ := s.Reader.ReadAt(p[:blockBytes-off], off)
		return n, errors.New("input/output error")
	}
	return s.Reader.ReadAt(p, off)
}

func FuzzScanner(f *testing.F) {
	for _, c := range segmentCases {
		f.Add(c.make(sound()))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &scanner{r: bytes.NewReader(b), limit: int64(len(b))}
		end, last := int64(0), uint64(0)
		for {
			f, ok := s.next()
			if f.off-f.skipped != end {
				t.Fatalf("bytes %d to %d are neither frame nor damage", end, f.off-f.skipped)
			}
			if !ok {
				if f.off != int64(len(b)) {
					t.Fatalf("ended at %d of %d", f.off, len(b))
				}
				return
			}
			if f.seq <= last || f.to < f.seq {
				t.Fatalf("seqs %d to %d after %d", f.seq, f.to, last)
			}
			end, last = s.off, f.to
			var again []byte
			if f.kind == kindHole {
				again = appendHole(nil, f.hole())
			} else {
				again = appendFrame(nil, f.kind, f.seq, f.payload)
			}
			if !bytes.Equal(again, b[f.off:end]) {
				t.Fatalf("frame at %d does not encode to itself", f.off)
			}
		}
	})
}

func FuzzOpenAcceptsAnySegment(f *testing.F) {
	for _, c := range segmentCases {
		f.Add(c.make(sound()), uint16(0))
		f.Add(c.make(sound()), uint16(2))
	}
	f.Fuzz(func(t *testing.T, b []byte, after uint16) {
		o := options(t.TempDir())
		o.Sync = func(*os.File) error { return nil }
		if err := os.WriteFile(segmentPath(o.Dir, uint64(after)+1), b, 0o600); err != nil {
			t.Fatal(err)
		}
		j, _ := mustOpen(t, o)
		last := j.Last()
		if last > 1<<40 {
			return // a valid frame can say so; its hole is too large for a batch
		}
		fill(t, j, 1)
		mustSync(t, j)
		if j.Durable() != last+1 {
			t.Fatalf("durable %d after %d", j.Durable(), last)
		}
		for from := uint64(1); from <= last+1; {
			c, err := j.Read(from, 100, 1<<20)
			if err != nil || c.From != from || c.To < from {
				t.Fatalf("chunk %d to %d, %v", c.From, c.To, err)
			}
			from = c.To + 1
		}
	})
}

func FuzzSmallFiles(f *testing.F) {
	dir := f.TempDir()
	const jid = "3f2b8c1e-5a77-4f5e-9f0b-0d6c3c1a9e11"
	id := identity{JID: jid, Origin: jid, Host: "h", Base: 4, Reason: "r", Version: "v"}
	if err := writeSmall(dir, identityFile, id, (*os.File).Sync); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, identityFile))
	if err != nil {
		f.Fatal(err)
	}
	upper := bytes.Replace(b, []byte("3f"), []byte("3F"), 1)
	for _, seed := range [][]byte{b, b[:len(b)-1], nil, []byte("{}\n00000000\n"), upper} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, identityFile), b, 0o600); err != nil {
			t.Fatal(err)
		}
		id, err := readIdentity(dir)
		if err != nil {
			return
		}
		if _, err := uuid.Parse(id.JID); err != nil || bytes.Count(b, []byte("\n")) != 2 {
			t.Fatalf("%q was accepted: %+v", b, id)
		}
	})
}
