// Package db opens the SQLite files of the county and brings them up to the
// schema of this program. It is the only importer of the SQLite driver.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

const (
	// readers is how many queries of a File run at the same time.
	readers = 4
	// busyTimeout is how long a statement waits for another process's lock, in ms.
	busyTimeout = "busy_timeout(10000)"
)

// File is an open SQLite file. Its methods may be called from any goroutine.
type File struct {
	path   string
	writer *sql.DB // one connection: SQLite allows one writer; nil when opened read-only
	reader *sql.DB
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
	writer, err := connect(path, "rwc", 1)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, writer: writer}
	if err := f.migrate(context.Background(), steps); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), writer.Close())
	}
	if f.reader, err = connect(path, "ro", readers); err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	return f, nil
}

// OpenReadOnly opens an existing file for queries, also while another process
// writes to it. It does not look at the schema's version.
func OpenReadOnly(path string) (*File, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	reader, err := connect(path, "ro", readers)
	if err != nil {
		return nil, err
	}
	return &File{path: path, reader: reader}, nil
}

// create makes an empty file that only its owner can read: SQLite itself would
// use the umask.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// connect opens a pool. The pragmas are part of the address, so that every
// connection of the pool has them. With synchronous=FULL a committed
// transaction survives a power cut.
func connect(path, mode string, connections int) (*sql.DB, error) {
	q := url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_pragma": {busyTimeout, "foreign_keys(1)"}}
	if mode != "ro" {
		q["_pragma"] = append(q["_pragma"], "journal_mode(WAL)", "synchronous(FULL)")
	}
	address := url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}
	pool, err := sql.Open("sqlite", address.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
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
// has changed nothing when it returns an error. Transactions run one after the
// other; within do, use the transaction only: Writer would wait for ever.
func (f *File) Write(ctx context.Context, do func(*sql.Tx) error) error {
	if f.writer == nil {
		return fmt.Errorf("%s is open for reading only", f.path)
	}
	tx, err := f.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, rollback(tx))
	}
	return tx.Commit()
}

// rollback ends a transaction that failed. One whose context ended is rolled
// back already.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// Close closes the file after the queries and the transaction under way.
func (f *File) Close() error {
	err := f.reader.Close()
	if f.writer != nil {
		err = errors.Join(err, f.writer.Close())
	}
	return err
}
