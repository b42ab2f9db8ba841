package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// Commit implements store.Store: rows, holes, quarantine and watermarks of all
// batches in one transaction.
func (s *Store) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	receipts := make([]store.Receipt, 0, len(batches))
	err := s.commit(ctx, func(tx *sql.Tx) error {
		for _, b := range batches {
			w := writer{ctx: ctx, tx: tx, one: tx.StmtContext(ctx, s.one), many: tx.StmtContext(ctx, s.many), b: b}
			r, err := w.whole()
			if err != nil {
				return fmt.Errorf("journal %s, seqs %d to %d: %w", b.JID, b.From, b.To, err)
			}
			receipts = append(receipts, r)
			if r.Gap || r.Refused || b.Ahead {
				continue
			}
			if err := s.mark(ctx, tx, w.journal, w.before, b.Received); err != nil {
				return fmt.Errorf("mark journal %s: %w", b.JID, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("commit to the store %s: %w", s.path, err)
	}
	return receipts, nil
}

// prepareInserts compiles what every commit runs.
func (s *Store) prepareInserts(ctx context.Context) error {
	for _, x := range []struct {
		stmt **sql.Stmt
		rows int
	}{{&s.one, 1}, {&s.many, rowsAtOnce}} {
		var err error
		//nolint:gosec // only placeholders are added
		*x.stmt, err = s.w.PrepareContext(ctx, `INSERT INTO records (journal, seq, at, received, kind, raw) VALUES (?, ?, ?, ?, ?, ?)`+
			strings.Repeat(", (?, ?, ?, ?, ?, ?)", x.rows-1)+` ON CONFLICT DO NOTHING`)
		if err != nil {
			return err
		}
	}
	return nil
}

// rowsAtOnce is how many rows one statement inserts where there are so many: a
// call of SQLite costs more than a row.
const rowsAtOnce = 32

// writer writes one batch.
type writer struct {
	ctx       context.Context
	tx        *sql.Tx
	one, many *sql.Stmt // insert one row, rowsAtOnce rows
	b         store.Batch
	journal   int64
	before    uint64 // the watermark when it began
}

// whole writes the batch, or nothing of it where the agent's share of the
// quarantine is full.
func (w *writer) whole() (store.Receipt, error) {
	if _, err := w.tx.ExecContext(w.ctx, "SAVEPOINT batch"); err != nil {
		return store.Receipt{}, err
	}
	r, err := w.batch()
	end := "RELEASE batch"
	if errors.Is(err, store.ErrShare) {
		r, err = store.Receipt{JID: w.b.JID, Through: w.before, Refused: true}, nil
		end = "ROLLBACK TO batch; RELEASE batch"
	}
	if err != nil {
		return r, err
	}
	_, err = w.tx.ExecContext(w.ctx, end)
	return r, err
}

func (w *writer) batch() (store.Receipt, error) {
	id, through, err := journal(w.ctx, w.tx, w.b)
	if err != nil {
		return store.Receipt{}, err
	}
	w.journal, w.before = id, through
	r := store.Receipt{JID: w.b.JID, Through: through}
	if !w.b.Ahead && w.b.From > through+1 {
		r.Gap = true
		return r, nil
	}
	if err := w.untwinned(&r); err != nil {
		return r, err
	}
	for rest := w.b.Entries; len(rest) > 0; {
		n, insert := 1, w.one
		if len(rest) >= rowsAtOnce {
			n, insert = rowsAtOnce, w.many
		}
		if err := w.entries(insert, rest[:n], &r); err != nil {
			return r, err
		}
		rest = rest[n:]
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

// entries stores records. One that is there already must be the same, byte for
// byte; another content under the same key is kept apart.
func (w *writer) entries(insert *sql.Stmt, entries []wire.Entry, r *store.Receipt) error {
	args := make([]any, 0, 6*len(entries))
	received := w.b.Received.UnixNano()
	for _, e := range entries {
		args = append(args, w.journal, int64(e.Record.Seq), e.Record.At.UnixNano(), received, string(e.Record.Kind), e.Raw)
	}
	res, err := insert.ExecContext(w.ctx, args...)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	r.New += int(n)
	if err != nil || int(n) == len(entries) {
		return err
	}
	for _, e := range entries {
		var stored []byte
		err := w.tx.QueryRowContext(w.ctx, "SELECT raw FROM records WHERE journal = ? AND seq = ?", w.journal, int64(e.Record.Seq)).Scan(&stored)
		if err != nil {
			return err
		}
		if bytes.Equal(stored, e.Raw) {
			continue
		}
		if err := w.reject(wire.Bad{Seq: e.Record.Seq, Raw: e.Raw, Reason: store.ReasonConflict}, r); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) reject(bad wire.Bad, r *store.Receipt) error {
	p := w.poison(bad)
	if err := room(w.ctx, w.tx, p); err != nil {
		return err
	}
	r.Rejected = append(r.Rejected, bad)
	return quarantine(w.ctx, w.tx, p)
}

func (w *writer) poison(bad wire.Bad) store.Poison {
	return store.Poison{At: w.b.Received, Agent: w.b.Agent, JID: w.b.JID, Seq: bad.Seq, Reason: bad.Reason, Raw: bad.Raw}
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
