package report

import (
	"context"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// backAtOnce is how many records are put back in one commit.
const backAtOnce = 256

// checkEvery is how often the store is made to look whether it still has its records
// although nothing comes.
const checkEvery = 30 * time.Second

// check makes the store look whether it is the one that was written to, at once and
// every checkEvery, until ctx ends.
func (t *Taker) check(ctx context.Context) {
	for ctx.Err() == nil {
		if _, err := t.opts.Store.Commit(ctx, nil); err != nil && ctx.Err() == nil {
			t.opts.Log.Debug("look whether the store has its records", "err", err)
		}
		retry.Sleep(ctx, checkEvery)
	}
}

// look reads the store's term: at another one, each machine's records are compared.
func (t *Taker) look(ctx context.Context) {
	if _, term, err := t.opts.Store.Identity(ctx); err == nil {
		t.term.Store(term)
	}
}

// putBack gives the store what the index has of the machine's journal and the store
// has lost: a wiped InfluxDB, a file restored from a backup. The records keep their
// seqs and bytes. What the index no longer has becomes a hole. Nothing is done if
// the store has all.
func (t *Taker) putBack(ctx context.Context, m *reporter, now time.Time) error {
	put, lost, size := 0, uint64(0), backAtOnce
	for {
		pos, err := t.opts.Store.Position(ctx, m.jid)
		if err != nil {
			return err
		}
		if pos.Through >= m.lastSeq {
			break
		}
		b, err := t.lostBatch(ctx, m, pos.Through, size)
		if err != nil {
			return err
		}
		b.Received = now
		receipts, err := t.opts.Store.Commit(ctx, []store.Batch{b})
		if err != nil {
			return err
		}
		switch r := receipts[0]; {
		case r.Gap: // it has lost more meanwhile
			continue
		case r.Refused && len(b.Entries) > 1:
			size = 1
			continue
		case r.Refused: // it refuses this record, and its quarantine is full
			b.Entries, b.Holes = nil, hole(b.From, b.To)
			if _, err = t.opts.Store.Commit(ctx, []store.Batch{b}); err != nil {
				return err
			}
		}
		size = min(2*size, backAtOnce)
		put += len(b.Entries)
		for _, h := range b.Holes {
			lost += h.Count
		}
		if t.opts.Watch != nil {
			t.opts.Watch.Committed([]store.Batch{b})
		}
	}
	if put > 0 || lost > 0 {
		t.opts.Log.Warn("the store had lost records of a machine's reports; what is known of them was put back",
			"machine", m.cfg.Machine, "put_back", put, "lost", lost)
	}
	return nil
}

// lostBatch returns the next records behind through, at most size, with holes for
// what the index does not have.
func (t *Taker) lostBatch(ctx context.Context, m *reporter, through uint64, size int) (store.Batch, error) {
	b := store.Batch{Place: place, Batch: wire.Batch{Agent: m.cfg.Machine, JID: m.jid, From: through + 1, To: through}}
	records, err := t.index.records(ctx, m.cfg.Machine, through, size)
	if err != nil {
		return b, err
	}
	for _, r := range records {
		if r.Seq <= b.To || r.Seq > m.lastSeq {
			continue
		}
		line, err := wire.EncodeRecord(r)
		if err != nil {
			return b, err
		}
		b.Holes = append(b.Holes, hole(b.To+1, r.Seq-1)...)
		b.Entries = append(b.Entries, wire.Entry{Record: r, Raw: line})
		b.To = r.Seq
	}
	if len(records) < size {
		b.Holes = append(b.Holes, hole(b.To+1, m.lastSeq)...)
		b.To = m.lastSeq
	}
	return b, nil
}

// hole returns a hole for records that are lost; none if there are none.
func hole(from, to uint64) []wire.Hole {
	if to < from {
		return nil
	}
	return []wire.Hole{{From: from, To: to, Reason: store.ReasonLost, Count: to - from + 1}}
}
