package books

import (
	"context"
	"database/sql"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// What follows is for a store that keeps its records elsewhere: it writes the
// records first, and then the books about them.

// Outcome is what became of a batch in the store elsewhere.
type Outcome struct {
	Batch    store.Batch
	Through  uint64            // the journal's watermark with this batch
	Written  []wire.Entry      // records that are stored now and were not before
	Digests  map[uint64]Digest // of Written, by seq, as far as they are known
	Rejected []wire.Bad        // records that belong into quarantine, for which there is room
}

// Register adds the journals of batches that are not known yet, so that their
// places are fixed before anything is written elsewhere, and returns the
// journals' positions, one a batch.
func (b *Books) Register(ctx context.Context, batches []store.Batch) ([]store.Position, error) {
	positions, complete, err := b.positionsOf(ctx, batches)
	if err != nil || complete {
		return positions, err
	}
	err = b.file.Write(ctx, func(tx *sql.Tx) error {
		for _, batch := range batches {
			if _, err := (&Tx{Statements: b.commits.In(tx), sql: tx}).Journal(ctx, batch); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, b.failed("register journals", err)
	}
	positions, _, err = b.positionsOf(ctx, batches)
	return positions, err
}

// positionsOf returns the positions of batches' journals; complete is false when
// a journal is not known.
func (b *Books) positionsOf(
	ctx context.Context, batches []store.Batch,
) (all []store.Position, complete bool, err error) {
	complete = true
	known := map[string]store.Position{}
	for _, batch := range batches {
		p, is := known[batch.JID]
		if !is {
			if p, err = b.Position(ctx, batch.JID); err != nil {
				return nil, false, err
			}
			known[batch.JID] = p
		}
		complete = complete && p.Agent != ""
		all = append(all, p)
	}
	return all, complete, nil
}

// Save notes outcomes in one durable transaction: holes, quarantine, digests and
// watermarks. It fails with store.ErrTerm as Update does.
func (b *Books) Save(ctx context.Context, outcomes []Outcome) error {
	err := b.Update(ctx, func(tx *Tx) error {
		ctx := context.WithoutCancel(ctx) // as in store/sqlite
		for _, o := range outcomes {
			if err := tx.save(ctx, o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return b.failed("save what was committed", err)
	}
	return nil
}

func (t *Tx) save(ctx context.Context, o Outcome) error {
	j, err := t.Journal(ctx, o.Batch)
	if err != nil {
		return err
	}
	for _, bad := range o.Rejected {
		if err := quarantine(ctx, t.sql, o.Batch.Poison(bad)); err != nil {
			return err
		}
	}
	if err := addDigests(ctx, t, j.ID, o); err != nil {
		return err
	}
	if o.Batch.Ahead {
		return nil
	}
	return t.Advance(ctx, j, o.Through, o.Batch.Holes, o.Batch.Received)
}

// Room fails with store.ErrShare when there is no room in quarantine for
// records of one agent, together.
func (b *Books) Room(ctx context.Context, agent string, bad []wire.Bad) error {
	var poison []store.Poison
	for _, x := range bad {
		poison = append(poison, store.Poison{Agent: agent, Reason: x.Reason, Raw: x.Raw})
	}
	if err := room(ctx, b.file.Reader(), poison...); err != nil {
		return b.failed("quarantine", err)
	}
	return nil
}

// Marker returns the id of the marker that the store elsewhere must hold; empty
// before the first Reset.
func (b *Books) Marker(ctx context.Context) (string, error) {
	v, _, err := b.meta(ctx, keyMarker)
	if err != nil {
		return "", b.failed("read the marker's id", err)
	}
	return v, nil
}

// Reset notes a new marker. If there was one before, the store elsewhere has lost
// what it had: the term rises and all watermarks become 0, so that agents send
// again what they still have.
func (b *Books) Reset(ctx context.Context, marker string) error {
	b.updating.Lock()
	defer b.updating.Unlock()
	before, err := b.Marker(ctx)
	if err != nil {
		return err
	}
	term := b.ownTerm()
	if before != "" {
		term = wire.NextTerm(term)
	}
	err = b.file.Write(ctx, func(tx *sql.Tx) error {
		if before != "" {
			if err := writeTerm(ctx, tx, term); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE journals SET through = 0; DELETE FROM digests"); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx,
			"INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", keyMarker, marker)
		return err
	})
	if err != nil {
		return b.failed("note a new marker", err)
	}
	b.setTerm(term)
	return nil
}
