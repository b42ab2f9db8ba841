package store

import (
	"time"

	"gatehouse/gateway/wire"
)

// Expiry asks a store to remove old records of one journal.
type Expiry struct {
	JID     string
	Kind    wire.Kind // of the records to remove
	Before  time.Time // only what the county received before it
	Through uint64    // only up to this seq
	Looked  int       // at most so many records are looked at
}

// Removal is what a store did about an Expiry.
type Removal struct {
	Looked  int           // records that were looked at and are old enough, of any kind; 0: nothing is left to do
	Removed int           // records that were removed
	Held    time.Duration // for how long a commit had to wait for it at most
}

// Expired says which records of a journal were removed because they were older than
// the county keeps them: those of a kind up to a seq. They count as stored: an agent
// that sends one again is answered as if it were there.
type Expired struct {
	Agent   string
	JID     string
	Kind    wire.Kind
	Through uint64
	Oldest  time.Time // of what was removed, by the clocks of gates
	Newest  time.Time // likewise
	Records uint64
	Since   time.Time // when the first of them was removed
}
