package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// relative is another journal of a batch's agent.
type relative struct {
	id      int64
	reaches bool // into the batch; if not it can only hold alarms that were sent ahead
}

// mostKin is how many journals of an agent are looked through for what it sends
// again: the newest, of which a journal that was renewed is one. An agent that
// begins one journal after the other must not slow the others down.
const mostKin = 16

// kin are the other journals of a batch's agent, at most mostKin: when an agent's
// journal got a new jid, what it sends again may be stored already.
func kin(ctx context.Context, q querier, b store.Batch) (all []relative, err error) {
	rows, err := q.QueryContext(ctx,
		"SELECT id, through >= ? FROM journals WHERE agent = ? AND jid <> ? ORDER BY id DESC LIMIT ?", int64(b.From), b.Agent, b.JID, mostKin)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k relative
		if err := rows.Scan(&k.id, &k.reaches); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// untwinned takes out of a batch the records that are stored under a former
// journal, byte for byte, and accounts for them as holes.
func (w *writer) untwinned(r *store.Receipt) error {
	others, err := kin(w.ctx, w.tx, w.b)
	if err != nil || len(others) == 0 {
		return err
	}
	var kept []wire.Entry
	for _, e := range w.b.Entries {
		twin := false
		for _, k := range others {
			if !k.reaches && e.Record.Kind != wire.KindAlarm {
				continue
			}
			var raw []byte
			err := w.tx.QueryRowContext(w.ctx, "SELECT raw FROM records WHERE journal = ? AND seq = ?", k.id, int64(e.Record.Seq)).Scan(&raw)
			if err == nil && bytes.Equal(raw, e.Raw) {
				twin = true
			} else if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		if !twin {
			kept = append(kept, e)
			continue
		}
		r.Repeated = append(r.Repeated, e.Record.Seq)
		w.b.Holes = repeated(w.b.Holes, e.Record.Seq)
	}
	w.b.Entries = kept
	return nil
}

// repeated adds a seq to holes of others, which are not touched.
func repeated(holes []wire.Hole, seq uint64) []wire.Hole {
	n := len(holes)
	if n > 0 && holes[n-1].Reason == store.ReasonRepeated && holes[n-1].To == seq-1 {
		last := holes[n-1]
		return append(holes[:n-1:n-1], wire.Hole{From: last.From, To: seq, Reason: last.Reason, Count: last.Count + 1})
	}
	return append(holes[:n:n], wire.Hole{From: seq, To: seq, Reason: store.ReasonRepeated, Count: 1})
}

// Twins gives the digests of what is remembered of the seqs of a batch under
// other journals of its agent, for a store that keeps its records elsewhere.
func (s *Store) Twins(ctx context.Context, b store.Batch) ([]map[uint64]Digest, error) {
	rows, err := s.r.QueryContext(ctx,
		"SELECT jid FROM journals WHERE agent = ? AND jid <> ? ORDER BY id DESC LIMIT ?", b.Agent, b.JID, mostKin)
	if err != nil {
		return nil, fmt.Errorf("former journals in %s: %w", s.path, err)
	}
	var jids []string
	for rows.Next() {
		var jid string
		if err := rows.Scan(&jid); err != nil {
			rows.Close()
			return nil, fmt.Errorf("former journals in %s: %w", s.path, err)
		}
		jids = append(jids, jid)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("former journals in %s: %w", s.path, err)
	}
	var out []map[uint64]Digest
	for _, jid := range jids {
		known, err := s.Digests(ctx, jid, b.From, b.To)
		if err != nil {
			return nil, err
		}
		out = append(out, known)
	}
	return out, nil
}

// Untwinned is a batch less the records that twins hold, which become holes;
// their seqs are repeated.
func Untwinned(b store.Batch, twins []map[uint64]Digest) (less store.Batch, again []uint64) {
	if len(twins) == 0 {
		return b, nil
	}
	var kept []wire.Entry
	holes := b.Holes
	for _, e := range b.Entries {
		twin := false
		for _, known := range twins {
			d, was := known[e.Record.Seq]
			twin = twin || was && d == DigestOf(e.Raw)
		}
		if twin {
			holes, again = repeated(holes, e.Record.Seq), append(again, e.Record.Seq)
		} else {
			kept = append(kept, e)
		}
	}
	b.Entries, b.Holes = kept, holes
	return b, again
}
