package report

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/wire"
)

// schema of the index, as released files have it. All of it can be made again from
// the store.
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

// schemaArrived makes reports known by when they arrived, because their judged times
// may change. It keeps what is known of each machine's stream, too.
const schemaArrived = `
CREATE TABLE reports (
	id      INTEGER PRIMARY KEY,
	machine TEXT NOT NULL,
	at      INTEGER NOT NULL, -- unix nanoseconds, when it was made, as it is judged now
	arrived INTEGER NOT NULL, -- unix nanoseconds
	own     INTEGER NOT NULL, -- unix nanoseconds by the machine's clock
	hash    BLOB NOT NULL,    -- of the report's bytes and values
	import  TEXT NOT NULL,    -- id of the file; empty: none
	track   BLOB NOT NULL     -- the record's body
);
CREATE INDEX reports_at ON reports (machine, at);
CREATE INDEX reports_arrived ON reports (machine, arrived);
CREATE INDEX reports_hash ON reports (machine, hash);
CREATE INDEX reports_import ON reports (machine, import) WHERE import <> '';
INSERT INTO reports (machine, at, arrived, own, hash, import, track)
	SELECT machine, at, at, at, hash, import, track FROM seen ORDER BY machine, at;
DROP TABLE seen;
CREATE TABLE streams (
	machine TEXT PRIMARY KEY,
	state   BLOB NOT NULL     -- JSON
) WITHOUT ROWID;`

// schemaRecords keeps what each record was in its journal, so that a store that has
// lost it gets it back.
const schemaRecords = `
ALTER TABLE reports ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;      -- 0: not known
ALTER TABLE reports ADD COLUMN recorded INTEGER NOT NULL DEFAULT 0; -- unix nanoseconds, the record's time
CREATE INDEX reports_seq ON reports (machine, seq);
CREATE TABLE run_records (
	machine  TEXT NOT NULL,
	seq      INTEGER NOT NULL,
	recorded INTEGER NOT NULL,
	body     BLOB NOT NULL,
	PRIMARY KEY (machine, seq)
) WITHOUT ROWID;`

// index is a file that finds repeats and neighbours of a report quickly. It
// follows the journals of machines in the store.
type index struct {
	file   *db.File
	mu     sync.Mutex     // held while cursor is used
	cursor *follow.Cursor // how far each journal is indexed
}

// OpenFile opens the file of the reports, and makes it when it is missing.
func OpenFile(path string) (*db.File, error) {
	return db.Open(path, schema, follow.SchemaAgent, schemaArrived, schemaRecords)
}

func openIndex(ctx context.Context, path string, stored follow.Records) (*index, error) {
	file, err := OpenFile(path)
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
		_, err = tx.ExecContext(ctx, `INSERT INTO reports
			(machine, at, arrived, own, hash, import, track, seq, recorded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			t.Machine, t.At.UnixNano(), kept{Track: t}.arrived().UnixNano(), own(t).UnixNano(),
			hashOf(t), file, []byte(r.Body), int64(r.Seq), r.At.UnixNano())
	case *wire.Run:
		_, err = tx.ExecContext(ctx, "INSERT INTO run_records VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			t.Machine, int64(r.Seq), r.At.UnixNano(), []byte(r.Body))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET state = excluded.state,
			start = excluded.start, finish = excluded.finish, body = excluded.body`,
			t.Machine, t.ID, string(t.State), t.Start.UnixNano(), t.End.UnixNano(), []byte(r.Body))
	}
	return err
}
