package collect

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// commitLoop is the one goroutine that writes: whatever has come since the last
// commit goes into the next one together.
func (c *Collector) commitLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.up:
			if c.began.IsZero() {
				c.began = time.Now()
			}
			c.announce()
		case a := <-c.others:
			c.other(ctx, a)
		case it := <-c.in:
			if !c.fenced {
				c.take(ctx, it)
			}
		}
	}
}

func (c *Collector) take(ctx context.Context, it item) {
	var batches []store.Batch
	var hellos []item
	for more := true; more; {
		select { // the word of another collector comes first
		case a := <-c.others:
			c.other(ctx, a)
		default:
		}
		if it.hello != nil {
			hellos = append(hellos, it)
		} else if c.welcome(ctx, &it.batch) {
			batches = append(batches, it.batch)
		}
		if len(batches) == group {
			break
		}
		select {
		case it = <-c.in:
		default:
			more = false
		}
	}
	for len(batches) > 0 && ctx.Err() == nil && !c.fenced {
		batches = c.commit(ctx, batches)
	}
	for _, h := range hellos {
		c.greet(ctx, h.agent, *h.hello)
	}
}

// welcome fills in where the batch's agent stands and refuses a journal that
// the store knows as another agent's: a copied disk, or a forgery.
func (c *Collector) welcome(ctx context.Context, b *store.Batch) bool {
	owner, known := c.owners[b.JID]
	if !known {
		var pos store.Position
		err := c.retry(ctx, func() (err error) { pos, err = c.cfg.Store.Position(ctx, b.JID); return err })
		if err != nil {
			return false
		}
		if owner = pos.Agent; owner == "" {
			owner = b.Agent
		}
		c.owners[b.JID] = owner
	}
	if owner != b.Agent {
		reason := "journal " + b.JID + " belongs to agent " + owner
		c.cfg.Log.Error("batch refused", "agent", b.Agent, "reason", reason)
		for _, e := range b.Entries {
			p := store.Poison{At: b.Received, Agent: b.Agent, JID: b.JID, Seq: e.Record.Seq, Reason: reason, Raw: e.Raw,
				Topic: wire.Topic(c.cfg.County, b.Agent, wire.LeafRecords)}
			if c.retry(ctx, func() error { return c.cfg.Store.Quarantine(ctx, p) }) != nil {
				return false
			}
		}
		return false
	}
	b.Place = c.place(b.Agent)
	if b.Ahead && c.cfg.Watch != nil {
		c.cfg.Watch.Arrived(*b)
	}
	return true
}

func (c *Collector) place(agent string) store.Place {
	community, grid, compound, ok := c.cfg.Sites.Place(agent)
	if !ok {
		if !c.strange[agent] {
			c.strange[agent] = true
			c.cfg.Log.Warn("the site file does not list this agent; its records are kept as unassigned", "agent", agent)
		}
		return store.Place{Community: "unassigned", Grid: "unassigned", Compound: "unassigned"}
	}
	return store.Place{Community: community, Grid: grid, Compound: compound}
}

// commit stores batches, acknowledges them, and returns those that can follow
// now because what they waited for is there.
func (c *Collector) commit(ctx context.Context, batches []store.Batch) (next []store.Batch) {
	var receipts []store.Receipt
	err := c.retry(ctx, func() (err error) { receipts, err = c.cfg.Store.Commit(ctx, batches); return err })
	if err != nil {
		return nil
	}
	c.identity(ctx)
	acks := map[string]wire.Ack{}
	agents := map[string]string{}
	var stored []store.Batch
	for i, r := range receipts {
		b := batches[i]
		if !r.Gap {
			stored = append(stored, without(b, r))
		}
		for _, bad := range r.Rejected {
			c.cfg.Log.Warn("record put into quarantine", "agent", b.Agent, "jid", b.JID, "seq", bad.Seq, "reason", bad.Reason)
		}
		agents[b.JID] = b.Agent
		switch a := acks[b.JID]; {
		case r.Gap:
			c.wait(b)
		case b.Ahead:
			c.acknowledge(b.Agent, wire.Ack{JID: b.JID, Through: r.Through, Ahead: r.Ahead})
		case r.Through >= a.Through:
			acks[b.JID] = wire.Ack{JID: b.JID, Through: r.Through}
		}
	}
	if c.cfg.Watch != nil && len(stored) > 0 {
		c.cfg.Watch.Committed(stored)
	}
	for jid, a := range acks {
		c.acknowledge(agents[jid], a)
		next = append(next, c.ready(jid, a.Through)...)
	}
	return next
}

