package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// schema of the file that finds repeats and neighbours of a report quickly.
// All of it can be made again from the store.
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

// book is that file.
type book struct{ w, r *sql.DB }

func openBook(path string) (*book, error) {
	file, err := db.Open(path, schema)
	if err != nil {
		return nil, err
	}
	return &book{w: file.Writer(), r: file.Reader()}, nil
}

func (b *book) close() error { return errors.Join(b.r.Close(), b.w.Close()) }

// keyOf names a report by its bytes, and a part of a file by its number.
func keyOf(t *wire.Track) []byte {
	text := t.Raw
	if t.Import != nil {
		text = fmt.Sprintf("%s %d", t.Import.ID, t.Import.Part)
	}
	sum := wire.Hash([]byte(text))
	return sum[:16]
}

// seen tells whether this report is here already.
func (b *book) seen(ctx context.Context, t *wire.Track) (bool, error) {
	var n int
	err := b.r.QueryRowContext(ctx, "SELECT count(*) FROM seen WHERE machine = ? AND at = ? AND hash = ?", t.Machine, t.At.UnixNano(), keyOf(t)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for a report of %s: %w", t.Machine, err)
	}
	return n > 0, nil
}

// take notes records that the store has committed.
func (b *book) take(ctx context.Context, jid string, entries []wire.Record) error {
	tx, err := b.w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("note reports: %w", err)
	}
	for _, r := range entries {
		if err := note(ctx, tx, r); err != nil {
			return errors.Join(fmt.Errorf("note reports: %w", err), tx.Rollback())
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO progress VALUES (?, ?) ON CONFLICT DO UPDATE SET through = excluded.through", jid, entries[len(entries)-1].Seq)
	if err != nil {
		return errors.Join(fmt.Errorf("note reports: %w", err), tx.Rollback())
	}
	return tx.Commit()
}

func note(ctx context.Context, tx *sql.Tx, r wire.Record) error {
	body, err := r.DecodeBody()
	if err != nil {
		return err
	}
	switch t := body.(type) {
	case *wire.Track:
		part := ""
		if t.Import != nil {
			part = t.Import.ID
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO seen VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", t.Machine, t.At.UnixNano(), keyOf(t), part, []byte(r.Body))
	case *wire.Run:
		_, err = tx.ExecContext(ctx, `INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state,
			start = excluded.start, finish = excluded.finish, body = excluded.body`,
			t.Machine, t.ID, string(t.State), t.Start.UnixNano(), t.End.UnixNano(), []byte(r.Body))
	}
	return err
}

// tracks gives a machine's reports of a span, in the order of their time.
func (b *book) tracks(ctx context.Context, machine string, from, to time.Time) ([]*wire.Track, error) {
	return b.readTracks(ctx, "machine = ? AND at BETWEEN ? AND ? AND import = '' ORDER BY at", machine, from.UnixNano(), to.UnixNano())
}

// parts gives what has come of an imported file, in the order of its parts.
func (b *book) parts(ctx context.Context, machine, id string) ([]*wire.Track, error) {
	return b.readTracks(ctx, "machine = ? AND import = ? ORDER BY at", machine, id)
}

func (b *book) readTracks(ctx context.Context, where string, args ...any) (out []*wire.Track, err error) {
	rows, err := b.r.QueryContext(ctx, "SELECT track FROM seen WHERE "+where, args...) //nolint:gosec // a constant
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		t := &wire.Track{}
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("read reports: %w", err)
		}
		if err := json.Unmarshal(raw, t); err != nil {
			return nil, fmt.Errorf("read reports: %w", err)
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// runs gives a machine's runs that touch a span and were not withdrawn.
func (b *book) runs(ctx context.Context, machine string, from, to time.Time) (out []*wire.Run, err error) {
	rows, err := b.r.QueryContext(ctx, "SELECT body FROM runs WHERE machine = ? AND start <= ? AND finish >= ? AND state <> 'withdrawn' ORDER BY start",
		machine, to.UnixNano(), from.UnixNano())
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		r := &wire.Run{}
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		if err := json.Unmarshal(raw, r); err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// machines are those that ever reported.
func (b *book) machines(ctx context.Context) (out []string, err error) {
	rows, err := b.r.QueryContext(ctx, "SELECT DISTINCT machine FROM seen")
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var m string
		if err := rows.Scan(&m); err != nil {
			return nil, fmt.Errorf("read reports: %w", err)
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// catchUp notes what the store has of a journal and the book has not: after a
// kill between the two. It returns the highest seq of the journal that was ever
// given.
func (b *book) catchUp(ctx context.Context, s Store, jid string) (through uint64, err error) {
	err = b.r.QueryRowContext(ctx, "SELECT through FROM progress WHERE jid = ?", jid).Scan(&through)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read how far the reports are noted: %w", err)
	}
	var chunk []wire.Record
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		defer func() { chunk = chunk[:0] }()
		return b.take(ctx, jid, chunk)
	}
	for row, err := range s.Rows(ctx, store.Query{JID: jid, After: through}) {
		if err != nil {
			return 0, err
		}
		r, err := wire.DecodeRecord(row.Raw)
		if err != nil {
			return 0, fmt.Errorf("a stored report: %w", err)
		}
		through = r.Seq
		if chunk = append(chunk, r); len(chunk) == 1000 {
			if err := flush(); err != nil {
				return 0, err
			}
		}
	}
	return through, flush()
}

// prune forgets what no report can concern any more.
func (b *book) prune(ctx context.Context, before time.Time) error {
	_, err := b.w.ExecContext(ctx, "DELETE FROM seen WHERE at < ? AND import = ''", before.UnixNano())
	if err != nil {
		return fmt.Errorf("forget old reports: %w", err)
	}
	return nil
}
