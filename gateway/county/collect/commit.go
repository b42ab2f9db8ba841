package collect

import (
	"cmp"
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
	begun    bucket // journals of agents that the site file does not list
	tried    int    // how often a commit was tried by agents
}

func (c *committer) run(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		c.cfg.Health.SetTurned(Part, c.cfg.Now())
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			c.status.look()
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
		case <-c.cfg.Health.Changed():
			c.status.troubled()
		case <-c.status.due:
			c.status.due = nil
			c.status.troubled()
		case it := <-c.in.items:
			if c.fenced {
				it.land()
				continue
			}
			c.take(ctx, it)
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

// work is what is committed and answered together.
type work struct {
	batches []store.Batch
	hellos  []item
	all     []item // that were taken in
}

// take commits it together with the messages that wait behind it, and then
// answers the hellos among them.
func (c *committer) take(ctx context.Context, it item) {
	w := &work{}
	defer w.land()
	c.gather(ctx, w, it)
	if ctx.Err() == nil && !c.fenced {
		c.commit(ctx, w)
	}
	if c.fenced {
		return
	}
	for _, h := range w.hellos {
		c.answer(ctx, h.agent, *h.hello)
	}
}

// land lets the messages land.
func (w *work) land() {
	for _, it := range w.all {
		it.land()
	}
}

// gather takes in it and the messages that wait behind it.
func (c *committer) gather(ctx context.Context, w *work, it item) {
	for more := true; more; {
		select { // the status of another collector comes first
		case o := <-c.in.others:
			c.other(ctx, o)
		default:
		}
		w.all = append(w.all, it)
		if it.hello != nil {
			w.hellos = append(w.hellos, it)
		} else if c.admit(ctx, &it.batch) {
			w.batches = append(w.batches, it.batch)
		}
		if len(w.all) >= group {
			return
		}
		select {
		case it = <-c.in.items:
		default:
			more = false
		}
	}
}

// store stores batches together and acknowledges them. A batch that begins beyond
// its journal's watermark is dropped: one before it was refused or damaged, and its
// agent sends again from the watermark.
func (c *committer) store(ctx context.Context, batches []store.Batch) error {
	began := c.cfg.Now()
	receipts, err := c.cfg.Store.Commit(ctx, batches)
	if err != nil {
		c.cfg.Commits.Failed()
		return err
	}
	c.measure(began, batches, receipts)
	c.checkIdentity(ctx)
	acks := map[string]wire.Ack{} // the highest of each journal
	agents := map[string]string{}
	var stored []store.Batch
	for i, b := range batches {
		r := receipts[i]
		c.judge(b, r)
		switch {
		case r.Refused || r.Gap:
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
	return nil
}

// measure counts a commit that began at began.
func (c *committer) measure(began time.Time, batches []store.Batch, receipts []store.Receipt) {
	if len(batches) == 0 {
		return
	}
	now, fresh := c.cfg.Now(), 0
	for i, b := range batches {
		if r := receipts[i]; r.New > 0 {
			fresh += r.New
			c.cfg.Commits.Arrived(now.Sub(b.Entries[0].Record.At.Time))
		}
	}
	c.cfg.Commits.Done(now.Sub(began), fresh)
}

// judge logs and counts what was not stored of a batch. An agent whose batches come
// to nothing is slowed down.
func (c *committer) judge(b store.Batch, r store.Receipt) {
	for _, bad := range r.Rejected {
		c.cfg.Log.Warn("record put into quarantine",
			"agent", b.Agent, "jid", b.JID, "seq", bad.Seq, "reason", bad.Reason)
	}
	switch {
	case r.Refused:
		c.refusals.add(b.Received, b.Agent, cmp.Or(r.Why, refusedShare))
	case r.Gap, r.New == 0 && len(b.Entries) > 0, len(r.Rejected) > 0:
		c.refusals.slow(b.Received, b.Agent)
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
		Failed: func(err error) {
			c.status.setFault(err.Error())
			c.status.look()
		}}
	err := loop.Do(ctx, func() error {
		c.cfg.Health.SetTurned(Part, c.cfg.Now()) // a store that is away is tried again
		defer c.cfg.Health.Begin(Part, c.cfg.Now())()
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
