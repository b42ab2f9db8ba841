// Package archive opens what a county has stored: its records, in either store,
// and the books about them.
package archive

import (
	"context"
	"errors"
	"sync"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/county/store/sqlite"
)

// Archive is a store with its books. Its methods may be called from any
// goroutine.
type Archive struct {
	store.Store
	*books.Books

	committing sync.Mutex
	closeStore func()
	sqlite     *sqlite.Store         // nil: the records are elsewhere
	retention  func(context.Context) // or nil
	keeps      func() (time.Duration, bool)
}

// Keeps returns for how long the store keeps records by itself, if that is known; 0:
// for ever. It does not wait.
func (a *Archive) Keeps() (keeps time.Duration, known bool) {
	if a.keeps == nil {
		return 0, true
	}
	return a.keeps()
}

// OpenSQLite opens an archive that is one SQLite file, and creates it when it is
// missing. Several processes may have it open: each writes in transactions.
func OpenSQLite(path string) (*Archive, error) { return openSQLite(books.Open(path)) }

// OpenReadOnly opens an archive that is one SQLite file for queries, also while
// a collector runs.
func OpenReadOnly(path string) (*Archive, error) { return openSQLite(books.OpenReadOnly(path)) }

func openSQLite(b *books.Books, err error) (*Archive, error) {
	if err != nil {
		return nil, err
	}
	s, err := sqlite.New(b)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return &Archive{Store: s, Books: b, closeStore: func() {}, sqlite: s}, nil
}

// OpenInflux opens an archive whose records are in InfluxDB and whose books are
// the SQLite file at path. The database need not be reachable yet.
func OpenInflux(path string, o influx.Options) (*Archive, error) {
	b, err := books.Open(path)
	if err != nil {
		return nil, err
	}
	s := influx.New(o, b)
	return &Archive{Store: s, Books: b, closeStore: s.Close, retention: s.LookAtRetention,
		keeps: s.Keeps}, nil
}

// OpenInfluxReadOnly opens an archive whose records are in InfluxDB for queries, also
// while a collector runs.
func OpenInfluxReadOnly(path string, o influx.Options) (*Archive, error) {
	b, err := books.OpenReadOnly(path)
	if err != nil {
		return nil, err
	}
	s := influx.New(o, b)
	return &Archive{Store: s, Books: b, closeStore: s.Close}, nil
}

// Commit is store.Store's; commits run one after the other.
func (a *Archive) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	a.committing.Lock()
	defer a.committing.Unlock()
	return a.Store.Commit(ctx, batches)
}

// Expire removes old records from a store that is one SQLite file, beside commits.
// Another one has a retention of its own.
func (a *Archive) Expire(ctx context.Context, now time.Time, e store.Expiry) (store.Removal, error) {
	if a.sqlite == nil {
		return store.Removal{}, errors.New("this store removes old records by itself")
	}
	return a.sqlite.Expire(ctx, now, e)
}

// LookAtRetention logs for how long the store keeps records, where that is limited
// and the store can be reached. It waits for it for some seconds at most.
func (a *Archive) LookAtRetention(ctx context.Context) {
	if a.retention == nil {
		return
	}
	a.committing.Lock()
	defer a.committing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	a.retention(ctx)
}

// lookTimeout is for how long the start waits for a store to say what it keeps.
const lookTimeout = 3 * time.Second

// Retry offers a row of the quarantine to the store once more; see books.Retry.
func (a *Archive) Retry(ctx context.Context, p store.Quarantined) error {
	return a.Books.Retry(ctx, a, p)
}

// Close closes the store and its books.
func (a *Archive) Close() error {
	a.closeStore()
	return a.Books.Close()
}