// without gives a batch less what went to quarantine or was stored before.
func without(b store.Batch, r store.Receipt) store.Batch {
	if len(r.Rejected) == 0 && len(r.Repeated) == 0 {
		return b
	}
	b.Entries = slices.DeleteFunc(slices.Clone(b.Entries), func(e wire.Entry) bool {
		return slices.Contains(r.Repeated, e.Record.Seq) ||
			slices.ContainsFunc(r.Rejected, func(bad wire.Bad) bool { return bad.Seq == e.Record.Seq })
	})
	return b
}

// wait keeps a batch that came before its predecessors, a window of them a
// journal at most; what is dropped here the agent sends again.
func (c *Collector) wait(b store.Batch) {
	held := append(c.late[b.JID], b)
	if len(held) > wire.MaxWindow {
		held = held[1:]
	}
	c.late[b.JID] = held
}

func (c *Collector) ready(jid string, through uint64) (next []store.Batch) {
	var kept []store.Batch
	for _, b := range c.late[jid] {
		switch {
		case b.To <= through:
		case b.From <= through+1:
			next = append(next, b)
		default:
			kept = append(kept, b)
		}
	}
	if len(kept) == 0 {
		delete(c.late, jid)
	} else {
		c.late[jid] = kept
	}
	return next
}

// greet answers a hello from the store.
func (c *Collector) greet(ctx context.Context, agent string, h wire.Hello) {
	if h.KeyID != "" && h.KeyID != c.cfg.KeyID { // a bridge of machines has none
		c.cfg.Log.Error("agent uses another site key: its pseudonyms can't be matched; copy the county's site.key to it",
			"agent", agent, "its_key", h.KeyID, "county_key", c.cfg.KeyID)
	}
	if h.Term > c.term {
		// The agent has seen a later term than this store: it was restored from
		// a backup. A term above all agents' makes them believe it again.
		err := c.retry(ctx, func() (err error) { c.term, err = c.cfg.Store.RaiseTerm(ctx, h.Term+1); return err })
		if err != nil {
			return
		}
		c.cfg.Log.Warn("the store is older than its agents; its term was raised", "agent", agent, "term", c.term)
		c.announce()
	}
	var pos store.Position
	err := c.retry(ctx, func() (err error) { pos, err = c.cfg.Store.Position(ctx, h.JID); return err })
	if err != nil {
		return
	}
	if pos.Agent != "" && pos.Agent != agent {
		c.cfg.Log.Error("hello refused: the journal belongs to another agent", "agent", agent, "owner", pos.Agent, "jid", h.JID)
		return
	}
	c.acknowledge(agent, wire.Ack{JID: h.JID, Through: pos.Through, Nonce: h.Nonce})
}

// retry does what until it succeeds or ctx ends, and tells the county
// meanwhile why nothing is committed.
func (c *Collector) retry(ctx context.Context, what func() error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := what()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			c.setFault("")
			return nil
		}
		if outdone(err) {
			c.fence(err.Error())
			return err
		}
		delay := pause
		var later interface{ RetryAfter() time.Duration }
		if errors.As(err, &later) {
			delay = max(delay, later.RetryAfter())
		}
		c.setFault(err.Error())
		c.cfg.Log.Error("the store does not take it; nothing is acknowledged until it does", "err", err, "next", delay)
		sleep(ctx, delay)
	}
}

func (c *Collector) setFault(text string) {
	// One line: a signature covers it, and signed fields hold no line breaks.
	text = strings.Join(strings.Fields(text), " ")
	text = text[:min(len(text), maxFault)]
	if text != c.fault {
		c.fault = text
		c.announce()
	}
}

// maxFault bounds the text that a screen gets, in bytes.
const maxFault = 400

// identity notices a store that reset itself (a wiped InfluxDB): a new term,
// which agents must hear of.
func (c *Collector) identity(ctx context.Context) {
	id, term, err := c.cfg.Store.Identity(ctx)
	if err != nil || (id == c.storeID && term == c.term) {
		return
	}
	c.storeID, c.term = id, term
	c.announce()
}
