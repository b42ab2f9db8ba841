package sqlite

import (
	"bytes"
	"context"
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
		// Without an end: the driver starts a goroutine for each statement that may
		// have one, and none of these takes long.
		ctx := context.WithoutCancel(ctx)
		statements := tx.With(s.statements)
		for _, b := range batches {
			w := writer{ctx: ctx, tx: tx, statements: statements, batch: b, expires: s.expires.Load()}
			if err := w.write(); err != nil {
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
	ctx        context.Context
	tx         *books.Tx
	statements db.Statements
	expires    bool // records may have expired
	batch      store.Batch
	journal    books.Journal
	receipt    store.Receipt
}

// write writes the batch, or nothing of it but its journal's row when what of it
// belongs into quarantine does not fit into the agent's share.
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
	if err := w.withoutKnown(); err != nil {
		return err
	}
	r.Rejected = append(r.Rejected, w.batch.Bad...)
	err = w.quarantine()
	if errors.Is(err, store.ErrShare) {
		*r = store.Receipt{JID: w.batch.JID, Through: w.journal.Through, Refused: true}
		return nil
	}
	if err != nil {
		return err
	}
	if err := w.insertAll(); err != nil {
		return err
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
	return db.One(w.ctx, w.statements, db.Value[[]byte], selectRaw, journal, int64(seq))
}

// withoutKnown takes those records out of the batch that are stored already. Such a
// record must be the same, byte for byte; another content under the same key goes
// to quarantine.
func (w *writer) withoutKnown() error {
	entries := w.batch.Entries
	if len(entries) == 0 {
		return nil
	}
	first, last := entries[0].Record.Seq, entries[len(entries)-1].Record.Seq
	some, _, err := db.One(w.ctx, w.statements, db.Value[bool], existsBetween, w.journal.ID, int64(first), int64(last))
	if err != nil || !some {
		return err
	}
	var fresh []wire.Entry
	for _, e := range entries {
		raw, found, err := w.rawOf(w.journal.ID, e.Record.Seq)
		switch {
		case err != nil:
			return err
		case !found:
			fresh = append(fresh, e)
		case !bytes.Equal(raw, e.Raw):
			w.reject(wire.Bad{Seq: e.Record.Seq, Raw: e.Raw, Reason: store.ReasonConflict})
		}
	}
	w.batch.Entries = fresh
	return nil
}

// insertAll stores records that are not stored yet.
func (w *writer) insertAll() error {
	args := make([]any, 0, columns*rowsAtOnce)
	received := w.batch.Received.UnixNano()
	for rest := w.batch.Entries; len(rest) > 0; {
		n, insert := 1, insertOne
		if len(rest) >= rowsAtOnce {
			n, insert = rowsAtOnce, insertMany
		}
		args = args[:0]
		for _, e := range rest[:n] {
			args = append(args, w.journal.ID, int64(e.Record.Seq), e.Record.At.UnixNano(), received,
				string(e.Record.Kind), e.Raw)
		}
		if _, err := w.statements.ExecContext(w.ctx, insert, args...); err != nil {
			return err
		}
		w.receipt.New += n
		rest = rest[n:]
	}
	return nil
}

// reject notes that a record belongs into quarantine.
func (w *writer) reject(bad wire.Bad) { w.receipt.Rejected = append(w.receipt.Rejected, bad) }

// quarantine adds what was rejected to the quarantine, or nothing of it.
func (w *writer) quarantine() error {
	var poison []store.Poison
	for _, bad := range w.receipt.Rejected {
		poison = append(poison, w.batch.Poison(bad))
	}
	return w.tx.Quarantine(w.ctx, poison...)
}
