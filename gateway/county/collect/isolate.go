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

// When a commit fails, the store may be at fault, or what one agent sends. So it is
// tried by agents: if the store takes what some send, those of whom it does not are
// committed by themselves for a while, after the others, with pauses that grow.
const (
	apartFor    = 10 * time.Minute
	firstPause  = time.Second
	lastPause   = time.Minute
	slowFailure = 5 * time.Second // a store that needs so long to fail is not asked again at once
	mostFailed  = 3               // agents of whom nothing is taken, and of no other: the store is at fault
	alonePause  = time.Second     // the longest while the batches of one agent wait only: others may fare better
)

// commit stores the batches of w until the store has taken them, or it is known
// whose it does not take. What comes meanwhile is added to w.
func (c *committer) commit(ctx context.Context, w *work) {
	pauses := backoff
	for {
		common, apart := c.split(w.batches)
		err := c.try(ctx, common)
		if c.ends(ctx, err) {
			return
		}
		if err == nil {
			c.status.setFault("")
			c.alone(ctx, apart)
			return
		}
		pause := pauseAfter(err, pauses.Next())
		if len(byAgent(common)) == 1 {
			pause = min(pause, max(alonePause, pauseAfter(err, 0)))
		}
		c.cfg.Log.Error("the store does not take it; nothing is acknowledged until it does", "err", err, "next", pause)
		c.status.setFault(err.Error())
		if !retry.Sleep(ctx, pause) {
			return
		}
		c.more(ctx, w)
	}
}

// split returns the batches that are committed together, and those of agents whose
// the store did not take lately.
func (c *committer) split(batches []store.Batch) (common, apart []store.Batch) {
	for _, b := range batches {
		if b.Received.Before(c.account(b.Agent).apart) {
			apart = append(apart, b)
		} else {
			common = append(common, b)
		}
	}
	return common, apart
}

// ends reports whether nothing more may be committed after err: ctx has ended, or
// another collector owns the store.
func (c *committer) ends(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	if !errors.Is(err, store.ErrTerm) {
		return false
	}
	c.fence(err.Error())
	return true
}

// more adds to w what has come meanwhile.
func (c *committer) more(ctx context.Context, w *work) {
	select {
	case it := <-c.in.items:
		had := w.all
		w.all = nil
		c.gather(ctx, w, it)
		w.all = append(had, w.all...)
	default:
	}
}

// pauseAfter returns the pause that a server asked for, and d at least.
func pauseAfter(err error, d time.Duration) time.Duration {
	var server interface{ RetryAfter() time.Duration }
	if errors.As(err, &server) {
		return max(d, server.RetryAfter())
	}
	return d
}

// byAgent returns the batches of each agent.
func byAgent(batches []store.Batch) (parts [][]store.Batch) {
	at := map[string]int{}
	for _, b := range batches {
		i, known := at[b.Agent]
		if !known {
			i = len(parts)
			at[b.Agent], parts = i, append(parts, nil)
		}
		parts[i] = append(parts[i], b)
	}
	return parts
}

// try stores batches, in groups. It returns nil also when the store takes those of
// some agents and not those of others, which are dropped then: their agents send
// them again.
func (c *committer) try(ctx context.Context, batches []store.Batch) error {
	for len(batches) > 0 {
		n := min(len(batches), group)
		began := c.cfg.Now()
		err := c.store(ctx, batches[:n])
		if err != nil {
			parts := byAgent(batches)
			after := pauseAfter(err, 0) > 0 || c.cfg.Now().Sub(began) > slowFailure
			if len(parts) == 1 || after || ctx.Err() != nil || errors.Is(err, store.ErrTerm) {
				return err
			}
			return c.isolate(ctx, parts, err)
		}
		batches = batches[n:]
	}
	return nil
}

