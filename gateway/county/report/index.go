package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/wire"
)

// schema of the index. All of it can be made again from the store.
const schema = `
CREATE TABLE seen (
	machine TEXT NOT NULL,
	at      INTEGER NOT NULL, -- unix nanoseconds, of the first point
	hash    BLOB NOT NULL,    -- of the report's bytes
	import  TEXT NOT NULL,    -- id of the file; empty: none
	track   BLOB NOT NULL,    -- the record's body
	PRIMARY KEY (machine, at, hash)
) WITHOUT ROWID;
CREATE INDEX seen_import ON seen (machine, import) WHERE import <> '';
CREATE TABLE runs (
	machine TEXT NOT NULL,
	run     TEXT NOT NULL,
	state   TEXT NOT NULL,
	start   INTEGER NOT NULL,
	finish  INTEGER NOT NULL,
	body    BLOB NOT NULL,
	PRIMARY KEY (machine, run)
) WITHOUT ROWID;
CREATE TABLE progress (
	jid     TEXT PRIMARY KEY,
	through INTEGER NOT NULL
) WITHOUT ROWID;`

// index is a file that finds repeats and neighbours of a report quickly. It
// follows the journals of machines in the store.
type index struct {
	file   *db.File
	mu     sync.Mutex     // held while cursor is used
	cursor *follow.Cursor // how far each journal is indexed
}

func openIndex(ctx context.Context, path string, stored follow.Records) (*index, error) {
	file, err := db.Open(path, schema, follow.SchemaAgent)
	if err != nil {
		return nil, err
	}
	x := &index{file: file}
	x.cursor, err = follow.NewCursor(ctx, follow.Options{File: file, Records: stored, Followers: []follow.Follower{x}})
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return x, nil
}

func (x *index) close() error { return x.file.Close() }

// Kinds implements follow.Follower.
func (*index) Kinds() []wire.Kind { return []wire.Kind{wire.KindTrack, wire.KindRun} }

// Apply implements follow.Follower.
func (x *index) Apply(ctx context.Context, tx *sql.Tx, _ time.Time, entries []follow.Entry) (follow.Committed, error) {
	for _, e := range entries {
		if err := x.apply(ctx, tx, e.Record); err != nil {
			return nil, fmt.Errorf("index a report: %w", err)
		}
	}
	return nil, nil
}

// Reset implements follow.Follower. No journal of a machine begins again while
// there is an index: the index has its last seq.
func (x *index) Reset(context.Context, *sql.Tx, string, string) (follow.Committed, error) {
	return nil, nil
}

func (x *index) apply(ctx context.Context, tx *sql.Tx, r wire.Record) error {
	body, err := r.DecodeBody()
	if err != nil {
		return err
	}
	switch t := body.(type) {
	case *wire.Track:
		file := ""
		if t.Import != nil {
			file = t.Import.ID
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO seen VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			t.Machine, t.At.UnixNano(), hashOf(t), file, []byte(r.Body))
	case *wire.Run:
		_, err = tx.ExecContext(ctx, `INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET state = excluded.state,
			start = excluded.start, finish = excluded.finish, body = excluded.body`,
			t.Machine, t.ID, string(t.State), t.Start.UnixNano(), t.End.UnixNano(), []byte(r.Body))
	}
	return err
}

// hashOf identifies a report by its bytes, and a part of a file by its number.
func hashOf(t *wire.Track) []byte {
	text := t.Raw
	if t.Import != nil {
		text = fmt.Sprintf("%s %d", t.Import.ID, t.Import.Part)
	}
	sum := wire.Hash([]byte(text))
	return sum[:16]
}

// has reports whether this report is indexed.
func (x *index) has(ctx context.Context, t *wire.Track) (bool, error) {
	_, found, err := db.One(ctx, x.file.Reader(), db.Value[int],
		"SELECT 1 FROM seen WHERE machine = ? AND at = ? AND hash = ?", t.Machine, t.At.UnixNano(), hashOf(t))
	if err != nil {
		return false, fmt.Errorf("look for a report of %s: %w", t.Machine, err)
	}
	return found, nil
}

// tracks returns a machine's reports from a time to another, in the order of
// their own times, without parts of files.
func (x *index) tracks(ctx context.Context, machine string, from, to time.Time) ([]*wire.Track, error) {
	return bodies[wire.Track](ctx, x,
		"SELECT track FROM seen WHERE machine = ? AND at BETWEEN ? AND ? AND import = '' ORDER BY at",
		machine, from.UnixNano(), to.UnixNano())
}

// parts returns the parts of an imported file that have come.
func (x *index) parts(ctx context.Context, machine, file string) ([]*wire.Track, error) {
	return bodies[wire.Track](ctx, x, "SELECT track FROM seen WHERE machine = ? AND import = ? ORDER BY at",
		machine, file)
}

// runs returns a machine's runs that overlap a span of time and were not
// withdrawn, in the order of their begin.
func (x *index) runs(ctx context.Context, machine string, from, to time.Time) ([]*wire.Run, error) {
	return bodies[wire.Run](ctx, x, `SELECT body FROM runs
		WHERE machine = ? AND start <= ? AND finish >= ? AND state <> 'withdrawn' ORDER BY start`,
		machine, to.UnixNano(), from.UnixNano())
}

// bodies decodes the records' bodies that a query returns.
func bodies[B any](ctx context.Context, x *index, query string, args ...any) ([]*B, error) {
	scan := func(r db.Row) (*B, error) {
		raw, err := db.Value[[]byte](r)
		if err != nil {
			return nil, err
		}
		body := new(B)
		return body, json.Unmarshal(raw, body)
	}
	out, err := db.All(ctx, x.file.Reader(), scan, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read reports and runs: %w", err)
	}
	return out, nil
}

// machines returns the machines that ever reported.
func (x *index) machines(ctx context.Context) ([]string, error) {
	out, err := db.All(ctx, x.file.Reader(), db.Value[string], "SELECT DISTINCT machine FROM seen")
	if err != nil {
		return nil, fmt.Errorf("read the machines that reported: %w", err)
	}
	return out, nil
}

// prune forgets reports of which a later one can't be a neighbour.
func (x *index) prune(ctx context.Context, before time.Time) error {
	_, err := x.file.Writer().ExecContext(ctx, "DELETE FROM seen WHERE at < ? AND import = ''", before.UnixNano())
	if err != nil {
		return fmt.Errorf("forget old reports: %w", err)
	}
	return nil
}
