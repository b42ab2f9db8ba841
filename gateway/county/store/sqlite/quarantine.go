package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// schemaShares is what the fourth version has more: how much of the quarantine
// is each agent's; the row of allAgents is the sum.
const schemaShares = `
CREATE TABLE shares (
	agent TEXT PRIMARY KEY,
	rows  INTEGER NOT NULL,
	bytes INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO shares SELECT agent, count(*), sum(length(raw) + length(topic) + length(reason))
	FROM quarantine GROUP BY agent;
INSERT INTO shares SELECT '*', coalesce(sum(rows), 0), coalesce(sum(bytes), 0) FROM shares;
CREATE TRIGGER quarantine_in AFTER INSERT ON quarantine BEGIN
	INSERT INTO shares VALUES (new.agent, 1, length(new.raw) + length(new.topic) + length(new.reason)),
		('*', 1, length(new.raw) + length(new.topic) + length(new.reason))
		ON CONFLICT DO UPDATE SET rows = rows + excluded.rows, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER quarantine_out AFTER DELETE ON quarantine BEGIN
	UPDATE shares SET rows = rows - 1, bytes = bytes - length(old.raw) - length(old.topic) - length(old.reason)
		WHERE agent IN (old.agent, '*');
	DELETE FROM shares WHERE rows = 0 AND agent <> '*';
END;`

// allAgents is no agent's id.
const allAgents = "*"

// share is what an agent, or all, have in quarantine.
type share struct{ rows, bytes int }

func (s share) with(p store.Poison) share {
	return share{s.rows + 1, s.bytes + len(p.Raw) + len(p.Topic) + len(p.Reason)}
}

// asker is a transaction, or a pool of readers.
type asker interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func shareOf(ctx context.Context, q asker, agent string) (s share, err error) {
	err = q.QueryRowContext(ctx, "SELECT rows, bytes FROM shares WHERE agent = ?", agent).Scan(&s.rows, &s.bytes)
	if errors.Is(err, sql.ErrNoRows) {
		return share{}, nil
	}
	return s, err
}

// held reports whether the same bytes of the same agent are in quarantine.
func held(ctx context.Context, q asker, p store.Poison) (is bool, err error) {
	hash := wire.Hash(p.Raw)
	err = q.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM quarantine WHERE agent = ? AND hash = ?)",
		p.Agent, hash[:]).Scan(&is)
	return is, err
}

// room fails with ErrShare when there is no room for p beside what is in
// quarantine already.
func room(ctx context.Context, q asker, p store.Poison) error {
	if is, err := held(ctx, q, p); is || err != nil {
		return err
	}
	own, err := shareOf(ctx, q, p.Agent)
	if err != nil {
		return err
	}
	all, err := shareOf(ctx, q, allAgents)
	if err != nil {
		return err
	}
	return fits(own.with(p), all.with(p))
}

func fits(own, all share) error {
	if own.rows > store.ShareRows || own.bytes > store.ShareBytes ||
		all.rows > store.AllRows || all.bytes > store.AllBytes {
		return store.ErrShare
	}
	return nil
}

// Room fails with ErrShare when there is no room in quarantine for what batches
// of one agent hold that belongs there: for a store that keeps its records
// elsewhere.
func (s *Store) Room(ctx context.Context, agent string, bad []wire.Bad) error {
	own, err := shareOf(ctx, s.r, agent)
	if err != nil {
		return fmt.Errorf("quarantine in the store %s: %w", s.path, err)
	}
	all, err := shareOf(ctx, s.r, allAgents)
	for _, b := range bad {
		p := store.Poison{Agent: agent, Reason: b.Reason, Raw: b.Raw}
		var is bool
		if err == nil {
			is, err = held(ctx, s.r, p)
		}
		if err != nil {
			return fmt.Errorf("quarantine in the store %s: %w", s.path, err)
		}
		if !is {
			own, all = own.with(p), all.with(p)
		}
	}
	return fits(own, all)
}

// quarantine keeps p, for which there is room.
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
	err := room(ctx, s.r, p) // first without a transaction: a full share costs no more
	if err == nil {
		err = s.write(ctx, func(tx *sql.Tx) error {
			if err := room(ctx, tx, p); err != nil {
				return err
			}
			return quarantine(ctx, tx, p)
		})
	}
	if err != nil {
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
