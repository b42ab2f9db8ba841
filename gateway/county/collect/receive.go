package collect

import (
	"context"
	"errors"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// receive takes one message apart and hands it to the committer. It runs in
// many goroutines at once, so that decoding keeps pace with committing, and
// blocks while the committer is busy.
func (c *Collector) receive(ctx context.Context, m mqtt.Message) {
	_, agent, leaf, ok := wire.ParseTopic(m.Topic)
	if ok && agent == wire.CollectorID && leaf == wire.LeafStatus {
		c.heard(ctx, m)
		return
	}
	if !ok {
		c.quarantine(ctx, m, agent, "the topic is not of this contract")
		return
	}
	it := item{agent: agent}
	switch leaf {
	case wire.LeafRecords:
		b, err := wire.DecodeBatch(m.Payload)
		if errors.Is(err, wire.ErrCRC) {
			c.cfg.Log.Warn("batch refused, it will come again", "agent", agent, "err", err)
			return
		}
		if err == nil && b.Agent != agent {
			err = errors.New("the batch says it is of agent " + b.Agent)
		}
		if err != nil {
			c.quarantine(ctx, m, agent, err.Error())
			return
		}
		it.batch = store.Batch{Batch: b, Received: time.Now()}
	case wire.LeafHello:
		h, err := wire.Decode[wire.Hello](m.Payload)
		if err == nil {
			err = h.Check()
		}
		if err != nil {
			c.quarantine(ctx, m, agent, err.Error())
			return
		}
		it.hello = &h
	default:
		return // not subscribed to
	}
	select {
	case c.in <- it:
	case <-ctx.Done():
	}
}

// quarantine keeps a message that can't be read, and tries until it is kept.
func (c *Collector) quarantine(ctx context.Context, m mqtt.Message, agent, reason string) {
	p := store.Poison{At: time.Now(), Agent: agent, Topic: m.Topic, Reason: reason, Raw: m.Payload}
	c.cfg.Log.Warn("message put into quarantine", "topic", m.Topic, "bytes", len(m.Payload), "reason", reason)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := c.cfg.Store.Quarantine(ctx, p)
		if err == nil || ctx.Err() != nil {
			return
		}
		c.cfg.Log.Error("quarantine a message", "topic", m.Topic, "err", err, "next", pause)
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
