package journal

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

var start = clock.Moment{Wall: time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC), Boot: time.Hour}

// tester is implemented by *testing.T, *testing.B and *rapid.T.
type tester interface {
	rapid.TB
	Cleanup(f func())
	Context() context.Context
}

func options(dir string) Options {
	return Options{Dir: dir, HostID: "host-a", Version: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

func mustOpen(t tester, o Options) (*Journal, Report) {
	t.Helper()
	j, rep, err := Open(o, start)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j, rep
}

func body(n int) wire.Body {
	return &wire.Reading{Device: fmt.Sprintf("reader-%d", n), Model: "rdm6300", Type: fact.ReadingCard,
		Credential: "p1:0123456789abcdef0123456789abcdef", BootID: "b", BootNS: int64(n)}
}

// fill appends n records, a second apart.
func fill(t tester, j *Journal, n int) {
	t.Helper()
	for range n {
		i := int(j.Last())
		if _, err := j.Append(start.Add(time.Duration(i)*time.Second), body(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func mustSync(t tester, j *Journal) {
	t.Helper()
	if err := j.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// all reads from seq 1 to durable in small chunks and checks that every seq is
// there exactly once.
func all(t tester, read func(uint64, int, int) (Chunk, error), durable uint64) (
	entries []wire.Entry, holes []wire.Hole) {
	t.Helper()
	for from := uint64(1); from <= durable; {
		c, err := read(from, 7, 4000)
		if err != nil {
			t.Fatal(err)
		}
		if c.From != from || c.To < from || c.To > durable {
			t.Fatalf("chunk %d to %d for from %d, durable %d", c.From, c.To, from, durable)
		}
		checkDecodes(t, c)
		entries, holes = append(entries, c.Entries...), append(holes, c.Holes...)
		from = c.To + 1
	}
	return entries, holes
}

// checkReadRaw checks that ReadRaw returns what Read has returned.
func checkReadRaw(t tester, j *Journal, entries []wire.Entry, holes []wire.Hole) {
	t.Helper()
	raw, rawHoles := all(t, j.ReadRaw, j.Durable())
	if !slices.Equal(holes, rawHoles) || len(raw) != len(entries) {
		t.Fatalf("ReadRaw: %d entries and holes %v, Read: %d and %v", len(raw), rawHoles, len(entries), holes)
	}
	for i := range raw {
		if raw[i].Record.Seq != entries[i].Record.Seq || string(raw[i].Raw) != string(entries[i].Raw) {
			t.Fatalf("ReadRaw: entry %d is seq %d, %s", i, raw[i].Record.Seq, raw[i].Raw)
		}
	}
}

// checkDecodes checks that the chunk makes a batch that the collector accepts.
func checkDecodes(t tester, c Chunk) {
	t.Helper()
	msg, err := wire.EncodeBatch(wire.Batch{Agent: "gate-1", JID: "3f2b8c1e-5a77-4f5e-9f0b-0d6c3c1a9e11",
		From: c.From, To: c.To, Holes: c.Holes, Entries: c.Entries})
	if err != nil {
		t.Fatal(err)
	}
	b, err := wire.DecodeBatch(msg)
	if err != nil || len(b.Bad) > 0 {
		t.Fatalf("chunk %d to %d: %v %v", c.From, c.To, err, b.Bad)
	}
}
