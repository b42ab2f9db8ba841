package collect

import (
	"context"
	"errors"
	"slices"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// group is how many batches are committed in one transaction at most: enough
// to make a durable commit cheap per record, few enough to answer soon.
const group = 32

// lookEvery is how often the committer looks whether the store is there.
const lookEvery = 5 * time.Second

// committer is the one goroutine that writes: what has come since the last
// commit goes into the next one together.
type committer struct {
	cfg      Config
	status   *announcer
	refusals *refusals
	in       inputs

	storeID  string
	term     uint64
	fenced   bool                // another collector has taken over
	began    time.Time           // of the first connection
	accounts map[string]*account // by agent
	unproven unproven
}

func (c *committer) run(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			if !c.fenced {
				c.look(ctx)
			}
		case <-c.in.up:
			if c.began.IsZero() {
				c.began = c.cfg.Now()
			}
			c.announce()
		case o := <-c.in.others:
			c.other(ctx, o)
		case <-c.status.again:
			c.status.again = nil
			c.status.repeat()
		case it := <-c.in.items:
			if !c.fenced {
				c.take(ctx, it)
			}
		}
	}
}

// look finds out whether the store is there although nothing comes. Meanwhile a
// fault is published, and nothing is answered.
func (c *committer) look(ctx context.Context) {
	err := c.retry(ctx, func() error { _, _, err := c.cfg.Store.Identity(ctx); return err })
	if err == nil {
		c.checkIdentity(ctx)
	}
}

func (c *committer) announce() { c.status.announce(c.storeID, c.term) }

// take commits it together with the messages that wait behind it, and then
// answers the hellos among them.
func (c *committer) take(ctx context.Context, it item) {
	var batches []store.Batch
	var hellos []item
	for more := true; more; {
		select { // the status of another collector comes first
		case o := <-c.in.others:
			c.other(ctx, o)
		default:
		}
		if it.hello != nil {
			hellos = append(hellos, it)
		} else if c.admit(ctx, &it.batch) {
			batches = append(batches, it.batch)
		}
		if len(batches) == group {
			break
		}
		select {
		case it = <-c.in.items:
		default:
			more = false
		}
	}
	if len(batches) > 0 && ctx.Err() == nil && !c.fenced {
		c.commit(ctx, batches)
	}
	if c.fenced {
		return
	}
	for _, h := range hellos {
		c.answer(ctx, h.agent, *h.hello)
	}
}

// admit sets the place of the batch's agent. It returns false for a journal that
// the store knows as another agent's, a copied disk or a forgery, and for one
// new journal too many.
func (c *committer) admit(ctx context.Context, b *store.Batch) bool {
	if own := c.account(b.Agent); !own.journals[b.JID] {
		var pos store.Position
		err := c.retry(ctx, func() (err error) { pos, err = c.cfg.Store.Position(ctx, b.JID); return err })
		switch {
		case err != nil:
			return false
		case pos.Agent != "" && pos.Agent != b.Agent:
			c.foreign(ctx, b, pos.Agent)
			return false
		case pos.Agent == "" && !own.begun.take(b.Received):
			c.refusals.add(b.Received, b.Agent, refusedNew)
			return false
		}
		own.add(b.JID)
	}
	b.Place = c.place(b.Agent)
	if b.Ahead && c.cfg.Watch != nil {
		c.cfg.Watch.Arrived(*b)
	}
	return true
}

// foreign puts the records of another agent's journal into quarantine.
func (c *committer) foreign(ctx context.Context, b *store.Batch, owner string) {
	reason := "journal " + b.JID + " belongs to agent " + owner
	if c.refusals.due(b.Received, b.Agent, "foreign") {
		c.cfg.Log.Error("batch refused", "agent", b.Agent, "reason", reason)
	}
	for _, e := range b.Entries {
		p := store.Poison{At: b.Received, Agent: b.Agent, JID: b.JID, Seq: e.Record.Seq, Reason: reason, Raw: e.Raw,
			Topic: wire.Topic(c.cfg.County, b.Agent, wire.LeafRecords)}
		full := false
		err := c.retry(ctx, func() error {
			err := c.cfg.Store.Quarantine(ctx, p)
			if full = errors.Is(err, store.ErrShare); full {
				return nil
			}
			return err
		})
		if full {
			c.refusals.add(b.Received, b.Agent, refusedShare)
		}
		if full || err != nil {
			return
		}
	}
}

