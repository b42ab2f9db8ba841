package books

import (
	"context"
	"slices"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// maxOthers is in how many of an agent's other journals its records are looked
// for: the newest ones, of which a journal that was just renewed is one. An agent
// that begins one journal after the other must not slow down the others.
const maxOthers = 16

// Other is another journal of a batch's agent.
type Other struct {
	ID  int64 // of its row
	JID string
	// overlaps reports whether its watermark reaches into the batch. If not, the
	// only seqs of the batch that it can hold are alarms sent ahead.
	overlaps bool
}

// Stored returns which of entries are stored under other, byte for byte: their
// seqs. Every store has its own.
type Stored func(other Other, entries []wire.Entry) ([]uint64, error)

// WithoutRepeats returns b without the records that are stored under another
// journal of the agent, byte for byte, and their seqs. Holes account for them in
// b. An agent whose journal was renewed sends again what it does not know to be
// stored.
func WithoutRepeats(
	ctx context.Context, q db.Querier, b store.Batch, stored Stored,
) (less store.Batch, repeated []uint64, err error) {
	others, err := othersOf(ctx, q, b)
	if err != nil {
		return b, nil, err
	}
	for _, o := range others {
		candidates := b.Entries
		if !o.overlaps {
			candidates = alarms(b.Entries)
		}
		if len(candidates) == 0 {
			continue
		}
		seqs, err := stored(o, candidates)
		if err != nil {
			return b, nil, err
		}
		repeated = append(repeated, seqs...)
	}
	if len(repeated) == 0 {
		return b, nil, nil
	}
	slices.Sort(repeated)
	repeated = slices.Compact(repeated)
	var left []wire.Entry
	for _, e := range b.Entries {
		if _, is := slices.BinarySearch(repeated, e.Record.Seq); !is {
			left = append(left, e)
		}
	}
	b.Entries = left
	for _, seq := range repeated {
		b.Holes = WithHole(b.Holes, seq, store.ReasonRepeated)
	}
	return b, repeated, nil
}

// WithoutRepeats is the function of that name for a store elsewhere, which
// compares digests.
func (b *Books) WithoutRepeats(
	ctx context.Context, batch store.Batch,
) (less store.Batch, repeated []uint64, err error) {
	q := b.queries
	stored := func(o Other, entries []wire.Entry) (seqs []uint64, err error) {
		known, err := digests(ctx, q, o.JID, batch.From, batch.To)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if d, ok := known[e.Record.Seq]; ok && d == DigestOf(e.Raw) {
				seqs = append(seqs, e.Record.Seq)
			}
		}
		return seqs, nil
	}
	less, repeated, err = WithoutRepeats(ctx, q, batch, stored)
	if err != nil {
		return batch, nil, b.failed("look for repeated records", err)
	}
	return less, repeated, nil
}

// othersOf returns the agent's newest other journals, at most maxOthers.
func othersOf(ctx context.Context, q db.Querier, b store.Batch) ([]Other, error) {
	return db.All(ctx, q, func(r db.Row) (o Other, err error) {
		err = r.Scan(&o.ID, &o.JID, &o.overlaps)
		return o, err
	}, selectOthers, int64(b.From), b.Agent, b.JID, maxOthers)
}

func alarms(entries []wire.Entry) (out []wire.Entry) {
	for _, e := range entries {
		if e.Record.Kind == wire.KindAlarm {
			out = append(out, e)
		}
	}
	return out
}

// WithHole adds a hole of one seq to holes, in one hole with the seq before it. It
// does not change holes.
func WithHole(holes []wire.Hole, seq uint64, reason string) []wire.Hole {
	if n := len(holes); n > 0 && holes[n-1].Reason == reason && holes[n-1].To == seq-1 {
		last := holes[n-1]
		last.To, last.Count = seq, last.Count+1
		return append(holes[:n-1:n-1], last)
	}
	return append(slices.Clip(holes), wire.Hole{From: seq, To: seq, Reason: reason, Count: 1})
}
