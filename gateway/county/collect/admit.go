package collect

import (
	"context"
	"errors"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// admit sets the place of the batch's agent. It returns false for a journal that
// the store knows as another agent's, a copied disk or a forgery, and for one
// new journal too many.
func (c *committer) admit(ctx context.Context, b *store.Batch) bool {
	own := c.account(b.Agent)
	if !own.journals[b.JID] {
		var pos store.Position
		err := c.retry(ctx, func() (err error) { pos, err = c.cfg.Store.Position(ctx, b.JID); return err })
		switch {
		case err != nil:
			return false
		case pos.Agent != "" && pos.Agent != b.Agent:
			c.foreign(ctx, b, pos.Agent)
			return false
		case pos.Agent == "" && !c.mayBegin(own, b):
			c.refusals.add(b.Received, b.Agent, refusedNew)
			return false
		}
		own.add(b.JID)
	}
	if !own.stored.take(b.Received, size(b)) {
		c.refusals.add(b.Received, b.Agent, refusedVolume)
		return false
	}
	if !own.holes.takeAll(b.Received, len(b.Holes)) {
		c.refusals.add(b.Received, b.Agent, refusedHoles)
		return false
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
