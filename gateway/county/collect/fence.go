package collect

import (
	"context"
	"errors"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Two collectors on one county (a copied folder, a restored machine beside the
// old one) would each hold half of the records and acknowledge all of them. The
// term decides: each start raises it above every term announced before, so the
// one started last goes on, and the other stands down until it is started again.

// greeting is how long after the first connect a retained status is an earlier
// collector's; after a reconnect it is of one that came meanwhile.
const greeting = 3 * time.Second

// announced is a status on the collector's topic.
type announced struct {
	status   wire.CollectorStatus
	signed   bool
	retained bool // it was there when this collector came: an earlier word
}

// heard takes a status of this topic. It does not wait; of too many the newest
// count.
func (c *Collector) heard(m mqtt.Message) {
	st, err := wire.Decode[wire.CollectorStatus](m.Payload)
	if err != nil || st.Start == c.start && st.State == fact.Online {
		return
	}
	a := announced{status: st, retained: m.Retained,
		signed: st.State == fact.Online && wire.VerifyCollectorStatus(st, c.cfg.County, c.cfg.public()) == nil}
	for {
		select {
		case c.others <- a:
			return
		default:
		}
		if !a.signed {
			return // one more of what moves nothing
		}
		select {
		case <-c.others:
		default:
		}
	}
}

// other decides what another collector's word means.
func (c *Collector) other(ctx context.Context, a announced) {
	switch {
	case c.fenced:
	case !a.signed:
		// A last will over this one's word: of one that has gone, or of a
		// connection that this one has replaced.
		c.repeat()
	case a.retained && (c.began.IsZero() || time.Since(c.began) < greeting):
		// Of an earlier start, of this folder or a copy: this one goes on.
		if a.status.Term >= c.term {
			c.raise(ctx, wire.NextTerm(a.status.Term))
			c.announce()
		}
	case a.status.Term > c.term || a.status.Term == c.term && a.status.Start > c.start:
		c.fence("another collector has taken over (store " + a.status.Store + ", started as " + a.status.Start +
			"): stop one of the two, and start this one again if it is the one to stay")
	default:
		c.repeat() // an older one that has not heard of this one yet
	}
}

// raise makes the term at least so high; false when ctx ended before.
func (c *Collector) raise(ctx context.Context, term uint64) bool {
	err := c.retry(ctx, func() (err error) { c.term, err = c.cfg.Store.RaiseTerm(ctx, term); return err })
	if err == nil {
		c.cfg.Log.Info("the store's term", "term", c.term)
	}
	return err == nil
}

// fence ends committing and acknowledging for good; the desk must say so.
func (c *Collector) fence(reason string) {
	c.fenced, c.fault = true, reason
	c.stoodDown.Store(true)
	c.cfg.Log.Error("this collector has stood down: " + reason)
	if c.cfg.Fenced != nil {
		c.cfg.Fenced(reason)
	}
}

// outdone tells an error that says that another collector owns the store.
func outdone(err error) bool { return errors.Is(err, store.ErrTerm) }
