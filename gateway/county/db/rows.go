package db

import (
	"context"
	"database/sql"
	"iter"
)

// Querier is a pool or a transaction.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Row is the current row of a query.
type Row interface {
	Scan(dest ...any) error
}

// Rows yields the rows of a query as scan reads them. A query that fails yields
// one last error.
func Rows[T any](
	ctx context.Context, q Querier, scan func(Row) (T, error), query string, args ...any,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		rows, err := q.QueryContext(ctx, query, args...)
		if err != nil {
			yield(zero, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			v, err := scan(rows)
			if !yield(v, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(zero, err)
		}
	}
}

// All returns the rows of a query as scan reads them; an empty slice, not nil,
// when there are none.
func All[T any](
	ctx context.Context, q Querier, scan func(Row) (T, error), query string, args ...any,
) ([]T, error) {
	all := []T{}
	for v, err := range Rows(ctx, q, scan, query, args...) {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// One returns the first row of a query; found is false when there is none.
func One[T any](
	ctx context.Context, q Querier, scan func(Row) (T, error), query string, args ...any,
) (v T, found bool, err error) {
	for v, err := range Rows(ctx, q, scan, query, args...) {
		return v, err == nil, err
	}
	return v, false, nil
}

// Value scans a row of one column.
func Value[T any](r Row) (T, error) {
	var v T
	err := r.Scan(&v)
	return v, err
}
