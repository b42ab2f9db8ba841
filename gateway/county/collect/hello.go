package collect

import (
	"context"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// answer answers a hello with how far the store has its journal.
func (c *committer) answer(ctx context.Context, agent string, h wire.Hello) {
	now := c.cfg.Now()
	// A bridge of machines has no site key.
	if h.KeyID != "" && c.cfg.KnowsKey != nil && !c.cfg.KnowsKey(agent, h.KeyID) &&
		c.refusals.due(now, agent, "site key") {
		c.cfg.Log.Error("agent uses another site key: its pseudonyms can't be matched; "+
			"enrol it again, or copy the county's site.key to it", "agent", agent, "its_key", h.KeyID)
	}
	if !c.believe(ctx, agent, h) {
		return
	}
	var pos store.Position
	err := c.retry(ctx, func() (err error) { pos, err = c.cfg.Store.Position(ctx, h.JID); return err })
	if err != nil {
		return
	}
	if pos.Agent != "" && pos.Agent != agent {
		if c.refusals.due(now, agent, "foreign hello") {
			c.cfg.Log.Error("hello refused: the journal belongs to another agent",
				"agent", agent, "owner", pos.Agent, "jid", h.JID)
		}
		return
	}
	at := wire.At(c.cfg.Now())
	c.acknowledge(agent, wire.Ack{JID: h.JID, Through: pos.Through, Nonce: h.Nonce, At: &at})
}

// believe raises the store's term above the hello's, if the hello proves it or
// the term is plausible. It returns false if the term could not be raised.
func (c *committer) believe(ctx context.Context, agent string, h wire.Hello) bool {
	now := c.cfg.Now()
	proven := h.ProvenTerm(c.cfg.County, agent, c.storeID, c.cfg.public())
	// Agents that the site file does not list share what one may do: their names may be invented.
	known := agent
	if !c.cfg.listed(agent) {
		known = ""
	}
	raise, refused := c.unproven.judge(now, c.term, h.Term, proven, &c.account(known).raises)
	if refused {
		c.refusals.add(now, agent, refusedTerm)
	}
	if raise == 0 {
		return true
	}
	if !c.raise(ctx, raise) {
		return false
	}
	c.cfg.Log.Warn("the store is older than its agents; its term was raised", "agent", agent, "term", c.term)
	c.announce()
	return true
}
