// Package sqlite is the embedded store: one file, no server. It is also where
// the books of the InfluxDB store are kept: watermarks, holes, quarantine.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"gatehouse/gateway/county/db"
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
	file *db.File
	w    *sql.DB // the file's one connection for writing; nil when opened read-only
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

// Open opens the file and creates it when it is missing.
func Open(path string) (*Store, error) {
	file, err := db.Open(path, schema, schemaKin, schemaMarks, schemaShares)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, file: file, w: file.Writer(), r: file.Reader(), marked: map[int64]time.Time{}}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store %s: %w", path, err), file.Close())
	}
	return s, nil
}

// OpenReadOnly opens the file for queries, also while a collector runs.
func OpenReadOnly(path string) (*Store, error) {
	file, err := db.OpenReadOnly(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, file: file, r: file.Reader()}
	if err := s.identify(s.r); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store %s: %w", path, err), file.Close())
	}
	return s, nil
}

// prepare gives a new store its identity, and reads it.
func (s *Store) prepare() error {
	ctx := context.Background()
	if err := s.prepareInserts(ctx); err != nil {
		return err
	}
	err := s.identify(s.w)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO meta VALUES ('store', ?), ('term', '1') ON CONFLICT DO NOTHING", uuid.NewString())
		return err
	})
	if err != nil {
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
	return s.file.Write(ctx, what)
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
func (s *Store) Close() error { return s.file.Close() }

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
