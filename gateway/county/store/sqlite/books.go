package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Advance is what the InfluxDB store books of a batch that it has written.
type Advance struct {
	Batch    store.Batch
	Through  uint64
	Written  []wire.Entry // records that are in the other store now
	Rejected []wire.Bad
}

// Register makes the journals of batches known, so that their places are fixed
// before anything is written elsewhere, and returns their positions in order.
func (s *Store) Register(ctx context.Context, batches []store.Batch) ([]store.Position, error) {
	out := make([]store.Position, len(batches))
	unknown := false
	for i, b := range batches {
		var err error
		if out[i], err = s.Position(ctx, b.JID); err != nil {
			return nil, err
		}
		unknown = unknown || out[i].Agent == ""
	}
	if !unknown {
		return out, nil
	}
	err := s.write(ctx, func(tx *sql.Tx) error {
		for _, b := range batches {
			if _, _, err := journal(ctx, tx, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("register journals in %s: %w", s.path, err)
	}
	return s.Register(ctx, batches)
}

// Book records holes, quarantine and watermarks of batches whose records are
// stored elsewhere, in one durable transaction.
func (s *Store) Book(ctx context.Context, advances []Advance) error {
	err := s.commit(ctx, func(tx *sql.Tx) error {
		for _, a := range advances {
			id, before, err := journal(ctx, tx, a.Batch)
			if err != nil {
				return err
			}
			w := writer{ctx: ctx, tx: tx, b: a.Batch}
			for _, bad := range a.Rejected { // Room was asked
				if err := quarantine(ctx, tx, w.poison(bad)); err != nil {
					return err
				}
			}
			if err := digest(ctx, tx, id, a.Written, a.Batch.Ahead); err != nil {
				return err
			}
			if a.Batch.Ahead {
				continue
			}
			if err := advance(ctx, tx, id, a.Through, a.Batch.Holes, a.Batch.Received); err != nil {
				return err
			}
			if err := s.mark(ctx, tx, id, before, a.Batch.Received); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("book in %s: %w", s.path, err)
	}
	return nil
}

// markerKey names the id of the marker point in the other store.
const markerKey = "marker"

// Marker is the id that the other store must hold; empty before the first.
func (s *Store) Marker(ctx context.Context) (string, error) {
	var v string
	err := s.r.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = ?", markerKey).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, err
}

// Reset notes a new marker. When there was one before, the other store has
// lost what it had: the term rises and all watermarks begin again, so that
// agents send what they still hold.
func (s *Store) Reset(ctx context.Context, marker string) error {
	before, err := s.Marker(ctx)
	if err != nil {
		return fmt.Errorf("read the marker in %s: %w", s.path, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	term := s.term
	err = s.write(ctx, func(tx *sql.Tx) error {
		if before != "" {
			term = wire.NextTerm(term)
			if _, err := tx.ExecContext(ctx, "UPDATE meta SET value = ? WHERE key = 'term'", strconv.FormatUint(term, 10)); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE journals SET through = 0; DELETE FROM digests"); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", markerKey, marker)
		return err
	})
	if err != nil {
		return fmt.Errorf("note a new marker in %s: %w", s.path, err)
	}
	s.term = term
	return nil
}
