package collect

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
		case <-c.again:
			c.again = nil
			c.repeat()
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
		own.knows(b.JID)
	}
	b.Place = c.place(b.Agent)
	if b.Ahead && c.cfg.Watch != nil {
		c.cfg.Watch.Arrived(*b)
	}
	return true
}

// foreign puts the records of another agent's journal into quarantine.
func (c *Collector) foreign(ctx context.Context, b *store.Batch, owner string) {
	reason := "journal " + b.JID + " belongs to agent " + owner
	if c.refusals.note(b.Received, b.Agent, "foreign") {
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

func (c *Collector) place(agent string) store.Place {
	community, grid, compound, ok := c.cfg.Sites.Place(agent)
	if !ok {
		if own := c.account(agent); !own.told {
			own.told = true
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
		if !r.Gap && !r.Refused {
			stored = append(stored, without(b, r))
		}
		for _, bad := range r.Rejected {
			c.cfg.Log.Warn("record put into quarantine", "agent", b.Agent, "jid", b.JID, "seq", bad.Seq, "reason", bad.Reason)
		}
		agents[b.JID] = b.Agent
		switch a := acks[b.JID]; {
		case r.Refused:
			c.refusals.add(b.Received, b.Agent, refusedShare)
		case r.Gap:
			c.account(b.Agent).wait(b)
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
		next = append(next, c.account(agents[jid]).ready(jid, a.Through)...)
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

// greet answers a hello from the store.
func (c *Collector) greet(ctx context.Context, agent string, h wire.Hello) {
	now := time.Now()
	if h.KeyID != "" && h.KeyID != c.cfg.KeyID && c.refusals.note(now, agent, "site key") {
		// A bridge of machines has none.
		c.cfg.Log.Error("agent uses another site key: its pseudonyms can't be matched; copy the county's site.key to it",
			"agent", agent, "its_key", h.KeyID, "county_key", c.cfg.KeyID)
	}
	raise, refused := c.unproven.judge(now, c.term, h.Term, h.ProvenTerm(c.cfg.County, agent, c.storeID, c.cfg.public()))
	if refused {
		c.refusals.add(now, agent, refusedTerm)
	}
	if raise != 0 {
		if !c.raise(ctx, raise) {
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
		if c.refusals.note(now, agent, "foreign hello") {
			c.cfg.Log.Error("hello refused: the journal belongs to another agent",
				"agent", agent, "owner", pos.Agent, "jid", h.JID)
		}
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
	if text = fit(text); text != c.fault {
		c.fault = text
		c.faulty()
	}
}

// maxFault bounds the text that a screen gets, in bytes.
const maxFault = 400

// fit makes one line of valid text of at most maxFault bytes.
func fit(text string) string {
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "\uFFFD")
	if len(text) <= maxFault {
		return text
	}
	end := maxFault
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

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
