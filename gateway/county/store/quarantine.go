package store

import (
	"errors"
	"time"

	"gatehouse/gateway/wire"
)

// Poison is something that was received and can't be stored.
type Poison struct {
	At     time.Time
	Agent  string // as the topic names it; may be empty
	JID    string // may be empty
	Seq    uint64 // 0 when unknown
	Topic  string
	Reason string
	Raw    []byte
}

// Quarantined is poison in quarantine.
type Quarantined struct {
	ID int64
	Poison
}

// Conflicts are an agent's records in quarantine for ReasonConflict.
type Conflicts struct {
	Agent string
	Count int
	JID   string // of the newest
	Seq   uint64 // likewise
}

// RecordedHole is a hole in a journal, as the books have it.
type RecordedHole struct {
	Agent string
	JID   string
	At    time.Time // when the collector received it
	wire.Hole
}

// ReasonConflict is why a record is in quarantine whose journal and seq are
// stored with another content: a copied disk, or a journal that gave a seq twice.
const ReasonConflict = "same journal and seq, other content"

// Reasons of holes that the county records.
const (
	// ReasonDropped: an operator removed the record from the quarantine.
	ReasonDropped = "dropped"
	// ReasonRepeated: the same bytes are stored under another journal of the agent.
	// An agent whose journal was renewed sends again what it does not know to be
	// stored.
	ReasonRepeated = "repeated"
	// ReasonLost: the store has lost records of a machine that reports by itself (a
	// wiped InfluxDB, a file from a backup), and the index of reports does not have
	// them any more. The machine's journal goes on behind them.
	ReasonLost = "store-lost"
	// ReasonBeyond: the store keeps records for a limited time (the retention of an
	// InfluxDB bucket), and this one was older than that when it came.
	ReasonBeyond = "beyond-retention"
)

// The quarantine is limited, so that no agent fills the county's disk with what
// nobody can read, nor somebody who invents names of agents.
const (
	ShareRows  = 5000     // of one agent
	ShareBytes = 32 << 20 // likewise
	AllRows    = 20 * ShareRows
	AllBytes   = 20 * ShareBytes
)

// ErrShare is wrapped by errors that say that the quarantine has no room for
// more of this agent, or of any.
var ErrShare = errors.New("the agent's share of the quarantine is full")
