// Package sqlite is the embedded store: one file, no server. It is also where
// the books of the InfluxDB store are kept: watermarks, holes, quarantine.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver

	"gatehouse/gateway/county/store"
)

const schema = `
CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE journals (
	id         INTEGER PRIMARY KEY,
	jid        TEXT NOT NULL UNIQUE,
	agent      TEXT NOT NULL,
	through    INTEGER NOT NULL DEFAULT 0, -- the watermark
	community  TEXT NOT NULL,
	grid       TEXT NOT NULL,
	compound   TEXT NOT NULL,
	first_seen INTEGER NOT NULL            -- unix nanoseconds, as all times here
);
CREATE TABLE records (
	journal  INTEGER NOT NULL REFERENCES journals,
	seq      INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	received INTEGER NOT NULL,
	kind     TEXT NOT NULL,
	raw      BLOB NOT NULL,                -- the record's bytes as the journal fixed them
	PRIMARY KEY (journal, seq)
) WITHOUT ROWID;
CREATE TABLE holes (
	journal  INTEGER NOT NULL REFERENCES journals,
	first    INTEGER NOT NULL,
	last     INTEGER NOT NULL,
	reason   TEXT NOT NULL,
	at       INTEGER NOT NULL,
	PRIMARY KEY (journal, first, last)
) WITHOUT ROWID;
CREATE TABLE quarantine (
	id     INTEGER PRIMARY KEY,
	at     INTEGER NOT NULL,
	agent  TEXT NOT NULL,
	jid    TEXT NOT NULL,
	seq    INTEGER NOT NULL,
	topic  TEXT NOT NULL,
	reason TEXT NOT NULL,
	hash   BLOB NOT NULL,
	raw    BLOB NOT NULL,
	UNIQUE (agent, hash)
);
-- What another store was given lately: one row a batch, a digest of 8 bytes a
-- record, so that a repeat is told from another content without reading back.
CREATE TABLE digests (
	journal INTEGER NOT NULL REFERENCES journals,
	seq     INTEGER NOT NULL, -- of the first record
	seqs    BLOB NOT NULL,    -- the others' distances from it, 4 bytes each
	sums    BLOB NOT NULL,
	PRIMARY KEY (journal, seq)
) WITHOUT ROWID;`

// schemaKin is what the second version has more: the journals of an agent are
// looked for when it sends again what it does not know to be stored.
const schemaKin = `CREATE INDEX journals_agent ON journals (agent);`

// Store implements store.Store.
type Store struct {
	path string
	w    *sql.DB // one connection: SQLite has one writer
	r    *sql.DB
	one  *sql.Stmt // insert one record, rowsAtOnce records
	many *sql.Stmt
	// marked is when each journal was last marked; the committer's own.
	marked map[int64]time.Time

	mu   sync.Mutex
	id   string
	term uint64
}

var _ store.Store = (*Store)(nil)

// Open opens the file and makes it when it is missing.
func Open(path string) (*Store, error) {
	// Made here, so that nobody else can read it: SQLite would use the umask.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	f.Close()
	s := &Store{path: path, marked: map[int64]time.Time{}}
	if s.w, err = connect(path, "rwc", 1); err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store %s: %w", path, err), s.w.Close())
	}
	if s.r, err = connect(path, "ro", 4); err != nil {
		return nil, errors.Join(err, s.w.Close())
	}
	return s, nil
}

// OpenReadOnly opens the file for looking, also while a collector runs.
func OpenReadOnly(path string) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	r, err := connect(path, "ro", 2)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, r: r}
	if err := s.identify(r); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store %s: %w", path, err), r.Close())
	}
	return s, nil
}

// connect opens a pool. Pragmas stand in the address, so that every connection
// of the pool has them. FULL makes a commit survive a power cut.
func connect(path, mode string, conns int) (*sql.DB, error) {
	q := url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_pragma": {"busy_timeout(10000)", "foreign_keys(1)"}}
	if mode != "ro" {
		q["_pragma"] = append(q["_pragma"], "journal_mode(WAL)", "synchronous(FULL)")
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// OpenFile opens another file of the county's, such as the desk's, and makes
// it with schema when it is new: statements that made its first version, those
// that made the second of it, and so on. There is one writer, and a pool of
// readers.
func OpenFile(path string, schema ...string) (w, r *sql.DB, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	f.Close()
	if w, err = connect(path, "rwc", 1); err != nil {
		return nil, nil, err
	}
	s := &Store{path: path, w: w}
	if err := s.make(schema, func(context.Context, *sql.Tx) error { return nil }); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open %s: %w", path, err), w.Close())
	}
	if r, err = connect(path, "ro", 4); err != nil {
		return nil, nil, errors.Join(err, w.Close())
	}
	return w, r, nil
}

// make makes the schema in a new file, brings an older one up to it, and
// refuses one of a later version. fill is for new files.
func (s *Store) make(schema []string, fill func(context.Context, *sql.Tx) error) error {
	ctx := context.Background()
	var have int
	version := len(schema)
	if err := s.w.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	switch {
	case have > version:
		return fmt.Errorf("it was written by a later version (schema %d, this is %d)", have, version)
	case have == version:
		return nil
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, step := range schema[have:] {
			if _, err := tx.ExecContext(ctx, step); err != nil {
				return err
			}
		}
		if have == 0 {
			if err := fill(ctx, tx); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(version))
		return err
	})
}

// prepare makes the schema in a new file and reads the store's identity.
func (s *Store) prepare() error {
	ctx := context.Background()
	err := s.make([]string{schema, schemaKin, schemaMarks, schemaShares}, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO meta VALUES ('store', ?), ('term', '1')", uuid.NewString())
		return err
	})
	if err != nil {
		return err
	}
	if err := s.prepareInserts(ctx); err != nil {
		return err
	}
	return s.identify(s.w)
}

func (s *Store) identify(db *sql.DB) error {
	var term string
	err := db.QueryRowContext(context.Background(), "SELECT a.value, b.value FROM meta a, meta b WHERE a.key = 'store' AND b.key = 'term'").Scan(&s.id, &term)
	if err != nil {
		return fmt.Errorf("read the store's id: %w", err)
	}
	if s.term, err = strconv.ParseUint(term, 10, 64); err != nil {
		return fmt.Errorf("read the store's term: %w", err)
	}
	return nil
}

// write runs what in one durable transaction.
func (s *Store) write(ctx context.Context, what func(*sql.Tx) error) error {
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := what(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// commit is write for who must own the store's term.
func (s *Store) commit(ctx context.Context, what func(*sql.Tx) error) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		var term string
		if err := tx.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'term'").Scan(&term); err != nil {
			return err
		}
		if _, own, _ := s.Identity(ctx); term != strconv.FormatUint(own, 10) {
			return fmt.Errorf("%w: it is %s, this one's %d", store.ErrTerm, term, own)
		}
		return what(tx)
	})
}

// Close ends the store.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.r, s.w} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Identity implements store.Store.
func (s *Store) Identity(context.Context) (string, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id, s.term, nil
}

// RaiseTerm implements store.Store.
func (s *Store) RaiseTerm(ctx context.Context, atLeast uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if atLeast <= s.term {
		return s.term, nil
	}
	if _, err := s.w.ExecContext(ctx, "UPDATE meta SET value = ? WHERE key = 'term'", strconv.FormatUint(atLeast, 10)); err != nil {
		return s.term, fmt.Errorf("raise the store's term: %w", err)
	}
	s.term = atLeast
	return s.term, nil
}
