package db

import (
	"context"
	"database/sql"
)

// Statements runs statements on a pool, or in a transaction. Those that it was made
// for are prepared, because SQLite needs longer to read a short statement than to
// run it. The zero value prepares none. Its methods may be called from any
// goroutine, those of In from that of the transaction.
type Statements struct {
	pool     *sql.DB
	tx       *sql.Tx // nil: on the pool
	prepared map[string]*sql.Stmt
}

// Prepare returns Statements of a pool, which closes them when it is closed. On
// the writing one it waits while a transaction of Write is under way.
func Prepare(ctx context.Context, pool *sql.DB, queries ...string) (Statements, error) {
	s := Statements{pool: pool, prepared: map[string]*sql.Stmt{}}
	for _, q := range queries {
		var err error
		if s.prepared[q], err = pool.PrepareContext(ctx, q); err != nil {
			return Statements{}, err
		}
	}
	return s, nil
}

// In returns the same statements in a transaction of the pool.
func (s Statements) In(tx *sql.Tx) Statements {
	s.tx = tx
	return s
}

// QueryContext implements Querier.
func (s Statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if p := s.statement(ctx, query); p != nil {
		return p.QueryContext(ctx, args...)
	}
	if s.tx != nil {
		return s.tx.QueryContext(ctx, query, args...)
	}
	return s.pool.QueryContext(ctx, query, args...)
}

// ExecContext runs a statement that returns no rows.
func (s Statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if p := s.statement(ctx, query); p != nil {
		return p.ExecContext(ctx, args...)
	}
	if s.tx != nil {
		return s.tx.ExecContext(ctx, query, args...)
	}
	return s.pool.ExecContext(ctx, query, args...)
}

// statement returns a prepared statement, or nil.
func (s Statements) statement(ctx context.Context, query string) *sql.Stmt {
	p := s.prepared[query]
	if p != nil && s.tx != nil {
		return s.tx.StmtContext(ctx, p)
	}
	return p
}