// isolate stores the batches of each agent whose the store takes. It returns err
// if it takes nobody's.
func (c *committer) isolate(ctx context.Context, parts [][]store.Batch, err error) error {
	c.tried++ // each time it begins with another agent
	turn := c.tried % len(parts)
	x := isolation{c: c}
	x.halve(ctx, slices.Concat(parts[turn:], parts[:turn]))
	switch {
	case x.end != nil:
		return x.end
	case x.stored == 0:
		return err
	}
	for _, f := range x.failed {
		c.setApart(f.agent, f.err)
	}
	return nil
}

// isolation finds the agents whose batches the store does not take.
type isolation struct {
	c      *committer
	stored int // agents whose batches it has taken
	failed []failure
	end    error // why it must not go on
}

type failure struct {
	agent string
	err   error
}

// halve stores each half of parts, of which the store does not take all together.
func (x *isolation) halve(ctx context.Context, parts [][]store.Batch) {
	n := len(parts) / 2
	for _, half := range [][][]store.Batch{parts[:n], parts[n:]} {
		if x.end != nil || x.stored == 0 && len(x.failed) >= mostFailed || len(half) == 0 {
			return
		}
		err := x.c.store(ctx, slices.Concat(half...))
		switch {
		case err == nil:
			x.stored += len(half)
		case ctx.Err() != nil || errors.Is(err, store.ErrTerm):
			x.end = err
		case len(half) == 1:
			x.failed = append(x.failed, failure{half[0][0].Agent, err})
		default:
			x.halve(ctx, half)
		}
	}
}

// setApart notes that the store does not take an agent's batches.
func (c *committer) setApart(agent string, err error) {
	now := c.cfg.Now()
	a := c.account(agent)
	a.pause = min(max(2*a.pause, firstPause), lastPause)
	a.apart, a.again = now.Add(apartFor), now.Add(a.pause)
	c.refusals.add(now, agent, refusedStore)
	if c.refusals.due(now, agent, "apart") {
		c.cfg.Log.Error("the store takes what others send, and not what this agent sends; it is asked again later",
			"agent", agent, "err", err, "next", a.pause)
	}
}

// alone stores batches of agents whose the store did not take lately, each agent's
// by themselves. Those that it does not take are dropped.
func (c *committer) alone(ctx context.Context, batches []store.Batch) {
	for _, part := range byAgent(batches) {
		agent := part[0].Agent
		a := c.account(agent)
		if c.cfg.Now().Before(a.again) {
			c.refusals.add(c.cfg.Now(), agent, refusedStore)
			continue
		}
		err := c.store(ctx, part)
		if c.ends(ctx, err) {
			return
		}
		if err == nil {
			a.pause = 0
			continue
		}
		c.setApart(agent, err)
		c.beginning(ctx, part[0])
	}
}

// beginning stores as much of the beginning of a batch as the store takes, which
// may be one record that goes to quarantine: then its agent gets on.
func (c *committer) beginning(ctx context.Context, b store.Batch) {
	for n := len(b.Entries) / 2; n > 0 && ctx.Err() == nil; n /= 2 {
		part, ok := until(b, n)
		if !ok {
			return
		}
		if c.store(ctx, []store.Batch{part}) == nil {
			return
		}
	}
}

// until returns the batch without its records after the n-th one; ok is false when
// it can't be cut.
func until(b store.Batch, n int) (part store.Batch, ok bool) {
	if b.Ahead || n >= len(b.Entries) || slices.ContainsFunc(b.Bad, func(bad wire.Bad) bool { return bad.Seq == 0 }) {
		return b, false
	}
	b.To = b.Entries[n-1].Record.Seq
	b.Entries = b.Entries[:n]
	b.Bad = slices.DeleteFunc(slices.Clone(b.Bad), func(bad wire.Bad) bool { return bad.Seq > b.To })
	b.Holes = slices.DeleteFunc(slices.Clone(b.Holes), func(h wire.Hole) bool { return h.From > b.To })
	return b, true
}
