// Package store is where the county keeps what its gates saw. Two stores stand
// behind one interface, and one shared suite (storetest) runs against both:
// SQLite, one embedded file, and InfluxDB for telemetry, with the books
// (watermarks, holes, quarantine) in SQLite in either case.
package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"gatehouse/gateway/wire"
)

// Place is where an agent stands. Its fields are the bounded labels that a
// time-series store may index. It is fixed for the life of a journal, so that
// a row written twice has the same key both times.
type Place struct {
	Community string
	Grid      string
	Compound  string
}

// Receipt is what became of one batch.
type Receipt struct {
	JID     string
	Through uint64 // the journal's watermark after the commit
	Ahead   uint64 // the alarm sent ahead that is now stored; 0: none
	// Gap: the batch begins after Through+1, nothing of it was stored, and the
	// agent must send what is missing first.
	Gap bool
	// Refused: records of the batch belong into quarantine and the agent's share
	// of it is full. Nothing of the batch was stored, and it must not be
	// acknowledged.
	Refused  bool
	New      int        // rows that were not there before
	Rejected []wire.Bad // what went to quarantine, and why
	Repeated []uint64   // what is stored under a former journal of the agent
}

// Position is how far a journal has got.
type Position struct {
	JID     string
	Agent   string
	Through uint64
	Place   Place
}

// Store commits batches. Its users are the collector (Commit, Positions), the
// screens and the proof (Rows, Quarantined, Holes).
type Store interface {
	// Commit makes the batches durable and returns one receipt each, in order.
	// It is idempotent: a batch that was committed before changes nothing. An
	// error means that none of it may be acknowledged and all of it should be
	// offered again after a while (Retry tells how long); it wraps ErrFault
	// when trying again can't help before somebody has acted.
	Commit(ctx context.Context, batches []Batch) ([]Receipt, error)
	// Position reads how far the store has a journal; zero for one it never saw.
	Position(ctx context.Context, jid string) (Position, error)
	// Identity is the store's id (a UUID, as old as the store) and its term.
	Identity(ctx context.Context) (id string, term uint64, err error)
	// RaiseTerm makes the term at least atLeast, durably, and returns it. The
	// collector calls it at its start, and when an agent has seen a higher term
	// than the store: the store was restored from a backup. Commits of whoever
	// opened the store before fail with ErrTerm from then on.
	RaiseTerm(ctx context.Context, atLeast uint64) (uint64, error)
	// Quarantine keeps what can't be stored, with the reason. The same bytes
	// from the same agent are kept once. It fails with ErrShare when the agent's
	// share of the quarantine is full: nothing was kept.
	Quarantine(ctx context.Context, p Poison) error
	// Rows yields stored records by journal and seq.
	Rows(ctx context.Context, q Query) iter.Seq2[Row, error]
	// Close ends the store after what is under way.
	Close() error
}

// Batch is a batch with what the collector adds: when it came and where its
// agent stands.
type Batch struct {
	wire.Batch
	Place    Place
	Received time.Time
	Retry    bool // out of the quarantine: it may be behind the watermark
}

// Row is one stored record.
type Row struct {
	Agent string
	JID   string
	Place Place
	Seq   uint64
	At    time.Time
	Kind  wire.Kind
	Raw   []byte // the record's bytes as the journal fixed them
}

// Query selects rows. Zero fields select all.
type Query struct {
	JID   string
	Kind  wire.Kind
	After uint64 // only rows with a higher seq
}

// Poison is something that arrived and can't be stored.
type Poison struct {
	At     time.Time
	Agent  string // by the topic; may be empty
	JID    string // may be empty
	Seq    uint64 // 0 when unknown
	Topic  string
	Reason string
	Raw    []byte
}

// HeldPoison is a row of the quarantine.
type HeldPoison struct {
	ID int64
	Poison
}

// HeldHole is a recorded hole.
type HeldHole struct {
	Agent string
	JID   string
	At    time.Time // when the collector learnt of it
	wire.Hole
}

// ReasonConflict is why a record whose journal and seq are stored with another
// content is in quarantine: a copied disk, or a journal that gave a seq twice.
const ReasonConflict = "same journal and seq, other content"

// ReasonDropped is the reason of the hole that a record leaves which somebody
// dropped from the quarantine.
const ReasonDropped = "dropped"

// Conflicts are an agent's records in quarantine for ReasonConflict.
type Conflicts struct {
	Agent string
	Count int
	JID   string // of the latest
	Seq   uint64 // likewise
}

// ReasonRepeated is the reason of holes that stand for records which came under
// a former journal of the same agent, byte for byte the same: a journal that
// was renewed sends again what it does not know to be stored.
const ReasonRepeated = "repeated"

// ReasonLost is the reason of the hole in a machine's reports that stands for
// records which the store has lost (a wiped InfluxDB, a file out of a backup) and
// nobody sends again: the journal goes on behind them.
const ReasonLost = "store-lost"

// ErrFault says that the store itself is at fault (a full disk, a retention or
// series limit, too many refusals at once): stop, raise an alarm, quarantine
// nothing.
var ErrFault = errors.New("the store is at fault")

// An agent's share of the quarantine, so that no agent fills the county's disk
// with what nobody can read; and what all agents have together, should somebody
// invent names for agents.
const (
	ShareRows  = 5000
	ShareBytes = 32 << 20
	AllRows    = 20 * ShareRows
	AllBytes   = 20 * ShareBytes
)

// ErrShare says that an agent's share of the quarantine is full, or all of it.
var ErrShare = errors.New("the agent's share of the quarantine is full")

// ErrTerm says that another collector has raised the store's term since this
// one opened it: it has taken over, and nothing was committed.
var ErrTerm = errors.New("another collector has raised the store's term")
