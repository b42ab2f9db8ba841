package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

func quarantine(ctx context.Context, tx *sql.Tx, p store.Poison) error {
	hash := wire.Hash(p.Raw)
	raw := p.Raw
	if raw == nil {
		raw = []byte{}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO quarantine (at, agent, jid, seq, topic, reason, hash, raw)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		p.At.UnixNano(), p.Agent, p.JID, int64(p.Seq), p.Topic, p.Reason, hash[:], raw)
	return err
}

// Quarantine implements store.Store.
func (s *Store) Quarantine(ctx context.Context, p store.Poison) error {
	if err := s.write(ctx, func(tx *sql.Tx) error { return quarantine(ctx, tx, p) }); err != nil {
		return fmt.Errorf("quarantine in the store %s: %w", s.path, err)
	}
	return nil
}

// Release removes a row of the quarantine whose content is stored now.
func (s *Store) Release(ctx context.Context, id int64) error {
	if _, err := s.w.ExecContext(ctx, "DELETE FROM quarantine WHERE id = ?", id); err != nil {
		return fmt.Errorf("take row %d out of the quarantine in %s: %w", id, s.path, err)
	}
	return nil
}

// Drop removes a row of the quarantine for good; false when there is none. A
// record of a known journal leaves a hole, so that its seq stays accounted for;
// one whose seq is stored, or of another agent's journal, leaves none.
func (s *Store) Drop(ctx context.Context, id int64) (dropped bool, err error) {
	p, ok, err := s.Poison(ctx, id)
	if err != nil || !ok {
		return false, err
	}
	given, err := s.Digests(ctx, p.JID, max(p.Seq, 1), max(p.Seq, 1)) // to a store elsewhere
	if err != nil {
		return false, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO holes (journal, first, last, reason, at)
			SELECT j.id, q.seq, q.seq, ?, ? FROM quarantine q JOIN journals j ON j.jid = q.jid AND j.agent = q.agent
			WHERE q.id = ? AND q.seq > 0 AND q.seq <= j.through AND q.reason <> ? AND ? = 0
			AND NOT EXISTS (SELECT 1 FROM records r WHERE r.journal = j.id AND r.seq = q.seq) ON CONFLICT DO NOTHING`,
			store.ReasonDropped, time.Now().UnixNano(), id, store.ReasonConflict, len(given))
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE id = ?", id)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		dropped = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("drop row %d of the quarantine in %s: %w", id, s.path, err)
	}
	return dropped, nil
}
