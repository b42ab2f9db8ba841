package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Commit implements store.Store: rows, holes, quarantine and watermarks of all
// batches in one transaction.
func (s *Store) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	receipts := make([]store.Receipt, 0, len(batches))
	err := s.write(ctx, func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, `INSERT INTO records (journal, seq, at, received, kind, raw)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, b := range batches {
			w := writer{ctx: ctx, tx: tx, insert: insert, b: b}
			r, err := w.batch()
			if err != nil {
				return fmt.Errorf("journal %s, seqs %d to %d: %w", b.JID, b.From, b.To, err)
			}
			receipts = append(receipts, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("commit to the store %s: %w", s.path, err)
	}
	return receipts, nil
}

// writer writes one batch.
type writer struct {
	ctx     context.Context
	tx      *sql.Tx
	insert  *sql.Stmt
	b       store.Batch
	journal int64
}

func (w *writer) batch() (store.Receipt, error) {
	id, through, err := journal(w.ctx, w.tx, w.b)
	if err != nil {
		return store.Receipt{}, err
	}
	w.journal = id
	r := store.Receipt{JID: w.b.JID, Through: through}
	if !w.b.Ahead && w.b.From > through+1 {
		r.Gap = true
		return r, nil
	}
	for _, e := range w.b.Entries {
		if err := w.entry(e, &r); err != nil {
			return r, err
		}
	}
	for _, bad := range w.b.Bad {
		if err := w.reject(bad, &r); err != nil {
			return r, err
		}
	}
	if w.b.Ahead {
		r.Ahead = w.b.To
		return r, nil
	}
	if w.b.To > through {
		r.Through = w.b.To
	}
	return r, advance(w.ctx, w.tx, id, r.Through, w.b.Holes, w.b.Received)
}

// entry stores a record. One that is there already must be the same, byte for
// byte; another content under the same key is kept apart.
func (w *writer) entry(e wire.Entry, r *store.Receipt) error {
	res, err := w.insert.ExecContext(w.ctx, w.journal, int64(e.Record.Seq), e.Record.At.UnixNano(), w.b.Received.UnixNano(),
		string(e.Record.Kind), e.Raw)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		r.New++
		return err
	}
	var stored []byte
	err = w.tx.QueryRowContext(w.ctx, "SELECT raw FROM records WHERE journal = ? AND seq = ?", w.journal, int64(e.Record.Seq)).Scan(&stored)
	if err != nil || bytes.Equal(stored, e.Raw) {
		return err
	}
	return w.reject(wire.Bad{Seq: e.Record.Seq, Raw: e.Raw, Reason: store.ReasonConflict}, r)
}

func (w *writer) reject(bad wire.Bad, r *store.Receipt) error {
	r.Rejected = append(r.Rejected, bad)
	return quarantine(w.ctx, w.tx, store.Poison{At: w.b.Received, Agent: w.b.Agent, JID: w.b.JID, Seq: bad.Seq, Reason: bad.Reason, Raw: bad.Raw})
}

// journal finds the journal's row and makes it at the first sight: from then on
// its place is fixed.
func journal(ctx context.Context, tx *sql.Tx, b store.Batch) (id int64, through uint64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT id, through FROM journals WHERE jid = ?", b.JID).Scan(&id, &through)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, through, err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO journals (jid, agent, community, grid, compound, first_seen) VALUES (?, ?, ?, ?, ?, ?)`,
		b.JID, b.Agent, b.Place.Community, b.Place.Grid, b.Place.Compound, b.Received.UnixNano())
	if err != nil {
		return 0, 0, err
	}
	id, err = res.LastInsertId()
	return id, 0, err
}

// advance records holes and moves the watermark.
func advance(ctx context.Context, tx *sql.Tx, journal int64, through uint64, holes []wire.Hole, at time.Time) error {
	for _, h := range holes {
		_, err := tx.ExecContext(ctx, "INSERT INTO holes (journal, first, last, reason, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			journal, int64(h.From), int64(h.To), h.Reason, at.UnixNano())
		if err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "UPDATE journals SET through = ? WHERE id = ? AND through < ?", int64(through), journal, int64(through))
	return err
}

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
