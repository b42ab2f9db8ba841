// Package committed gives tests of the store's followers a store in memory, and
// brings its records to them.
package committed

import (
	"context"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Store is a store in memory. Its methods may be called from any goroutine.
type Store struct {
	mu        sync.Mutex
	rows      map[string][]store.Row // by jid
	conflicts []store.Conflicts
}

// Rows implements follow.Source.
func (s *Store) Rows(_ context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		s.mu.Lock()
		rows := slices.Clone(s.rows[q.JID])
		s.mu.Unlock()
		for _, x := range rows {
			if x.Seq > q.After && !yield(x, nil) {
				return
			}
		}
	}
}

// Positions implements follow.Source.
func (s *Store) Positions(context.Context) (out []store.Position, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for jid, rows := range s.rows {
		out = append(out, store.Position{JID: jid, Agent: rows[0].Agent, Through: rows[len(rows)-1].Seq})
	}
	return out, nil
}

// Losses returns that two messages are in quarantine and three records lost.
func (s *Store) Losses(context.Context) (quarantined, lost int, err error) { return 2, 3, nil }

// Conflicts returns what SetConflicts was given.
func (s *Store) Conflicts(context.Context) ([]store.Conflicts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conflicts, nil
}

// SetConflicts sets which agents have records in conflict with stored ones.
func (s *Store) SetConflicts(c ...store.Conflicts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conflicts = c
}

// Keep stores a batch.
func (s *Store) Keep(b store.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = map[string][]store.Row{}
	}
	for _, e := range b.Entries {
		s.rows[b.JID] = append(s.rows[b.JID], store.Row{Agent: b.Agent, JID: b.JID, Seq: e.Record.Seq,
			At: e.Record.At.Time, Kind: e.Record.Kind, Raw: e.Raw})
	}
}

// Agent and JID are those of Batch.
const (
	Agent = "gate-001"
	JID   = "0190b1c2-0000-7000-8000-00000000000a"
)

// Entry returns a record as a batch holds it.
func Entry(t *testing.T, seq uint64, at time.Time, body wire.Body) wire.Entry {
	t.Helper()
	b, err := wire.EncodeBody(body)
	if err != nil {
		t.Fatal(err)
	}
	r := wire.Record{Seq: seq, At: wire.At(at), Kind: body.Kind(), Body: b}
	raw, err := wire.EncodeRecord(r)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Entry{Record: r, Raw: raw}
}

// Batch returns a batch of Agent's journal JID.
func Batch(entries ...wire.Entry) store.Batch {
	return store.Batch{Batch: wire.Batch{Agent: Agent, JID: JID,
		From: entries[0].Record.Seq, To: entries[len(entries)-1].Record.Seq, Entries: entries}}
}

// Open opens a file with the steps of its schema, until the test ends.
func Open(t *testing.T, path string, steps ...string) *db.File {
	t.Helper()
	f, err := db.Open(path, steps...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// Way brings records to followers of one file.
type Way struct {
	*follow.Cursor

	t     *testing.T
	store *Store
}

// NewWay returns the way from a store to followers, as the file has it.
func NewWay(t *testing.T, file *db.File, s *Store, followers ...follow.Follower) *Way {
	t.Helper()
	c, err := follow.NewCursor(t.Context(), follow.Options{File: file, Records: s, Followers: followers})
	if err != nil {
		t.Fatal(err)
	}
	return &Way{c, t, s}
}

// Commit brings batches that were committed at now.
func (w *Way) Commit(now time.Time, batches ...store.Batch) {
	w.t.Helper()
	if _, err := w.Take(w.t.Context(), now, []follow.Event{{Committed: batches}}); err != nil {
		w.t.Fatal(err)
	}
}

// Arrive brings a batch that overtakes its journal at now.
func (w *Way) Arrive(now time.Time, b store.Batch) {
	w.t.Helper()
	b.Ahead = true
	if _, err := w.Take(w.t.Context(), now, []follow.Event{{Arrived: &b}}); err != nil {
		w.t.Fatal(err)
	}
}

// CatchUpAll brings at now what the store has and was not brought.
func (w *Way) CatchUpAll(now time.Time) {
	w.t.Helper()
	stored, _ := w.store.Positions(w.t.Context()) // it never fails
	missing, _, err := w.Missing(w.t.Context(), now, stored)
	for _, p := range missing {
		if err == nil {
			err = w.CatchUp(w.t.Context(), now, p.Agent, p.JID, p.Through)
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
