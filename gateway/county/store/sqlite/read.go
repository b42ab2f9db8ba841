package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Position implements store.Store.
func (s *Store) Position(ctx context.Context, jid string) (store.Position, error) {
	p := store.Position{JID: jid}
	err := s.r.QueryRowContext(ctx, "SELECT agent, through, community, grid, compound FROM journals WHERE jid = ?", jid).
		Scan(&p.Agent, &p.Through, &p.Place.Community, &p.Place.Grid, &p.Place.Compound)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return p, fmt.Errorf("position of journal %s in %s: %w", jid, s.path, err)
	}
	return p, nil
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, s *Store, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := s.r.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.path, err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", s.path, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", s.path, err)
	}
	return out, nil
}

// Positions gives all journals, by agent.
func (s *Store) Positions(ctx context.Context) ([]store.Position, error) {
	return collect(ctx, s, func(r *sql.Rows) (p store.Position, err error) {
		return p, r.Scan(&p.JID, &p.Agent, &p.Through, &p.Place.Community, &p.Place.Grid, &p.Place.Compound)
	}, "SELECT jid, agent, through, community, grid, compound FROM journals ORDER BY agent, first_seen")
}

// Holes gives all recorded holes, by agent.
func (s *Store) Holes(ctx context.Context) ([]store.HeldHole, error) {
	return collect(ctx, s, func(r *sql.Rows) (h store.HeldHole, err error) {
		var at int64
		err = r.Scan(&h.Agent, &h.JID, &h.From, &h.To, &h.Reason, &at)
		h.At, h.Count = time.Unix(0, at).UTC(), h.To-h.From+1
		return h, err
	}, "SELECT agent, jid, first, last, reason, at FROM holes JOIN journals ON id = journal ORDER BY agent, jid, first")
}

// Losses counts what is in quarantine and how many records holes stand for.
func (s *Store) Losses(ctx context.Context) (quarantined, lost int, err error) {
	err = s.r.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM quarantine), (SELECT coalesce(sum(last - first + 1), 0) FROM holes WHERE reason NOT IN ('renewed', 'trimmed', 'repeated'))").Scan(&quarantined, &lost)
	if err != nil {
		return 0, 0, fmt.Errorf("count losses in %s: %w", s.path, err)
	}
	return quarantined, lost, nil
}

// Conflicts counts, by agent, the records in quarantine whose journal and seq
// are stored with another content.
func (s *Store) Conflicts(ctx context.Context) ([]store.Conflicts, error) {
	return collect(ctx, s, func(r *sql.Rows) (c store.Conflicts, err error) {
		var newest int64
		return c, r.Scan(&c.Agent, &c.Count, &newest, &c.JID, &c.Seq)
	}, "SELECT agent, count(*), max(id), jid, seq FROM quarantine WHERE reason = ? GROUP BY agent ORDER BY agent", store.ReasonConflict)
}

// Quarantined gives what is in quarantine, newest first; limit 0 is all.
func (s *Store) Quarantined(ctx context.Context, limit int) ([]store.HeldPoison, error) {
	if limit == 0 {
		limit = -1
	}
	return collect(ctx, s, scanPoison, "SELECT id, at, agent, jid, seq, topic, reason, raw FROM quarantine ORDER BY id DESC LIMIT ?", limit)
}

// Poison gives one row of the quarantine; ok is false when there is none.
func (s *Store) Poison(ctx context.Context, id int64) (p store.HeldPoison, ok bool, err error) {
	all, err := collect(ctx, s, scanPoison, "SELECT id, at, agent, jid, seq, topic, reason, raw FROM quarantine WHERE id = ?", id)
	if err != nil || len(all) == 0 {
		return p, false, err
	}
	return all[0], true, nil
}

func scanPoison(r *sql.Rows) (p store.HeldPoison, err error) {
	var at int64
	err = r.Scan(&p.ID, &at, &p.Agent, &p.JID, &p.Seq, &p.Topic, &p.Reason, &p.Raw)
	p.At = time.Unix(0, at).UTC()
	return p, err
}

// Rows implements store.Store.
func (s *Store) Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		one, args := "", []any{string(q.Kind), string(q.Kind), q.After}
		if q.JID != "" {
			one, args = " AND journal = (SELECT id FROM journals WHERE jid = ?)", append(args, q.JID)
		}
		//nolint:gosec // one is a constant
		rows, err := s.r.QueryContext(ctx, `SELECT agent, jid, community, grid, compound, seq, at, kind, raw
			FROM records JOIN journals ON id = journal
			WHERE (? = '' OR kind = ?) AND seq > ?`+one+` ORDER BY journal, seq`, args...)
		if err != nil {
			yield(store.Row{}, fmt.Errorf("read %s: %w", s.path, err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var row store.Row
			var at int64
			var kind string
			err := rows.Scan(&row.Agent, &row.JID, &row.Place.Community, &row.Place.Grid, &row.Place.Compound, &row.Seq, &at, &kind, &row.Raw)
			row.At, row.Kind = time.Unix(0, at).UTC(), wire.Kind(kind)
			if !yield(row, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(store.Row{}, fmt.Errorf("read %s: %w", s.path, err))
		}
	}
}