func (c *committer) place(agent string) store.Place {
	community, grid, compound, ok := c.cfg.Sites.Place(agent)
	if !ok {
		if own := c.account(agent); !own.unlisted {
			own.unlisted = true
			c.cfg.Log.Warn("the site file does not list this agent; its records are stored as unassigned",
				"agent", agent)
		}
		return store.Place{Community: "unassigned", Grid: "unassigned", Compound: "unassigned"}
	}
	return store.Place{Community: community, Grid: grid, Compound: compound}
}

// commit stores batches and acknowledges them. A batch that begins beyond its
// journal's watermark is dropped: one before it was refused or damaged, and its
// agent sends again from the watermark.
func (c *committer) commit(ctx context.Context, batches []store.Batch) {
	var receipts []store.Receipt
	err := c.retry(ctx, func() (err error) { receipts, err = c.cfg.Store.Commit(ctx, batches); return err })
	if err != nil {
		return
	}
	c.checkIdentity(ctx)
	acks := map[string]wire.Ack{} // the highest of each journal
	agents := map[string]string{}
	var stored []store.Batch
	for i, r := range receipts {
		b := batches[i]
		for _, bad := range r.Rejected {
			c.cfg.Log.Warn("record put into quarantine",
				"agent", b.Agent, "jid", b.JID, "seq", bad.Seq, "reason", bad.Reason)
		}
		switch {
		case r.Refused:
			c.refusals.add(b.Received, b.Agent, refusedShare)
			continue
		case r.Gap:
			continue
		case b.Ahead:
			c.acknowledge(b.Agent, wire.Ack{JID: b.JID, Through: r.Through, Ahead: r.Ahead})
		case r.Through >= acks[b.JID].Through:
			acks[b.JID], agents[b.JID] = wire.Ack{JID: b.JID, Through: r.Through}, b.Agent
		}
		stored = append(stored, accepted(b, r))
	}
	if c.cfg.Watch != nil && len(stored) > 0 {
		c.cfg.Watch.Committed(stored)
	}
	for jid, a := range acks {
		c.acknowledge(agents[jid], a)
	}
}

// accepted returns a batch without its records that went to quarantine or were
// stored before.
func accepted(b store.Batch, r store.Receipt) store.Batch {
	if len(r.Rejected) == 0 && len(r.Repeated) == 0 {
		return b
	}
	b.Entries = slices.DeleteFunc(slices.Clone(b.Entries), func(e wire.Entry) bool {
		return slices.Contains(r.Repeated, e.Record.Seq) ||
			slices.ContainsFunc(r.Rejected, func(bad wire.Bad) bool { return bad.Seq == e.Record.Seq })
	})
	return b
}

func (c *committer) acknowledge(agent string, a wire.Ack) {
	a.V, a.Store, a.Term = 1, c.storeID, c.term
	c.status.acknowledge(agent, a)
}

// retry calls what until it succeeds or ctx ends, and publishes meanwhile why
// nothing is committed. If another collector owns the store it gives up.
func (c *committer) retry(ctx context.Context, what func() error) error {
	loop := retry.Loop{Backoff: backoff, Log: c.cfg.Log,
		Message: "the store does not take it; nothing is acknowledged until it does",
		Failed:  func(err error) { c.status.setFault(err.Error()) }}
	err := loop.Do(ctx, func() error {
		err := what()
		if errors.Is(err, store.ErrTerm) {
			return retry.Permanent(err)
		}
		return err
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		c.fence(err.Error())
	default:
		c.status.setFault("")
	}
	return err
}

// checkIdentity announces a store that has reset itself (an InfluxDB that was
// wiped) and so has a new term.
func (c *committer) checkIdentity(ctx context.Context) {
	id, term, err := c.cfg.Store.Identity(ctx)
	if err != nil || (id == c.storeID && term == c.term) {
		return
	}
	c.storeID, c.term = id, term
	c.announce()
}
