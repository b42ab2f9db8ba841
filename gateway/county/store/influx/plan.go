package influx

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/wire"
)

// plan is what a commit writes.
type plan struct {
	county   string
	receipts []store.Receipt
	outcomes []outcome      // of the batches without a gap
	points   []*write.Point // records that are not stored yet
	sources  []source       // of points, by index
}

// outcome is what will be saved of a batch.
type outcome struct {
	books.Outcome
	receipt int    // its index
	before  uint64 // the watermark without this batch
}

// source is where a point came from.
type source struct {
	receipt, outcome int // their indexes
	entry            wire.Entry
}

// journal is what is known of a journal while batches are planned.
type journal struct {
	through uint64                  // with the batches before
	planned map[uint64]books.Digest // records that this commit will write
}

func (s *Store) plan(ctx context.Context, batches []store.Batch) (*plan, error) {
	positions, err := s.books.Register(ctx, batches)
	if err != nil {
		return nil, err
	}
	p := &plan{county: s.opts.County}
	journals := map[string]*journal{}
	for i, b := range batches {
		j := journals[b.JID]
		if j == nil {
			j = &journal{through: positions[i].Through, planned: map[uint64]books.Digest{}}
			journals[b.JID] = j
		}
		r := store.Receipt{JID: b.JID, Through: j.through}
		if !b.Ahead && b.From > r.Through+1 {
			r.Gap = true
			p.receipts = append(p.receipts, r)
			continue
		}
		known, err := s.books.Digests(ctx, b.JID, b.From, b.To)
		if err != nil {
			return nil, err
		}
		maps.Copy(known, j.planned)
		b, r.Repeated, err = s.books.WithoutRepeats(ctx, b)
		if err != nil {
			return nil, err
		}
		b.Place = positions[i].Place
		p.add(b, r, known, j)
	}
	return p, nil
}

// add plans one batch: new records become points, those that are known with the
// same content are left alone, and another content goes to quarantine.
func (p *plan) add(b store.Batch, r store.Receipt, known map[uint64]books.Digest, j *journal) {
	o := outcome{Outcome: books.Outcome{Batch: b, Rejected: b.Bad}, receipt: len(p.receipts), before: r.Through}
	for _, e := range b.Entries {
		seq, digest := e.Record.Seq, books.DigestOf(e.Raw)
		d, isKnown := known[seq]
		switch {
		case isKnown && d == digest:
			continue
		case !isKnown && b.Ahead && !b.Retry && seq <= r.Through:
			continue // stored in order, too long ago to be compared
		case isKnown, seq <= r.Through && !b.Retry:
			o.Rejected = append(o.Rejected, wire.Bad{Seq: seq, Raw: e.Raw, Reason: store.ReasonConflict})
			continue
		}
		pt, err := point(p.county, b, e)
		if err != nil {
			o.Rejected = append(o.Rejected, wire.Bad{Seq: seq, Raw: e.Raw, Reason: err.Error()})
			continue
		}
		j.planned[seq] = digest
		p.points = append(p.points, pt)
		p.sources = append(p.sources, source{len(p.receipts), len(p.outcomes), e})
		o.Written = append(o.Written, e)
		r.New++
	}
	r.Rejected = o.Rejected
	if b.Ahead {
		r.Ahead = b.To
	} else {
		r.Through = max(r.Through, b.To)
	}
	o.Through, j.through = r.Through, r.Through
	p.receipts = append(p.receipts, r)
	p.outcomes = append(p.outcomes, o)
}

// reject notes that the database refuses point i.
func (p *plan) reject(i int, reason string) {
	src := p.sources[i]
	bad := wire.Bad{Seq: src.entry.Record.Seq, Raw: src.entry.Raw, Reason: reason}
	r, o := &p.receipts[src.receipt], &p.outcomes[src.outcome]
	r.New--
	r.Rejected = append(r.Rejected, bad)
	o.Rejected = append(o.Rejected, bad)
	o.Written = slices.DeleteFunc(o.Written, func(e wire.Entry) bool { return e.Record.Seq == bad.Seq })
}

// withoutRefused returns the outcomes to save: all but those of batches with
// records that belong into quarantine and don't fit into their agent's share of
// it, and of the batches after them in the same journal. Points of these are
// written and not saved, as after a crash.
func (p *plan) withoutRefused(ctx context.Context, b *books.Books) (saved []books.Outcome, err error) {
	bad := map[string][]wire.Bad{} // of this commit, by agent
	refused := map[string]uint64{} // by journal: the watermark before a refused batch
	for _, o := range p.outcomes {
		r := &p.receipts[o.receipt]
		agent, jid := o.Batch.Agent, o.Batch.JID
		if through, is := refused[jid]; is && !o.Batch.Ahead {
			*r = store.Receipt{JID: jid, Through: through, Gap: true}
			continue
		}
		if len(o.Rejected) > 0 {
			more := append(slices.Clip(bad[agent]), o.Rejected...)
			err := b.Room(ctx, agent, more)
			if errors.Is(err, store.ErrShare) {
				*r = store.Receipt{JID: jid, Through: o.before, Refused: true}
				if !o.Batch.Ahead {
					refused[jid] = o.before
				}
				continue
			}
			if err != nil {
				return nil, err
			}
			bad[agent] = more
		}
		saved = append(saved, o.Outcome)
	}
	return saved, nil
}
