package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/wire"
)

// Commit implements store.Store: records, holes, quarantine and watermarks of all
// batches in one transaction.
func (s *Store) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	receipts := make([]store.Receipt, 0, len(batches))
	err := s.books.Update(ctx, func(tx *books.Tx) error {
		one, many := tx.StmtContext(ctx, s.one), tx.StmtContext(ctx, s.many)
		for _, b := range batches {
			w := writer{ctx: ctx, tx: tx, one: one, many: many, batch: b, expires: s.expires.Load()}
			if err := w.writeOrRefuse(); err != nil {
				return fmt.Errorf("journal %s, seqs %d to %d: %w", b.JID, b.From, b.To, err)
			}
			receipts = append(receipts, w.receipt)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("commit to the store %s: %w", s.path(), err)
	}
	return receipts, nil
}

// writer writes one batch within a transaction.
type writer struct {
	ctx       context.Context
	tx        *books.Tx
	one, many *sql.Stmt // insert one record, rowsAtOnce records
	expires   bool      // records may have expired
	batch     store.Batch
	journal   books.Journal
	receipt   store.Receipt
}

// writeOrRefuse writes the batch, or nothing of it when the agent's share of the
// quarantine is full.
func (w *writer) writeOrRefuse() error {
	if _, err := w.tx.ExecContext(w.ctx, "SAVEPOINT batch"); err != nil {
		return err
	}
	err := w.write()
	end := "RELEASE batch"
	if errors.Is(err, store.ErrShare) {
		w.receipt = store.Receipt{JID: w.batch.JID, Through: w.journal.Through, Refused: true}
		end, err = "ROLLBACK TO batch; RELEASE batch", nil
	}
	if err != nil {
		return err
	}
	_, err = w.tx.ExecContext(w.ctx, end)
	return err
}

func (w *writer) write() (err error) {
	if w.journal, err = w.tx.Journal(w.ctx, w.batch); err != nil {
		return err
	}
	r := &w.receipt
	r.JID, r.Through = w.batch.JID, w.journal.Through
	if !w.batch.Ahead && w.batch.From > r.Through+1 {
		r.Gap = true
		return nil
	}
	if err := w.withoutExpired(); err != nil {
		return err
	}
	if w.batch, r.Repeated, err = books.WithoutRepeats(w.ctx, w.tx, w.batch, w.stored); err != nil {
		return err
	}
	if err := w.insertAll(); err != nil {
		return err
	}
	for _, bad := range w.batch.Bad {
		if err := w.reject(bad); err != nil {
			return err
		}
	}
	if w.batch.Ahead {
		r.Ahead = w.batch.To
		return nil
	}
	r.Through = max(r.Through, w.batch.To)
	return w.tx.Advance(w.ctx, w.journal, r.Through, w.batch.Holes, w.batch.Received)
}

// stored implements books.Stored.
func (w *writer) stored(other books.Other, entries []wire.Entry) (seqs []uint64, err error) {
	for _, e := range entries {
		raw, found, err := w.rawOf(other.ID, e.Record.Seq)
		if err != nil {
			return nil, err
		}
		if found && bytes.Equal(raw, e.Raw) {
			seqs = append(seqs, e.Record.Seq)
		}
	}
	return seqs, nil
}

func (w *writer) rawOf(journal int64, seq uint64) (raw []byte, found bool, err error) {
	return db.One(w.ctx, w.tx, db.Value[[]byte],
		"SELECT raw FROM records WHERE journal = ? AND seq = ?", journal, int64(seq))
}

func (w *writer) insertAll() error {
	for rest := w.batch.Entries; len(rest) > 0; {
		n, insert := 1, w.one
		if len(rest) >= rowsAtOnce {
			n, insert = rowsAtOnce, w.many
		}
		if err := w.insert(insert, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// insert stores records. One that is stored already must be the same, byte for
// byte; another content under the same key goes to quarantine.
func (w *writer) insert(statement *sql.Stmt, entries []wire.Entry) error {
	args := make([]any, 0, 6*len(entries))
	received := w.batch.Received.UnixNano()
	for _, e := range entries {
		args = append(args, w.journal.ID, int64(e.Record.Seq), e.Record.At.UnixNano(), received,
			string(e.Record.Kind), e.Raw)
	}
	res, err := statement.ExecContext(w.ctx, args...)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	w.receipt.New += int(n)
	if err != nil || int(n) == len(entries) {
		return err
	}
	for _, e := range entries {
		raw, _, err := w.rawOf(w.journal.ID, e.Record.Seq)
		if err != nil {
			return err
		}
		if bytes.Equal(raw, e.Raw) {
			continue
		}
		if err := w.reject(wire.Bad{Seq: e.Record.Seq, Raw: e.Raw, Reason: store.ReasonConflict}); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) reject(bad wire.Bad) error {
	w.receipt.Rejected = append(w.receipt.Rejected, bad)
	return w.tx.Quarantine(w.ctx, w.batch.Poison(bad))
}
