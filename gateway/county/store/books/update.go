package books

import (
	"context"
	"database/sql"
	"maps"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Tx is a transaction of Update, which ends it.
type Tx struct {
	db.Statements

	sql    *sql.Tx
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
		return do(&Tx{Statements: b.commits.In(tx), sql: tx, before: b.marked, marked: marked})
	})
	if err == nil {
		maps.Copy(b.marked, marked)
	}
	return fault(err)
}

// With returns statements of the file's writer in this transaction.
func (t *Tx) With(s db.Statements) db.Statements { return s.In(t.sql) }

// Journal is a journal's row.
type Journal struct {
	ID      int64
	Through uint64 // its watermark
}

// Journal returns the row of a batch's journal and adds it when the journal is
// new: from then on its place is fixed.
func (t *Tx) Journal(ctx context.Context, b store.Batch) (Journal, error) {
	j, found, err := db.One(ctx, t, scanJournal, selectJournal, b.JID)
	if err != nil || found {
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

func scanJournal(r db.Row) (j Journal, err error) {
	err = r.Scan(&j.ID, &j.Through)
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
	_, err := t.ExecContext(ctx, advanceJournal, int64(through), j.ID, int64(through))
	if err != nil {
		return err
	}
	return t.mark(ctx, j, at)
}

// Quarantine adds poison of one agent to the quarantine. It fails with
// store.ErrShare, and changes nothing, when all of it does not fit into the agent's
// share.
func (t *Tx) Quarantine(ctx context.Context, poison ...store.Poison) error {
	if err := room(ctx, t, poison...); err != nil {
		return err
	}
	for _, p := range poison {
		if err := quarantine(ctx, t.sql, p); err != nil {
			return err
		}
	}
	return nil
}

// Statements that nearly every commit runs for each batch.
const (
	selectJournal  = "SELECT id, through FROM journals WHERE jid = ?"
	advanceJournal = "UPDATE journals SET through = ? WHERE id = ? AND through < ?"
	// selectOthers is a statement of both ways to commit.
	selectOthers = "SELECT id, jid, through >= ? FROM journals WHERE agent = ? AND jid <> ? ORDER BY id DESC LIMIT ?"
)
