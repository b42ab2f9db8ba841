package books

import (
	"context"
	"database/sql"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// schemaExpired is what version 5 adds: which records were removed because they were
// older than the county keeps them.
const schemaExpired = `
CREATE TABLE expired (
	journal INTEGER NOT NULL REFERENCES journals,
	kind    TEXT NOT NULL,
	through INTEGER NOT NULL, -- records of the kind up to this seq were removed
	oldest  INTEGER NOT NULL, -- unix nanoseconds, the first at of those that were removed
	newest  INTEGER NOT NULL, -- likewise, the last
	records INTEGER NOT NULL, -- how many they were
	since   INTEGER NOT NULL, -- unix nanoseconds, when the first of them was removed
	PRIMARY KEY (journal, kind)
) WITHOUT ROWID;`

// Mark is how far the records of a kind have expired in a journal.
type Mark struct {
	Through        uint64 // also of records of the kind that were not old enough
	Oldest, Newest int64  // unix nanoseconds, at of those that were removed; Oldest > Newest: none was
	Records        uint64
}

// Covers reports whether a record of the mark's kind can be one of those that were
// removed.
func (m Mark) Covers(r wire.Record) bool {
	at := r.At.UnixNano()
	return r.Seq <= m.Through && m.Oldest <= at && at <= m.Newest
}

// Marks returns a journal's marks by kind.
func (t *Tx) Marks(ctx context.Context, journal int64) (map[wire.Kind]Mark, error) {
	type row struct {
		kind wire.Kind
		Mark
	}
	scan := func(r db.Row) (x row, err error) {
		err = r.Scan(&x.kind, &x.Through, &x.Oldest, &x.Newest, &x.Records)
		return x, err
	}
	marks := map[wire.Kind]Mark{}
	for x, err := range db.Rows(ctx, t, scan,
		"SELECT kind, through, oldest, newest, records FROM expired WHERE journal = ?", journal) {
		if err != nil {
			return nil, err
		}
		marks[x.kind] = x.Mark
	}
	return marks, nil
}

// SetMark writes a mark.
func (t *Tx) SetMark(ctx context.Context, journal int64, kind wire.Kind, m Mark, now time.Time) error {
	_, err := t.ExecContext(ctx, `INSERT INTO expired VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
		through = excluded.through, oldest = excluded.oldest, newest = excluded.newest, records = excluded.records,
		since = CASE WHEN records = 0 THEN excluded.since ELSE since END`,
		journal, string(kind), int64(m.Through), m.Oldest, m.Newest, int64(m.Records), now.UnixNano())
	return err
}

// NeverStored reports whether a seq of a journal stands in a hole, so that no record
// of it was ever stored.
func (t *Tx) NeverStored(ctx context.Context, journal int64, seq uint64) (bool, error) {
	in, _, err := db.One(ctx, t, db.Value[bool],
		"SELECT EXISTS (SELECT 1 FROM holes WHERE journal = ? AND first <= ? AND last >= ?)",
		journal, int64(seq), int64(seq))
	return in, err
}

// Held returns why the same bytes of an agent are in quarantine; empty when they are
// not.
func (t *Tx) Held(ctx context.Context, agent string, raw []byte) (reason string, err error) {
	hash := wire.Hash(raw)
	reason, _, err = db.One(ctx, t, db.Value[string],
		"SELECT reason FROM quarantine WHERE agent = ? AND hash = ?", agent, hash[:])
	return reason, err
}

// EverExpired reports whether any records have expired.
func (b *Books) EverExpired(ctx context.Context) (bool, error) {
	ever, _, err := db.One(ctx, b.file.Reader(), db.Value[bool], "SELECT EXISTS (SELECT 1 FROM expired)")
	if err != nil {
		return false, b.failed("read what has expired", err)
	}
	return ever, nil
}

// Expired returns what has expired, by agent.
func (b *Books) Expired(ctx context.Context) ([]store.Expired, error) {
	all, err := db.All(ctx, b.file.Reader(), scanExpired,
		`SELECT agent, jid, kind, e.through, oldest, newest, records, since FROM expired e
		JOIN journals ON id = journal WHERE records > 0 ORDER BY agent, jid, kind`)
	if err != nil {
		return nil, b.failed("read what has expired", err)
	}
	return all, nil
}

func scanExpired(r db.Row) (e store.Expired, err error) {
	var oldest, newest, since int64
	err = r.Scan(&e.Agent, &e.JID, &e.Kind, &e.Through, &oldest, &newest, &e.Records, &since)
	e.Oldest, e.Newest = time.Unix(0, oldest).UTC(), time.Unix(0, newest).UTC()
	e.Since = time.Unix(0, since).UTC()
	return e, err
}

// LastExpiry returns when SetLastExpiry was last called; zero: never.
func (b *Books) LastExpiry(ctx context.Context) (at time.Time, err error) {
	v, found, err := b.meta(ctx, keyExpiry)
	if err == nil && found {
		at, err = time.Parse(time.RFC3339, v)
	}
	if err != nil {
		return at, b.failed("read when records last expired", err)
	}
	return at, nil
}

// SetLastExpiry notes that it was looked at now what is too old.
func (b *Books) SetLastExpiry(ctx context.Context, now time.Time) error {
	err := b.Update(ctx, func(tx *Tx) error { return setMeta(ctx, tx.sql, keyExpiry, now.UTC().Format(time.RFC3339)) })
	if err != nil {
		return b.failed("note when records expired", err)
	}
	return nil
}

func setMeta(ctx context.Context, tx *sql.Tx, key, value string) error {
	_, err := tx.ExecContext(ctx,
		"INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	return err
}
