package report

import (
	"context"
	"slices"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// place is that of machines: they belong to no compound.
var place = store.Place{Community: "machines", Grid: "machines", Compound: "machines"}

// commit stores bodies as the next records of the machine's journal and indexes
// them. It returns false when ctx ended before.
func (t *Taker) commit(ctx context.Context, m *reporter, now time.Time, bodies []wire.Body) bool {
	b := store.Batch{Received: now, Place: place, Batch: wire.Batch{Agent: m.cfg.Machine, JID: m.jid}}
	for stored := false; !stored; {
		if !t.retry(ctx, func() error { return t.begin(ctx, m, &b.Batch) }) {
			return false
		}
		if err := m.fill(&b.Batch, now, bodies); err != nil {
			t.opts.Log.Error("encode a record of a report", "machine", m.cfg.Machine, "err", err)
			return false
		}
		var receipts []store.Receipt
		commit := func() (err error) {
			receipts, err = t.opts.Store.Commit(ctx, []store.Batch{b})
			return err
		}
		if !t.retry(ctx, commit) {
			return false
		}
		stored = !receipts[0].Gap // otherwise the store has lost its records since begin
		b.Entries = slices.DeleteFunc(b.Entries, func(e wire.Entry) bool {
			return slices.ContainsFunc(receipts[0].Rejected, func(bad wire.Bad) bool { return bad.Seq == e.Record.Seq })
		})
	}
	if !t.retry(ctx, func() error { return t.index.follow(ctx, now, b) }) {
		return false
	}
	m.lastSeq = b.To
	if t.opts.Watch != nil {
		t.opts.Watch.Committed([]store.Batch{b})
	}
	return true
}

// begin sets the first seq of b to the one after the store's last. If the store
// has less than it once had (a wiped InfluxDB, a file restored from a backup) the
// batch begins with a hole for what is lost: a seq is never used for another
// record, because those who follow the journal would take it for the first one.
func (t *Taker) begin(ctx context.Context, m *reporter, b *wire.Batch) error {
	pos, err := t.opts.Store.Position(ctx, m.jid)
	if err != nil {
		return err
	}
	b.From, b.Holes = pos.Through+1, nil
	if pos.Through < m.lastSeq {
		b.Holes = []wire.Hole{{From: b.From, To: m.lastSeq, Reason: store.ReasonLost, Count: m.lastSeq - pos.Through}}
		t.opts.Log.Warn("the store has lost records of a machine's reports, and goes on behind them",
			"machine", m.cfg.Machine, "from", b.From, "to", m.lastSeq)
	}
	return nil
}

// fill makes the records of b from bodies.
func (m *reporter) fill(b *wire.Batch, now time.Time, bodies []wire.Body) error {
	b.Entries = nil
	b.To = b.From - 1
	if len(b.Holes) > 0 {
		b.To = b.Holes[0].To
	}
	for _, body := range bodies {
		raw, err := wire.EncodeBody(body)
		if err != nil {
			return err
		}
		if !now.After(m.lastAt) {
			now = m.lastAt.Add(time.Microsecond)
		}
		m.lastAt = now
		b.To++
		r := wire.Record{Seq: b.To, At: wire.At(now), Kind: body.Kind(), Body: raw}
		line, err := wire.EncodeRecord(r)
		if err != nil {
			return err
		}
		b.Entries = append(b.Entries, wire.Entry{Record: r, Raw: line})
	}
	return nil
}

// retry calls what until it succeeds. It returns false when ctx ended before.
func (t *Taker) retry(ctx context.Context, what func() error) bool {
	loop := retry.Loop{Backoff: retry.Backoff{First: 250 * time.Millisecond, Last: 30 * time.Second},
		Log: t.opts.Log, Message: "a report can't be stored yet; the broker keeps it", Failed: t.opts.Blocked}
	err := loop.Do(ctx, what)
	if err == nil {
		t.opts.Blocked(nil)
	}
	return err == nil
}
