// Package db opens the SQLite files of the county and brings them up to the
// schema of this program. It is the only importer of the SQLite driver.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

const (
	// readers is how many queries of a File run at the same time.
	readers = 4
	// busyTimeout is how long a statement waits for another process's lock, in ms.
	busyTimeout = "busy_timeout(10000)"
	// walLimit is what the WAL shrinks to, in bytes, when all of it was copied into the
	// file: a reader that stayed open for long made it grow.
	walLimit = "journal_size_limit(16777216)"
	// pageSize is that of new files, in bytes: a record takes a few hundred, and with
	// pages of 4096 SQLite splits them twice as often.
	pageSize = "page_size(8192)"
	// writeCache is what the writing connection keeps in memory at most, in KiB: a
	// commit of the collector (2 MB). When pages don't fit, SQLite writes them before
	// the commit, and some of them twice.
	writeCache = "cache_size(-16384)"
)

// File is an open SQLite file. Its methods may be called from any goroutine.
type File struct {
	path   string
	writer *sql.DB // one connection: SQLite allows one writer; nil when opened read-only
	reader *sql.DB
	place  *place // nil when opened read-only
	// held keeps one connection open: with the last one SQLite would remove the WAL,
	// after it was copied into whatever the file holds by then.
	held *sql.Conn
}

// Open opens the file at path, readable by its owner only, and creates it when
// it is missing. steps are the statements that create version 1 of the schema,
// those that turn version 1 into version 2, and so on: a released step never
// changes. An older file is brought up to the last version in one transaction;
// a file of a later version is refused.
func Open(path string, steps ...string) (*File, error) {
	if err := create(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	p, err := find(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	f := &File{path: path, place: p}
	if f.writer, err = connect(path, "rwc", 1, p); err == nil {
		f.reader, err = connect(path, "ro", readers+1, p)
	}
	if err == nil {
		err = f.begin(context.Background(), steps)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), f.closeAll())
	}
	return f, nil
}

// begin makes the connection that is held, and brings the file up to the last
// version.
func (f *File) begin(ctx context.Context, steps []string) (err error) {
	if _, err := version(ctx, f.writer); err != nil { // makes the file if it is empty
		return err
	}
	if f.held, err = f.reader.Conn(ctx); err != nil {
		return err
	}
	if _, err := version(ctx, f.held); err != nil {
		return err
	}
	if err := f.place.connected(); err != nil {
		return err
	}
	return f.migrate(ctx, steps)
}

// OpenReadOnly opens an existing file for queries, also while another process
// writes to it. It does not look at the schema's version.
func OpenReadOnly(path string) (*File, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	reader, err := connect(path, "ro", readers, nil)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &File{path: path, reader: reader}, nil
}

// create makes an empty file that only its owner can read, if there is none: SQLite
// itself would use the umask.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// Path returns the path the file was opened with, for messages.
func (f *File) Path() string { return f.path }

// Reader returns the pool for queries. They see what is committed, also while
// a transaction of Write is under way.
func (f *File) Reader() *sql.DB { return f.reader }

// Writer returns the one connection for writing, for prepared statements and
// single statements. It waits while a transaction of Write is under way. It is
// nil when the file was opened read-only.
func (f *File) Writer() *sql.DB { return f.writer }

// Write runs do in one transaction, which is durable when Write returns nil and
// has changed nothing when it returns an error: one that wraps ErrMoved when the file
// is not the one at its path. Transactions run one after the other; within do, use
// the transaction only: Writer would wait for ever.
func (f *File) Write(ctx context.Context, do func(*sql.Tx) error) error {
	if f.writer == nil {
		return fmt.Errorf("%s is open for reading only", f.path)
	}
	if err := f.Check(); err != nil {
		return err
	}
	tx, err := f.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, rollback(tx))
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	f.place.committed()
	return nil
}

// Exec runs one statement as a transaction of its own; see Write.
func (f *File) Exec(ctx context.Context, query string, args ...any) (res sql.Result, err error) {
	err = f.Write(ctx, func(tx *sql.Tx) error {
		res, err = tx.ExecContext(ctx, query, args...)
		return err
	})
	return res, err
}

// Check fails with an error that wraps ErrMoved when the file is no longer the one
// at its path. It costs a few system calls.
func (f *File) Check() error {
	if f.place == nil {
		return nil
	}
	for _, fails := range []func() error{f.place.same, f.place.sameWAL, f.place.wholeWAL, f.place.untouched} {
		if err := fails(); err != nil {
			return err
		}
	}
	return nil
}

// rollback ends a transaction that failed. One whose context ended is rolled
// back already.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}
