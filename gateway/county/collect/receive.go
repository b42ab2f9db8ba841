package collect

import (
	"context"
	"errors"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// receiver reads messages and hands them to the committer.
type receiver struct {
	cfg      Config
	start    string // names this run
	queue    *queue
	refusals *refusals
	out      inputs
}

// receive is called by the connection with each message, in order. It does not
// wait for the store: a message beyond its agent's share is dropped, and the
// agent, which gets no acknowledgement, sends it again.
func (r *receiver) receive(m mqtt.Message) {
	_, agent, leaf, ok := wire.ParseTopic(m.Topic)
	switch {
	case ok && agent == wire.CollectorID && leaf == wire.LeafStatus:
		r.otherStatus(m)
	case ok && leaf != wire.LeafRecords && leaf != wire.LeafHello:
		// not subscribed to
	case !r.queue.put(arrived{agent, leaf, m}):
		r.refusals.dropped(r.cfg.Now(), agent)
	}
}

// decodeLoop decodes messages and hands them to the committer until ctx ends.
// Several may run at once.
func (r *receiver) decodeLoop(ctx context.Context) {
	for {
		f, ok := r.queue.next()
		if !ok {
			return
		}
		land := func() { r.queue.landed(f, r.refusals.slowed(r.cfg.Now(), f.agent)) }
		it, ok := r.decode(ctx, f.arrived)
		it.land = land
		if !ok {
			land()
		} else {
			select {
			case r.out.items <- it:
			case <-ctx.Done():
				return
			}
		}
		r.queue.decoded(f)
	}
}

// decode reads one message. It puts one that can't be read into quarantine and
// returns false.
func (r *receiver) decode(ctx context.Context, a arrived) (it item, ok bool) {
	it.agent = a.agent
	var err error
	switch a.leaf {
	case wire.LeafRecords:
		var b wire.Batch
		b, err = wire.DecodeBatch(a.Payload)
		if errors.Is(err, wire.ErrCRC) {
			r.refusals.slow(r.cfg.Now(), a.agent)
			if r.refusals.due(r.cfg.Now(), a.agent, "damaged") {
				r.cfg.Log.Warn("batch refused, it will come again", "agent", a.agent, "err", err)
			}
			return it, false
		}
		if err == nil && b.Agent != a.agent {
			err = errors.New("the batch says it is of agent " + b.Agent)
		}
		it.batch = store.Batch{Batch: b, Received: r.cfg.Now()}
	case wire.LeafHello:
		var h wire.Hello
		if h, err = wire.Decode[wire.Hello](a.Payload); err == nil {
			err = h.Check()
		}
		r.refusals.hello(r.cfg.Now(), a.agent)
		it.hello = &h
	default:
		err = errors.New("the topic is not of this contract")
	}
	if err != nil {
		r.refusals.slow(r.cfg.Now(), a.agent)
		r.quarantine(ctx, a, err.Error())
	}
	return it, err == nil
}

// quarantine stores a message that can't be read. It tries until the store takes
// it or the agent's share of the quarantine is full.
func (r *receiver) quarantine(ctx context.Context, a arrived, reason string) {
	p := store.Poison{At: r.cfg.Now(), Agent: a.agent, Topic: a.Topic, Reason: reason, Raw: a.Payload}
	loop := retry.Loop{Backoff: backoff, Log: r.cfg.Log.With("topic", a.Topic),
		Message: "put a message into quarantine"}
	err := loop.Do(ctx, func() error {
		err := r.cfg.Store.Quarantine(ctx, p)
		if errors.Is(err, store.ErrShare) {
			return retry.Permanent(err)
		}
		return err
	})
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.refusals.add(r.cfg.Now(), a.agent, refusedShare)
	case r.refusals.due(r.cfg.Now(), a.agent, "quarantine"):
		r.cfg.Log.Warn("message put into quarantine", "topic", a.Topic, "bytes", len(a.Payload), "reason", reason)
	}
}
