// Package follow keeps others up to date with what the county's store has
// committed: the desk and the finder of runs in machines' reports. It owns how
// far each journal was followed, the order of records, the way back to the store
// for what was missed, and the day when a journal begins again. A follower takes
// each record in exactly once: its effects and the positions are written in one
// transaction of the follower's own file.
package follow

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Schema creates the table of positions as released files have it. They, and
// new ones, get the other columns in a later step: SchemaNewest, or SchemaAgent
// where the table was created without agents.
const Schema = `
CREATE TABLE progress (               -- how far each journal was followed
	jid     TEXT PRIMARY KEY,
	agent   TEXT NOT NULL,
	through INTEGER NOT NULL
) WITHOUT ROWID;`

// SchemaNewest adds the time of the newest record of each journal, in unix
// nanoseconds. It is not known of what was followed before: no record is later.
const SchemaNewest = `
ALTER TABLE progress ADD COLUMN newest INTEGER NOT NULL DEFAULT 9223372036854775807;`

// SchemaAgent adds both columns that a table of journals and seqs alone lacks.
const SchemaAgent = `
ALTER TABLE progress ADD COLUMN agent TEXT NOT NULL DEFAULT '';` + SchemaNewest

// Entry is one record for followers.
type Entry struct {
	Agent  string
	JID    string
	Record wire.Record
	// Ahead: an alarm that overtook its journal. It may not be stored yet, and
	// comes again in its turn.
	Ahead bool
	// Rebuilt: it is read from the store because the follower's file is newer
	// than the record's journal.
	Rebuilt bool
}

// Follower takes in records. Its methods are called by one goroutine at a time.
type Follower interface {
	// Kinds returns the kinds of records that the follower takes in. It also
	// gets those that others take in.
	Kinds() []wire.Kind
	// Apply takes in entries, each journal's in the order of its seqs and no
	// entry twice, except those that are Ahead. It writes with tx; what it holds
	// in memory it changes in the function that it returns, which is called after
	// the commit, and not at all if that fails. The function may be nil.
	Apply(ctx context.Context, tx *sql.Tx, now time.Time, entries []Entry) (committed Committed, err error)
	// Reset is called when journal jid begins again: its seqs stand for other
	// records from now on. What was taken in of it stays, as of journal former.
	Reset(ctx context.Context, tx *sql.Tx, jid, former string) (committed Committed, err error)
}

// Committed changes memory and screens after a transaction was committed.
type Committed func(context.Context) error

// Records is what the store has, from which is read what was missed.
type Records interface {
	// Rows yields stored records by journal and seq.
	Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error]
}

// Source is a store of which all journals are followed.
type Source interface {
	Records
	// Positions returns how far the store has each journal.
	Positions(ctx context.Context) ([]store.Position, error)
}

// Options are those of a cursor.
type Options struct {
	File    *db.File // with the table of Schema
	Records Records
	// BeginsAgain reports whether a journal may begin again, because its jid is
	// not minted anew when its keeper has lost it; nil: none may.
	BeginsAgain func(agent, jid string) bool
	Followers   []Follower
}

// Cursor knows how far each journal was followed. Its methods are for one
// goroutine at a time.
type Cursor struct {
	opts      Options
	positions map[string]position // by jid
	agents    map[string]bool     // of the positions
	kinds     map[wire.Kind]bool  // that any follower takes in
}

type position struct {
	agent   string
	through uint64 // all records up to this seq were taken in, or never will come
	newest  int64  // unix nanoseconds: no record up to through is later
}

// NewCursor reads the positions.
func NewCursor(ctx context.Context, opts Options) (*Cursor, error) {
	c := &Cursor{opts: opts, positions: map[string]position{}, agents: map[string]bool{}, kinds: map[wire.Kind]bool{}}
	for _, f := range opts.Followers {
		for _, kind := range f.Kinds() {
			c.kinds[kind] = true
		}
	}
	type row struct {
		jid string
		position
	}
	scan := func(r db.Row) (x row, err error) {
		err = r.Scan(&x.jid, &x.agent, &x.through, &x.newest)
		return x, err
	}
	for x, err := range db.Rows(ctx, opts.File.Reader(), scan, "SELECT jid, agent, through, newest FROM progress") {
		if err != nil {
			return nil, fmt.Errorf("read how far journals were followed: %w", err)
		}
		c.set(x.jid, x.position)
	}
	return c, nil
}

func (c *Cursor) set(jid string, p position) {
	c.positions[jid] = p
	c.agents[p.agent] = true
}

// Through returns the seq up to which a journal was followed; 0: not at all. It
// does not fall when the store loses records.
func (c *Cursor) Through(jid string) uint64 { return c.positions[jid].through }

// Agents returns the agents of all journals, in order.
func (c *Cursor) Agents() []string { return slices.Sorted(maps.Keys(c.agents)) }

// Knows reports whether a journal of agent was ever followed.
func (c *Cursor) Knows(agent string) bool { return c.agents[agent] }

// Followed returns up to which seq a journal was followed, from the file: it may be
// called from any goroutine. 0: not at all.
func Followed(ctx context.Context, q db.Querier, jid string) (uint64, error) {
	through, _, err := db.One(ctx, q, db.Value[uint64], "SELECT through FROM progress WHERE jid = ?", jid)
	if err != nil {
		return 0, fmt.Errorf("read how far a journal was followed: %w", err)
	}
	return through, nil
}
