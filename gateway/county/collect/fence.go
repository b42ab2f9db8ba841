package collect

import (
	"context"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Two collectors of one county (a copied folder, a restored machine beside the
// old one) would each store half of the records and acknowledge all of them. The
// term decides: each start raises it above every term announced before, so the
// one started last goes on, and the other stands down until it is started again.

// greeting is how long after the first connect a retained status is that of an
// earlier start; after a reconnect it is of a collector that came meanwhile.
const greeting = 3 * time.Second

// otherReport is a status on the collector's topic that is not this run's.
type otherReport struct {
	status   wire.CollectorStatus
	signed   bool
	retained bool // it was published before this collector subscribed
}

// otherStatus passes a status of another collector to the committer. It does not
// wait; if there are too many the newest signed ones count.
func (r *receiver) otherStatus(m mqtt.Message) {
	st, err := wire.Decode[wire.CollectorStatus](m.Payload)
	if err != nil || st.Start == r.start && st.State == fact.Online {
		return
	}
	o := otherReport{status: st, retained: m.Retained}
	o.signed = st.State == fact.Online && wire.VerifyCollectorStatus(st, r.cfg.County, r.cfg.public()) == nil
	for {
		select {
		case r.out.others <- o:
			return
		default:
		}
		if !o.signed {
			return // like those that wait it moves nothing
		}
		select {
		case <-r.out.others:
		default:
		}
	}
}

// other decides what the status of another collector means.
func (c *committer) other(ctx context.Context, o otherReport) {
	switch {
	case c.fenced:
	case !o.signed:
		// A last will has replaced this one's status: of a collector that has
		// gone, or of a connection that this one has replaced.
		c.status.repeat()
	case o.retained && (c.began.IsZero() || c.cfg.Now().Sub(c.began) < greeting):
		// Of an earlier start, of this folder or a copy: this one goes on.
		if o.status.Term >= c.term {
			c.raise(ctx, wire.NextTerm(o.status.Term))
			c.announce()
		}
	case o.status.Term > c.term || o.status.Term == c.term && o.status.Start > c.status.start:
		c.fence("another collector has taken over (store " + o.status.Store + ", started as " + o.status.Start +
			"): stop one of the two, and start this one again if it is the one to stay")
	default:
		c.status.repeat() // an older one that has not seen this one's status yet
	}
}

// raise raises the term to at least term. It returns false when ctx ended before.
func (c *committer) raise(ctx context.Context, term uint64) bool {
	err := c.retry(ctx, func() (err error) { c.term, err = c.cfg.Store.RaiseTerm(ctx, term); return err })
	if err == nil {
		c.cfg.Log.Info("the store's term", "term", c.term)
	}
	return err == nil
}

// fence ends committing and acknowledging for good, and reports why.
func (c *committer) fence(reason string) {
	c.fenced = true
	c.status.silent.Store(true)
	c.cfg.Log.Error("this collector has stood down: " + reason)
	if c.cfg.Fenced != nil {
		c.cfg.Fenced(reason)
	}
}
