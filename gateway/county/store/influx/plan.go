package influx

import (
	"context"
	"errors"
	"slices"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/wire"
)

// plan is what a commit writes.
type plan struct {
	oldest   time.Time // records before it are beyond the bucket's retention
	receipts []store.Receipt
	outcomes []outcome // of the batches without a gap
	points   lines     // of records that are not stored yet
	sources  []source  // of points, by index
	owners   []owner   // likewise
}

// outcome is what will be saved of a batch.
type outcome struct {
	books.Outcome
	receipt int    // its index
	before  uint64 // the watermark without this batch
	refused string // why nothing of the batch is saved; empty: it is
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
	p := &plan{oldest: s.keeps.oldest(s.opts.Now())}
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
// same content are left alone, another content goes to quarantine, and what the
// bucket does not keep becomes a hole.
func (p *plan) add(b store.Batch, r store.Receipt, known map[uint64]books.Digest, j *journal) {
	n, at := len(p.receipts), len(p.outcomes)
	p.receipts = append(p.receipts, r)
	saves := books.Outcome{Batch: b, Rejected: b.Bad, Digests: j.planned}
	p.outcomes = append(p.outcomes, outcome{Outcome: saves, receipt: n, before: r.Through})
	o := &p.outcomes[at]
	for _, e := range b.Entries {
		seq, digest := e.Record.Seq, books.DigestOf(e.Raw)
		d, isKnown := known[seq]
		if !isKnown {
			d, isKnown = j.planned[seq]
		}
		switch {
		case isKnown && d == digest:
			continue
		case !isKnown && b.Ahead && !b.Retry && seq <= r.Through:
			continue // stored in order, too long ago to be compared
		case isKnown, seq <= r.Through && !b.Retry:
			o.Rejected = append(o.Rejected, wire.Bad{Seq: seq, Raw: e.Raw, Reason: store.ReasonConflict})
			continue
		case e.Record.At.Before(p.oldest):
			p.beyond(o, e)
			continue
		}
		if err := p.points.addRecord(b, e); err != nil {
			o.Rejected = append(o.Rejected, wire.Bad{Seq: seq, Raw: e.Raw, Reason: err.Error()})
			continue
		}
		j.planned[seq] = digest
		p.sources = append(p.sources, source{n, at, e})
		p.owners = append(p.owners, owner{b.Agent, e.Record.At.Time})
		o.Written = append(o.Written, e)
		p.receipts[n].New++
	}
	if b.Ahead {
		p.receipts[n].Ahead = b.To
	} else {
		p.receipts[n].Through = max(r.Through, b.To)
	}
	p.receipts[n].Rejected = o.Rejected
	o.Through, j.through = p.receipts[n].Through, p.receipts[n].Through
}

// beyond notes that the bucket does not keep e: a hole, except for a row of the
// quarantine, which stays there.
func (p *plan) beyond(o *outcome, e wire.Entry) {
	if o.Batch.Retry {
		o.Rejected = append(o.Rejected, wire.Bad{Seq: e.Record.Seq, Raw: e.Raw, Reason: store.ReasonBeyond})
		return
	}
	r := &p.receipts[o.receipt]
	r.Beyond = append(r.Beyond, e.Record.Seq)
	o.Batch.Holes = books.WithHole(o.Batch.Holes, e.Record.Seq, store.ReasonBeyond)
}

// settle notes what the database refuses.
func (p *plan) settle(refused map[int]refusal, held map[string]string) {
	for i, src := range p.sources {
		why, is := refused[i]
		if !is {
			continue
		}
		r, o := &p.receipts[src.receipt], &p.outcomes[src.outcome]
		seq := src.entry.Record.Seq
		r.New--
		o.Written = slices.DeleteFunc(o.Written, func(e wire.Entry) bool { return e.Record.Seq == seq })
		if why.retention {
			p.beyond(o, src.entry)
		} else {
			o.Rejected = append(o.Rejected, wire.Bad{Seq: seq, Raw: src.entry.Raw, Reason: why.text})
		}
		r.Rejected = o.Rejected
	}
	for i := range p.outcomes {
		if why := held[p.outcomes[i].Batch.Agent]; why != "" {
			p.outcomes[i].refused = why
		}
	}
}

// withoutRefused returns the outcomes to save: all but those of batches that the
// database does not take, of batches with records that belong into quarantine and
// don't fit into their agent's share of it, and of the batches after them in the
// same journal. Points of these are written and not saved, as after a crash.
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
		more := append(slices.Clip(bad[agent]), o.Rejected...)
		full := false
		if o.refused == "" && len(o.Rejected) > 0 {
			err := b.Room(ctx, agent, more)
			if full = errors.Is(err, store.ErrShare); err != nil && !full {
				return nil, err
			}
		}
		if o.refused != "" || full {
			*r = store.Receipt{JID: jid, Through: o.before, Refused: true, Why: o.refused}
			if !o.Batch.Ahead {
				refused[jid] = o.before
			}
			continue
		}
		bad[agent] = more
		saved = append(saved, o.Outcome)
	}
	return saved, nil
}
