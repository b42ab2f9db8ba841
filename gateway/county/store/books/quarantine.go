package books

import (
	"context"
	"database/sql"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Quarantine stores p, which the store can't take, with its reason. The same
// bytes from the same agent are stored once. It fails with store.ErrShare, and
// stores nothing, when the agent's share of the quarantine is full.
func (b *Books) Quarantine(ctx context.Context, p store.Poison) error {
	err := room(ctx, b.file.Reader(), p) // first without a transaction: refusing is cheap
	if err == nil {
		err = b.file.Write(ctx, func(tx *sql.Tx) error {
			if err := room(ctx, tx, p); err != nil {
				return err
			}
			return quarantine(ctx, tx, p)
		})
	}
	if err != nil {
		return b.failed("quarantine", err)
	}
	return nil
}

// quarantine stores p, for which there is room.
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

// Quarantined returns the rows of the quarantine, newest first, at most limit;
// all when limit is 0.
func (b *Books) Quarantined(ctx context.Context, limit int) ([]store.Quarantined, error) {
	if limit == 0 {
		limit = -1
	}
	all, err := db.All(ctx, b.file.Reader(), scanPoison, selectPoison+" ORDER BY id DESC LIMIT ?", limit)
	if err != nil {
		return nil, b.failed("read the quarantine", err)
	}
	return all, nil
}

// Poison returns one row of the quarantine; found is false when there is none.
func (b *Books) Poison(ctx context.Context, id int64) (p store.Quarantined, found bool, err error) {
	p, found, err = db.One(ctx, b.file.Reader(), scanPoison, selectPoison+" WHERE id = ?", id)
	if err != nil {
		return p, false, b.failed("read the quarantine", err)
	}
	return p, found, nil
}

const selectPoison = "SELECT id, at, agent, jid, seq, topic, reason, raw FROM quarantine"

func scanPoison(r db.Row) (p store.Quarantined, err error) {
	var at int64
	err = r.Scan(&p.ID, &at, &p.Agent, &p.JID, &p.Seq, &p.Topic, &p.Reason, &p.Raw)
	p.At = time.Unix(0, at).UTC()
	return p, err
}

// Conflicts returns, by agent, the records in quarantine whose journal and seq
// are stored with another content.
func (b *Books) Conflicts(ctx context.Context) ([]store.Conflicts, error) {
	all, err := db.All(ctx, b.file.Reader(), func(r db.Row) (c store.Conflicts, err error) {
		var newest int64
		err = r.Scan(&c.Agent, &c.Count, &newest, &c.JID, &c.Seq)
		return c, err
	}, `SELECT agent, count(*), max(id), jid, seq FROM quarantine WHERE reason = ?
		GROUP BY agent ORDER BY agent`, store.ReasonConflict)
	if err != nil {
		return nil, b.failed("read conflicts", err)
	}
	return all, nil
}

// Release removes a row of the quarantine whose content is stored now.
func (b *Books) Release(ctx context.Context, id int64) error {
	err := b.file.Write(ctx, func(tx *sql.Tx) error {
		_, err := remove(ctx, tx, id)
		return err
	})
	if err != nil {
		return b.failed("release from quarantine", err)
	}
	return nil
}

// Drop removes a row of the quarantine for good; false when there is none. A
// record of a known journal leaves a hole, so that its seq stays accounted for;
// one whose seq is stored, or of another agent's journal, leaves none.
func (b *Books) Drop(ctx context.Context, id int64) (dropped bool, err error) {
	err = b.file.Write(ctx, func(tx *sql.Tx) error {
		p, found, err := db.One(ctx, tx, scanPoison, selectPoison+" WHERE id = ?", id)
		if err != nil || !found {
			return err
		}
		if err := leaveHole(ctx, tx, p); err != nil {
			return err
		}
		dropped, err = remove(ctx, tx, id)
		return err
	})
	if err != nil {
		return false, b.failed("drop from quarantine", err)
	}
	return dropped, nil
}

func remove(ctx context.Context, tx *sql.Tx, id int64) (bool, error) {
	res, err := tx.ExecContext(ctx, "DELETE FROM quarantine WHERE id = ?", id)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// leaveHole accounts for the seq of a record that is dropped. A record is stored
// if it has a row in records or, in a store elsewhere, a digest.
func leaveHole(ctx context.Context, tx *sql.Tx, p store.Quarantined) error {
	if p.Seq == 0 || p.Reason == store.ReasonConflict {
		return nil
	}
	elsewhere, err := digests(ctx, tx, p.JID, p.Seq, p.Seq)
	if err != nil || len(elsewhere) > 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO holes (journal, first, last, reason, at)
		SELECT j.id, ?1, ?1, ?2, ?3 FROM journals j WHERE j.jid = ?4 AND j.agent = ?5 AND ?1 <= j.through
		AND NOT EXISTS (SELECT 1 FROM records r WHERE r.journal = j.id AND r.seq = ?1) ON CONFLICT DO NOTHING`,
		int64(p.Seq), store.ReasonDropped, time.Now().UnixNano(), p.JID, p.Agent)
	return err
}
