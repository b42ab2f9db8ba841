package books

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Tx is a transaction of Update, which ends it.
type Tx struct {
	*sql.Tx
	before map[int64]time.Time // when journals were last marked before this transaction
	marked map[int64]time.Time // the journals that this transaction marks
}

// Update runs do in one durable transaction, if this process owns the store's
// term; if not it fails with store.ErrTerm. It fails with store.ErrFault when the
// file is not the one at its path. When do returns an error, nothing was changed.
func (b *Books) Update(ctx context.Context, do func(*Tx) error) error {
	b.updating.Lock()
	defer b.updating.Unlock()
	marked := map[int64]time.Time{}
	err := b.file.Write(ctx, func(tx *sql.Tx) error {
		if err := b.ownsTerm(ctx, tx); err != nil {
			return err
		}
		return do(&Tx{Tx: tx, before: b.marked, marked: marked})
	})
	if err == nil {
		maps.Copy(b.marked, marked)
	}
	return fault(err)
}

// Journal is a journal's row.
type Journal struct {
	ID      int64
	Through uint64 // its watermark
}

// Journal returns the row of a batch's journal and adds it when the journal is
// new: from then on its place is fixed.
func (t *Tx) Journal(ctx context.Context, b store.Batch) (j Journal, err error) {
	err = t.QueryRowContext(ctx, "SELECT id, through FROM journals WHERE jid = ?", b.JID).Scan(&j.ID, &j.Through)
	if !errors.Is(err, sql.ErrNoRows) {
		return j, err
	}
	res, err := t.ExecContext(ctx,
		"INSERT INTO journals (jid, agent, community, grid, compound, first_seen) VALUES (?, ?, ?, ?, ?, ?)",
		b.JID, b.Agent, b.Place.Community, b.Place.Grid, b.Place.Compound, b.Received.UnixNano())
	if err != nil {
		return j, err
	}
	j.ID, err = res.LastInsertId()
	return j, err
}

// Advance notes the holes of a batch and moves its journal's watermark forward
// to through.
func (t *Tx) Advance(ctx context.Context, j Journal, through uint64, holes []wire.Hole, at time.Time) error {
	for _, h := range holes {
		_, err := t.ExecContext(ctx,
			"INSERT INTO holes (journal, first, last, reason, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			j.ID, int64(h.From), int64(h.To), h.Reason, at.UnixNano())
		if err != nil {
			return err
		}
	}
	_, err := t.ExecContext(ctx, "UPDATE journals SET through = ? WHERE id = ? AND through < ?",
		int64(through), j.ID, int64(through))
	if err != nil {
		return err
	}
	return t.mark(ctx, j, at)
}

// Quarantine adds p to the quarantine. It fails with store.ErrShare, and changes
// nothing, when the agent's share is full.
func (t *Tx) Quarantine(ctx context.Context, p store.Poison) error {
	if err := room(ctx, t, p); err != nil {
		return err
	}
	return quarantine(ctx, t.Tx, p)
}
