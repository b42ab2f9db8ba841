// Package sqlite stores records in the SQLite file of the books, so that records
// and watermarks are committed together: one file, no server.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strings"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/wire"
)

// Store implements store.Store. It ends with its books.
type Store struct {
	books *books.Books
	one   *sql.Stmt // inserts one record
	many  *sql.Stmt // inserts rowsAtOnce records
}

var _ store.Store = (*Store)(nil)

// rowsAtOnce is how many records one statement inserts, if there are so many: a
// call of SQLite costs more than a row.
const rowsAtOnce = 32

// New returns the store in the file of b. When b was opened read-only, Commit
// fails.
func New(b *books.Books) (*Store, error) {
	s := &Store{books: b}
	if b.File().Writer() == nil {
		return s, nil
	}
	var err error
	if s.one, err = s.prepareInsert(1); err == nil {
		s.many, err = s.prepareInsert(rowsAtOnce)
	}
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", s.path(), err)
	}
	return s, nil
}

func (s *Store) prepareInsert(rows int) (*sql.Stmt, error) {
	//nolint:gosec // only placeholders are added
	return s.books.File().Writer().PrepareContext(context.Background(),
		"INSERT INTO records (journal, seq, at, received, kind, raw) VALUES (?, ?, ?, ?, ?, ?)"+
			strings.Repeat(", (?, ?, ?, ?, ?, ?)", rows-1)+" ON CONFLICT DO NOTHING")
}

func (s *Store) path() string { return s.books.File().Path() }

// Rows implements store.Store.
func (s *Store) Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error] {
	journal, args := "", []any{string(q.Kind), string(q.Kind), q.After}
	if q.JID != "" {
		journal, args = " AND journal = (SELECT id FROM journals WHERE jid = ?)", append(args, q.JID)
	}
	//nolint:gosec // journal is a constant
	rows := db.Rows(ctx, s.books.File().Reader(), scanRow,
		`SELECT agent, jid, community, grid, compound, seq, at, kind, raw
		FROM records JOIN journals ON id = journal
		WHERE (? = '' OR kind = ?) AND seq > ?`+journal+` ORDER BY journal, seq`, args...)
	return func(yield func(store.Row, error) bool) {
		for row, err := range rows {
			if err != nil {
				err = fmt.Errorf("read the store %s: %w", s.path(), err)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func scanRow(r db.Row) (row store.Row, err error) {
	var at int64
	var kind string
	p := &row.Place
	err = r.Scan(&row.Agent, &row.JID, &p.Community, &p.Grid, &p.Compound, &row.Seq, &at, &kind, &row.Raw)
	row.At, row.Kind = time.Unix(0, at).UTC(), wire.Kind(kind)
	return row, err
}
