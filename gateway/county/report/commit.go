package report

import (
	"context"
	"fmt"
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
	lastAt := m.lastAt // a record that is offered again is the same
	for stored := false; !stored; {
		m.lastAt = lastAt
		if !t.retry(ctx, func() error { return t.begin(ctx, m, now, &b.Batch) }) {
			return false
		}
		if err := m.fill(&b.Batch, now, bodies); err != nil {
			t.opts.Log.Error("encode a record of a report", "machine", m.cfg.Machine, "err", err)
			return false
		}
		var receipts []store.Receipt
		commit := func() (err error) {
			receipts, err = t.opts.Store.Commit(ctx, []store.Batch{b})
			if err == nil && receipts[0].Refused && receipts[0].Why != "" { // somebody may remove the cause
				err = fmt.Errorf("the store refuses it: %s", receipts[0].Why)
			}
			return err
		}
		if !t.retry(ctx, commit) {
			return false
		}
		r := receipts[0]
		if r.Refused {
			return t.refused(ctx, m, now, bodies)
		}
		stored = !r.Gap // otherwise the store has lost its records since begin
		b.Entries = slices.DeleteFunc(b.Entries, func(e wire.Entry) bool {
			return slices.ContainsFunc(r.Rejected, func(bad wire.Bad) bool { return bad.Seq == e.Record.Seq })
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

// refused stores bodies one by one of which the store refuses at least one that has
// no room in quarantine. That one is dropped, and counted.
func (t *Taker) refused(ctx context.Context, m *reporter, now time.Time, bodies []wire.Body) bool {
	if n := len(bodies) / 2; n > 0 {
		return t.commit(ctx, m, now, bodies[:n]) && t.commit(ctx, m, now, bodies[n:])
	}
	t.drop(m.cfg.Machine, "the store refuses its record, and its share of the quarantine is full")
	return true
}

// begin sets the first seq of b to the one after the journal's last. If the store
// has less than it once had it gets that back first: a seq is never used for another
// record, because those who follow the journal would take it for the first one.
func (t *Taker) begin(ctx context.Context, m *reporter, now time.Time, b *wire.Batch) error {
	if err := t.putBack(ctx, m, now); err != nil {
		return err
	}
	pos, err := t.opts.Store.Position(ctx, m.jid)
	b.From = pos.Through + 1
	return err
}

// fill makes the records of b from bodies.
func (m *reporter) fill(b *wire.Batch, now time.Time, bodies []wire.Body) error {
	b.Entries = nil
	b.To = b.From - 1
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

// retry calls what until it succeeds. It returns false when ctx ended before. Between
// two attempts another machine has the taker's place.
func (t *Taker) retry(ctx context.Context, what func() error) bool {
	away := false
	back := func() {
		if away {
			t.places.enter()
		}
		away = false
	}
	defer back()
	failed := false
	defer func() {
		if failed {
			t.blocks.end()
		}
	}()
	loop := retry.Loop{Backoff: retry.Backoff{First: 250 * time.Millisecond, Last: 30 * time.Second},
		Log: t.opts.Log, Message: "a report can't be stored yet; the broker keeps it",
		Failed: func(err error) {
			t.blocks.add(!failed, err)
			failed, away = true, true
			t.places.leave()
		}}
	return loop.Do(ctx, func() error {
		back()
		defer t.opts.Begin()()
		return what()
	}) == nil
}
