package audit

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"sync"
	"time"

	"gatehouse/gateway/county/db"
)

// Schema creates the table. It is a step of the desk's file.
const Schema = `
CREATE TABLE audit (
	n      INTEGER PRIMARY KEY,
	at     INTEGER NOT NULL,         -- unix nanoseconds
	actor  TEXT NOT NULL,
	role   TEXT NOT NULL,
	origin TEXT NOT NULL,            -- from
	action TEXT NOT NULL,
	object TEXT NOT NULL,
	detail TEXT NOT NULL,
	prev   BLOB NOT NULL,            -- SHA-256 of the entry before
	hash   BLOB NOT NULL             -- SHA-256 of this one
);`

// Log is the audit in a file. Its methods may be called from any goroutine; other
// processes may write to the same file meanwhile.
type Log struct {
	file *db.File
	now  func() time.Time

	mu     sync.Mutex // guards what follows
	looks  looks
	failed failures
}

// New returns the audit of a file.
func New(file *db.File, now func() time.Time) *Log {
	return &Log{file: file, now: now, looks: newLooks(), failed: failures{}}
}

// Append writes an entry in the transaction of the act. The error wraps ErrUnwritten.
func Append(ctx context.Context, tx *sql.Tx, now time.Time, by By, act Act) error {
	last, err := head(ctx, tx)
	if err == nil {
		e := follow(last, Entry{At: now.UTC(), By: by, Act: act})
		_, err = tx.ExecContext(ctx, `INSERT INTO audit
			(n, at, actor, role, origin, action, object, detail, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			e.N, e.At.UnixNano(), e.Actor, e.Role, e.From, e.Action, e.Object, e.Detail, e.Prev[:], e.Hash[:])
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnwritten, err)
	}
	return nil
}

// Write writes an entry in a transaction of its own: of what is shown next, or done
// outside of this file. When it returns an error, that must not be done. The error wraps
// ErrUnwritten.
func (l *Log) Write(ctx context.Context, by By, act Act) error {
	err := l.file.Write(ctx, func(tx *sql.Tx) error { return Append(ctx, tx, l.now(), by, act) })
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnwritten, err)
	}
	return nil
}

// Look is Write for what a page asks for again and again: of the same looks by one user
// from one address it writes one every 10 minutes. The error wraps ErrLooks when the user
// has looked at too many things within a minute.
func (l *Log) Look(ctx context.Context, by By, act Act) error {
	key, now := keyOf(by, act), l.now()
	l.mu.Lock()
	same, err := l.looks.begin(now, by.Actor, key)
	l.mu.Unlock()
	if same || err != nil {
		return err
	}
	if err := l.Write(ctx, by, act); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looks.written(now, key)
	return nil
}

// Head returns where the chain ends.
func (l *Log) Head(ctx context.Context) (Head, error) {
	h, err := head(ctx, l.file.Reader())
	if err != nil {
		return Head{}, fmt.Errorf("read the audit: %w", err)
	}
	return h, nil
}

// head reads the last entry. One with a damaged hash has a zero one, and so the next entry
// does not follow it: Check finds that.
func head(ctx context.Context, q db.Querier) (h Head, err error) {
	h, _, err = db.One(ctx, q, func(r db.Row) (h Head, err error) {
		var n int64
		var hash []byte
		if err = r.Scan(&n, &hash); err == nil && len(hash) == len(h.Hash) {
			h.Hash = Hash(hash)
		}
		h.N = uint64(max(0, n))
		return h, err
	}, "SELECT n, CAST(hash AS BLOB) FROM audit ORDER BY n DESC LIMIT 1")
	return h, err
}

// Filter selects entries. Zero fields select all.
type Filter struct {
	Before uint64    // only entries with a lower n
	From   time.Time // only entries made at this time or later
	To     time.Time // only entries made before
	Actor  string    // only entries of this one
	Action Action    // only these
	Object string    // only entries about this one, or those whose object begins so
	Limit  int       // of Last
}

// where returns the filter in SQL.
func (f Filter) where() (where string, args []any) {
	where = "TRUE"
	add := func(condition string, value any) { where, args = where+" AND "+condition, append(args, value) }
	if f.Before != 0 {
		add("n < ?", int64(min(f.Before, 1<<62)))
	}
	if !f.From.IsZero() {
		add("at >= ?", f.From.UnixNano())
	}
	if !f.To.IsZero() {
		add("at < ?", f.To.UnixNano())
	}
	if f.Actor != "" {
		add("actor = ?", f.Actor)
	}
	if f.Action != "" {
		add("action = ?", f.Action)
	}
	if f.Object != "" {
		add("instr(object, ?) = 1", f.Object)
	}
	return where, args
}

// columns reads what somebody else may have written into the file as what it should be.
const columns = "SELECT n, CAST(at AS INTEGER), CAST(actor AS TEXT), CAST(role AS TEXT), CAST(origin AS TEXT)," +
	" CAST(action AS TEXT), CAST(object AS TEXT), CAST(detail AS TEXT), CAST(prev AS BLOB), CAST(hash AS BLOB)" +
	" FROM audit WHERE "

// Last returns the newest entries that f selects, the newest first.
func (l *Log) Last(ctx context.Context, f Filter) ([]Entry, error) {
	where, args := f.where()
	list, err := db.All(ctx, l.file.Reader(), scan, columns+where+" ORDER BY n DESC LIMIT ?", append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	return list, nil
}

// Entries yields the entries that f selects, the oldest first. A failure is the last pair.
func (l *Log) Entries(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		where, args := f.where()
		for e, err := range db.Rows(ctx, l.file.Reader(), scan, columns+where+" ORDER BY n", args...) {
			if err != nil {
				err = fmt.Errorf("read the audit behind entry %d: %w", e.N, err)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// scan reads an entry as it is stored. A hash of a wrong size is read as zero, which fits
// nothing.
func scan(r db.Row) (e Entry, err error) {
	var n, at int64
	var prev, hash []byte
	err = r.Scan(&n, &at, &e.Actor, &e.Role, &e.From, &e.Action, &e.Object, &e.Detail, &prev, &hash)
	e.N, e.At = uint64(max(0, n)), time.Unix(0, at).UTC()
	if len(prev) == len(e.Prev) {
		e.Prev = Hash(prev)
	}
	if len(hash) == len(e.Hash) {
		e.Hash = Hash(hash)
	}
	return e, err
}
