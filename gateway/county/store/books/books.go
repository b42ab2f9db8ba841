// Package books keeps what the collector knows about its county's records, in a
// SQLite file, whichever store the records themselves are in: the identity and
// the term of the store, how far each journal is stored (its watermark), holes,
// and the quarantine.
package books

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

// Books are open books. Their methods may be called from any goroutine.
type Books struct {
	file    *db.File
	queries db.Statements // of the file's reader
	commits db.Statements // of its writer

	// updating is held while a transaction relies on the term, or changes it. It
	// is taken before mu and before the file's one writing connection.
	updating sync.Mutex
	marked   map[int64]time.Time // when each journal was last marked, by Journal.ID; guarded by updating

	mu   sync.Mutex // guards what follows
	id   string
	term uint64 // as this process knows it
}

// Open opens the file at path and creates it when it is missing.
func Open(path string) (*Books, error) {
	file, err := db.Open(path, schemaTables, schemaAgents, schemaMarks, schemaShares, schemaExpired,
		schemaRollups)
	if err != nil {
		return nil, err
	}
	b := &Books{file: file, marked: map[int64]time.Time{}}
	ctx := context.Background()
	err = b.identify(ctx)
	if errors.Is(err, errNoIdentity) {
		if err = b.mint(ctx); err == nil {
			err = errors.Join(b.identify(ctx), file.Checkpoint(ctx))
		}
	}
	if err == nil {
		err = b.prepareQueries(ctx)
	}
	if err == nil {
		b.commits, err = db.Prepare(ctx, file.Writer(), selectJournal, advanceJournal, selectOthers, insertDigests,
			deleteDigests)
	}
	if err != nil {
		return nil, errors.Join(b.failed("open", err), file.Close())
	}
	return b, nil
}

// OpenReadOnly opens the books for queries, also while a collector runs.
func OpenReadOnly(path string) (*Books, error) {
	file, err := db.OpenReadOnly(path)
	if err != nil {
		return nil, err
	}
	b := &Books{file: file}
	ctx := context.Background()
	if err = b.identify(ctx); err == nil {
		err = b.prepareQueries(ctx)
	}
	if err != nil {
		return nil, errors.Join(b.failed("open", err), file.Close())
	}
	return b, nil
}

func (b *Books) prepareQueries(ctx context.Context) (err error) {
	b.queries, err = db.Prepare(ctx, b.file.Reader(), selectPosition, selectOthers, selectDigests)
	return err
}

// Close closes the file.
func (b *Books) Close() error { return b.file.Close() }

// File returns the file of the books, for the store that keeps its records in it.
func (b *Books) File() *db.File { return b.file }

// failed adds to an error what failed and in which file.
func (b *Books) failed(what string, err error) error {
	return fmt.Errorf("%s (store %s): %w", what, b.file.Path(), fault(err))
}

// fault makes the error of a file that is not at its path one of the store.
func fault(err error) error {
	if errors.Is(err, db.ErrMoved) && !errors.Is(err, store.ErrFault) {
		return fmt.Errorf("%w: %w", store.ErrFault, err)
	}
	return err
}

// check fails when the file is not the one at its path: an answer about how far
// something is stored would be of a file that nobody finds again.
func (b *Books) check() error {
	if err := b.file.Check(); err != nil {
		return b.failed("look for the file", err)
	}
	return nil
}

var errNoIdentity = errors.New("the store has no identity")

// identify reads the store's identity.
func (b *Books) identify(ctx context.Context) error {
	id, found, err := b.meta(ctx, keyStore)
	if err != nil {
		return err
	}
	if !found {
		return errNoIdentity
	}
	term, _, err := b.meta(ctx, keyTerm)
	if err != nil {
		return err
	}
	b.id = id
	if b.term, err = strconv.ParseUint(term, 10, 64); err != nil {
		return fmt.Errorf("read the store's term: %w", err)
	}
	return nil
}

// mint assigns an identity to a new store.
func (b *Books) mint(ctx context.Context) error {
	return b.file.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?), (?, '1') ON CONFLICT DO NOTHING",
			keyStore, uuid.NewString(), keyTerm)
		return err
	})
}

// Keys of the table meta.
const (
	keyExpiry = "expiry" // when it was last looked for old records, RFC 3339
	keyStore  = "store"  // the store's id
	keyTerm   = "term"   // a decimal
	keyMarker = "marker" // the id of the marker in the store elsewhere
)

func (b *Books) meta(ctx context.Context, key string) (value string, found bool, err error) {
	return db.One(ctx, b.file.Reader(), db.Value[string], "SELECT value FROM meta WHERE key = ?", key)
}

// Identity returns the store's id (a UUID, as old as the store) and its term. The
// error wraps store.ErrFault when the file of the books is no longer at its path.
func (b *Books) Identity(context.Context) (id string, term uint64, err error) {
	if err := b.check(); err != nil {
		return "", 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.id, b.term, nil
}

// RaiseTerm makes the term at least atLeast, durably, and returns it. The
// collector calls it at its start, and when an agent has seen a higher term than
// the store: the store was restored from a backup. From then on, commits of
// another process that opened the store before fail with store.ErrTerm.
func (b *Books) RaiseTerm(ctx context.Context, atLeast uint64) (uint64, error) {
	b.updating.Lock()
	defer b.updating.Unlock()
	own := b.ownTerm()
	if atLeast <= own {
		return own, nil
	}
	err := b.file.Write(ctx, func(tx *sql.Tx) error { return writeTerm(ctx, tx, atLeast) })
	if err != nil {
		return own, b.failed("raise the term", err)
	}
	b.setTerm(atLeast)
	return atLeast, nil
}

func (b *Books) ownTerm() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.term
}

func (b *Books) setTerm(term uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.term = term
}

func writeTerm(ctx context.Context, tx *sql.Tx, term uint64) error {
	_, err := tx.ExecContext(ctx, "UPDATE meta SET value = ? WHERE key = ?", strconv.FormatUint(term, 10), keyTerm)
	return err
}

// ownsTerm fails with store.ErrTerm when another process has raised the term.
func (b *Books) ownsTerm(ctx context.Context, tx *sql.Tx) error {
	term, _, err := db.One(ctx, tx, db.Value[string], "SELECT value FROM meta WHERE key = ?", keyTerm)
	if err != nil {
		return err
	}
	if own := b.ownTerm(); term != strconv.FormatUint(own, 10) {
		return fmt.Errorf("%w: it is %s, this one's %d", store.ErrTerm, term, own)
	}
	return nil
}
