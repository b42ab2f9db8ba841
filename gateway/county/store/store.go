// Package store defines what a county stores of its agents' records: batches go
// in, receipts come back, rows can be read. Two stores implement it and pass one
// suite (storetest): store/sqlite and store/influx. Both keep their books
// (watermarks, holes, quarantine) with store/books.
package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"gatehouse/gateway/wire"
)

// Store stores records.
type Store interface {
	// Commit makes batches durable and returns one receipt each, in order. It is
	// idempotent: a batch that was committed before changes nothing. After an
	// error none of the batches may be acknowledged, and all of them should be
	// offered again later (an error with a method RetryAfter() time.Duration says
	// when). The error wraps ErrFault when trying again can't help before somebody
	// has removed the cause. One Commit at a time.
	Commit(ctx context.Context, batches []Batch) ([]Receipt, error)
	// Rows yields stored records by journal and seq. A failure is the last pair.
	Rows(ctx context.Context, q Query) iter.Seq2[Row, error]
}

// Batch is a batch as the collector received it.
type Batch struct {
	wire.Batch
	Place    Place // where the agent is
	Received time.Time
	Retry    bool // from the quarantine: it may be behind the watermark
}

// Poison returns a bad record of the batch as the quarantine stores it.
func (b Batch) Poison(bad wire.Bad) Poison {
	return Poison{At: b.Received, Agent: b.Agent, JID: b.JID, Seq: bad.Seq, Reason: bad.Reason, Raw: bad.Raw}
}

// Place is where an agent is: the bounded labels by which a time-series store
// may index. It is fixed by a journal's first batch, so that a record that is
// written twice has the same key both times.
type Place struct {
	Community string
	Grid      string
	Compound  string
}

// Receipt is what became of one batch.
type Receipt struct {
	JID     string
	Through uint64 // the journal's watermark after the commit
	Ahead   uint64 // seq of the alarm sent ahead that is stored now; 0: none
	// Gap is set when the batch begins after Through+1: nothing of it was stored,
	// and the agent must send what is missing first.
	Gap bool
	// Refused is set when nothing of the batch was stored, and other agents' batches
	// were: Why says why. When Why is empty, records of the batch belong into
	// quarantine and the agent's share of it is full.
	Refused  bool
	Why      string
	New      int        // records that were not stored before
	Rejected []wire.Bad // records that went to quarantine, and why
	Repeated []uint64   // seqs of records that are stored under another journal of the agent
	Beyond   []uint64   // seqs of records that are older than the store keeps them: now a hole
}

// Position is how far a journal is stored.
type Position struct {
	JID     string
	Agent   string // empty for a journal that is not known
	Through uint64 // the watermark: all up to this seq is stored, a hole or in quarantine
	Place   Place
}

// Row is one stored record.
type Row struct {
	Agent string
	JID   string
	Place Place
	Seq   uint64
	At    time.Time
	Kind  wire.Kind
	Raw   []byte // the record's bytes as the journal wrote them
}

// Query selects rows. Zero fields select all.
type Query struct {
	JID   string
	Kind  wire.Kind
	After uint64    // only rows with a higher seq
	From  time.Time // only records made at this time or later
	To    time.Time // only records made before
}

// Spans reports whether a record made at the given time is between From and To.
func (q Query) Spans(at time.Time) bool {
	return !at.Before(q.From) && (q.To.IsZero() || at.Before(q.To))
}

// ErrFault is wrapped by errors whose cause is the store itself (a full disk, a
// retention or series limit, too many refusals at once). Nothing is quarantined: the
// collector offers the batches again, and its status says what is wrong.
var ErrFault = errors.New("the store is at fault")

// ErrTerm is wrapped by errors of a process that may no longer commit: another
// collector has raised the store's term since this one opened it.
var ErrTerm = errors.New("another collector has raised the store's term")
