// Package storetest is the suite that every store passes.
package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Opened is a store under test and its books.
type Opened struct {
	store.Store
	*books.Books
}

// Make returns a new empty store, and a function that closes it and opens it again
// as a restart of the collector does.
type Make func(t *testing.T) (s Opened, reopen func() Opened)

// JID returns the id of journal n.
func JID(n int) string { return fmt.Sprintf("0190b1c2-0000-7000-8000-%012d", n) }

// T0 is the time before the first record.
var T0 = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

// Entry returns a record with the given seq, seq milliseconds after T0.
func Entry(seq uint64, body wire.Body) wire.Entry {
	b, err := wire.EncodeBody(body)
	if err != nil {
		panic(err)
	}
	return raw(seq, body.Kind(), b)
}

func raw(seq uint64, kind wire.Kind, body []byte) wire.Entry {
	at := wire.At(T0.Add(time.Duration(seq) * time.Millisecond))
	r := wire.Record{Seq: seq, At: at, BootNS: int64(seq), Kind: kind, Body: body}
	b, err := wire.EncodeRecord(r)
	if err != nil {
		panic(err)
	}
	return wire.Entry{Record: r, Raw: b}
}

// Reading returns the body of a measurement.
func Reading(screening fact.Temp) *wire.Reading {
	return &wire.Reading{
		Device: "thermometer",
		Model:  "gy-mcu90614",
		Type:   fact.ReadingTemperature,
		BootID: "b",
		Temperature: &wire.Temperature{
			Object:     screening - 320,
			Offset:     320,
			Screening:  screening,
			Ambient:    2000,
			Background: 2000,
			RatedMin:   1600,
			RatedMax:   3500,
			Samples:    5,
			Settled:    true,
		},
	}
}

// Passage returns the body of a verdict.
func Passage(v fact.Verdict, readings ...uint64) *wire.Passage {
	return &wire.Passage{
		Verdict:     v,
		Reasons:     []fact.Reason{fact.ReasonNormal},
		Instruction: fact.InstructGo,
		Direction:   fact.DirectionIn,
		Class:       "resident",
		Credential:  "k-abc",
		Temperature: Reading(3650).Temperature,
		Readings:    readings,
		Policy:      "1",
		Limits:      wire.Limits{Fever: 3730, InvalidBelow: 3500, PairingMS: 8000},
		LatencyUS:   900,
	}
}

// Batch returns a batch of readings and passages: seqs from to to of journal n.
func Batch(n int, from, to uint64) store.Batch {
	b := Empty(n, from, to)
	for seq := from; seq <= to; seq++ {
		if seq%2 == 1 {
			b.Entries = append(b.Entries, Entry(seq, Reading(3600+fact.Temp(seq%100))))
		} else {
			b.Entries = append(b.Entries, Entry(seq, Passage(fact.VerdictPass, seq-1)))
		}
	}
	return b
}

// Empty returns a batch without records, to be filled.
func Empty(n int, from, to uint64) store.Batch {
	agent := fmt.Sprintf("gate-%03d", n)
	return store.Batch{
		Batch:    wire.Batch{Agent: agent, JID: JID(n), From: from, To: to},
		Received: T0.Add(time.Hour),
		Place:    store.Place{Community: "c1", Grid: "g1", Compound: fmt.Sprintf("k%d", n)},
	}
}

// suite is one test of the suite.
type suite struct {
	*testing.T
	s Opened
}

// commit commits batches, which must not fail.
func (t suite) commit(batches ...store.Batch) []store.Receipt {
	t.Helper()
	r, err := t.s.Commit(t.Context(), batches)
	if err != nil {
		t.Fatal(err)
	}
	if len(r) != len(batches) {
		t.Fatalf("%d receipts for %d batches", len(r), len(batches))
	}
	return r
}

// stored returns all rows, as "journal:seq", and checks that entries are among
// them, byte for byte.
func (t suite) stored(entries ...wire.Entry) (rows []string) {
	t.Helper()
	raws := map[string]bool{}
	for r, err := range t.s.Rows(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, fmt.Sprintf("%s:%d", r.JID[len(r.JID)-1:], r.Seq))
		raws[string(r.Raw)] = true
	}
	for _, e := range entries {
		if !raws[string(e.Raw)] {
			t.Errorf("seq %d is not stored byte for byte", e.Record.Seq)
		}
	}
	return rows
}

// rows checks which rows are stored, as "journal:seq journal:seq ...", and that
// entries are, byte for byte.
func (t suite) rows(want string, entries ...wire.Entry) {
	t.Helper()
	if got := strings.Join(t.stored(entries...), " "); got != want {
		t.Fatalf("rows %s, want %s", got, want)
	}
}

// count checks how many rows are stored.
func (t suite) count(want int) {
	t.Helper()
	if got := t.stored(); len(got) != want {
		t.Fatalf("%d rows, want %d: %v", len(got), want, got)
	}
}

// through checks the watermark of journal n.
func (t suite) through(n int, want uint64) {
	t.Helper()
	p, err := t.s.Position(t.Context(), JID(n))
	if err != nil || p.Through != want {
		t.Fatalf("the watermark of journal %d is %d, want %d; %v", n, p.Through, want, err)
	}
}
