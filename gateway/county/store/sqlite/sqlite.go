// Package sqlite stores records in the SQLite file of the books, so that records
// and watermarks are committed together: one file, no server.
package sqlite

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/wire"
)

// Store implements store.Store. It ends with its books.
type Store struct {
	books      *books.Books
	statements db.Statements
	// expires is set when records have ever expired: then batches are looked at for
	// some that come again.
	expires atomic.Bool
}

var _ store.Store = (*Store)(nil)

// rowsAtOnce is how many records one statement inserts, if there are so many: a
// call of SQLite costs more than a row.
const rowsAtOnce = 32

const columns = 6 // of a record

// Statements of commits.
var (
	insertOne  = "INSERT INTO records (journal, seq, at, received, kind, raw) VALUES " + rowOfValues
	insertMany = insertOne + strings.Repeat(", "+rowOfValues, rowsAtOnce-1)
)

const (
	rowOfValues   = "(?, ?, ?, ?, ?, ?)"
	selectRaw     = "SELECT raw FROM records WHERE journal = ? AND seq = ?"
	existsBetween = "SELECT EXISTS (SELECT 1 FROM records WHERE journal = ? AND seq BETWEEN ? AND ?)"
)

// New returns the store in the file of b. When b was opened read-only, Commit
// fails.
func New(b *books.Books) (*Store, error) {
	s := &Store{books: b}
	if b.File().Writer() == nil {
		return s, nil
	}
	ctx := context.Background()
	var err error
	s.statements, err = db.Prepare(ctx, b.File().Writer(), insertOne, insertMany, selectRaw, existsBetween)
	var expires bool
	if err == nil {
		expires, err = b.EverExpired(ctx)
		s.expires.Store(expires)
	}
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", s.path(), err)
	}
	return s, nil
}

func (s *Store) path() string { return s.books.File().Path() }

// page is how many rows one query reads: between two of them the WAL can begin anew,
// however long whoever reads takes.
const page = 1000

// Rows implements store.Store. What is committed meanwhile may be among them.
func (s *Store) Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for next, more := (place{seq: q.After}), true; more; {
			n := 0
			for row, err := range s.page(ctx, q, next) {
				if err != nil {
					yield(store.Row{}, fmt.Errorf("read the store %s: %w", s.path(), err))
					return
				}
				if !yield(row.Row, nil) {
					return
				}
				next = place{row.journal, row.Seq}
				n++
			}
			more = n == page
		}
	}
}

// place is after which journal and seq the next page begins; journal 0: before all.
type place struct {
	journal int64
	seq     uint64
}

// page yields the rows of one query after a place.
func (s *Store) page(ctx context.Context, q store.Query, after place) iter.Seq2[placed, error] {
	where, args := "(journal, seq) > (?, ?) AND seq > ?", []any{after.journal, int64(after.seq), int64(q.After)}
	if q.JID != "" {
		where, args = "journal = (SELECT id FROM journals WHERE jid = ?) AND seq > ?", []any{q.JID, int64(after.seq)}
	}
	if q.Kind != "" {
		where, args = where+" AND kind = ?", append(args, string(q.Kind))
	}
	if !q.From.IsZero() {
		where, args = where+" AND at >= ?", append(args, q.From.UnixNano())
	}
	if !q.To.IsZero() {
		where, args = where+" AND at < ?", append(args, q.To.UnixNano())
	}
	//nolint:gosec // where is of constants
	return db.Rows(ctx, s.books.File().Reader(), scanRow,
		`SELECT journal, agent, jid, community, grid, compound, seq, at, kind, raw
		FROM records JOIN journals ON id = journal WHERE `+where+` ORDER BY journal, seq LIMIT ?`,
		append(args, page)...)
}

// placed is a row with its journal.
type placed struct {
	store.Row

	journal int64
}

func scanRow(r db.Row) (row placed, err error) {
	var at int64
	var kind string
	p := &row.Place
	err = r.Scan(&row.journal, &row.Agent, &row.JID, &p.Community, &p.Grid, &p.Compound, &row.Seq, &at, &kind, &row.Raw)
	row.At, row.Kind = time.Unix(0, at).UTC(), wire.Kind(kind)
	return row, err
}
