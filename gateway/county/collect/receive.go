package collect

import (
	"context"
	"errors"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// receive takes a message off the connection, in order and without waiting for
// the store: what is beyond an agent's share is dropped, and its agent, which
// has no acknowledgement, sends it again.
func (c *Collector) receive(m mqtt.Message) {
	_, agent, leaf, ok := wire.ParseTopic(m.Topic)
	switch {
	case ok && agent == wire.CollectorID && leaf == wire.LeafStatus:
		c.heard(m)
	case ok && leaf != wire.LeafRecords && leaf != wire.LeafHello:
		// not subscribed to
	case !c.queue.put(arrived{agent, leaf, m}):
		c.refusals.dropped(time.Now(), agent)
	}
}

// decodeLoop takes messages apart and hands them to the committer, until ctx
// ends. As many run as there are cores, so that decoding keeps pace.
func (c *Collector) decodeLoop(ctx context.Context) {
	for {
		l, a := c.queue.next()
		if l == nil {
			return
		}
		if it, ok := c.decode(ctx, a); ok {
			select {
			case c.in <- it:
			case <-ctx.Done():
				return
			}
		}
		if d := c.refusals.slowed(time.Now(), a.agent); d > 0 {
			time.AfterFunc(d, func() { c.queue.done(l) })
		} else {
			c.queue.done(l)
		}
	}
}

// decode reads one message; what can't be read goes to quarantine.
func (c *Collector) decode(ctx context.Context, a arrived) (it item, ok bool) {
	it.agent = a.agent
	var err error
	switch a.leaf {
	case wire.LeafRecords:
		var b wire.Batch
		b, err = wire.DecodeBatch(a.Payload)
		if errors.Is(err, wire.ErrCRC) {
			if c.refusals.note(time.Now(), a.agent, "damaged") {
				c.cfg.Log.Warn("batch refused, it will come again", "agent", a.agent, "err", err)
			}
			return it, false
		}
		if err == nil && b.Agent != a.agent {
			err = errors.New("the batch says it is of agent " + b.Agent)
		}
		it.batch = store.Batch{Batch: b, Received: time.Now()}
	case wire.LeafHello:
		var h wire.Hello
		if h, err = wire.Decode[wire.Hello](a.Payload); err == nil {
			err = h.Check()
		}
		it.hello = &h
	default:
		err = errors.New("the topic is not of this contract")
	}
	if err != nil {
		c.refusals.unreadable(time.Now(), a.agent)
		c.quarantine(ctx, a, err.Error())
	}
	return it, err == nil
}

// quarantine keeps a message that can't be read, and tries until it is kept or
// its agent's share is full.
func (c *Collector) quarantine(ctx context.Context, a arrived, reason string) {
	p := store.Poison{At: time.Now(), Agent: a.agent, Topic: a.Topic, Reason: reason, Raw: a.Payload}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := c.cfg.Store.Quarantine(ctx, p)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, store.ErrShare):
			c.refusals.add(time.Now(), a.agent, refusedShare)
			return
		case err == nil:
			if c.refusals.note(time.Now(), a.agent, "quarantine") {
				c.cfg.Log.Warn("message put into quarantine", "topic", a.Topic, "bytes", len(a.Payload), "reason", reason)
			}
			return
		}
		c.cfg.Log.Error("quarantine a message", "topic", a.Topic, "err", err, "next", pause)
		sleep(ctx, pause)
	}
}

// Pauses between attempts at a store that does not take anything.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 30 * time.Second
)

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
