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

// decode reads one message. It returns false for one that is not taken; one that can't be
// read goes into quarantine, unless somebody else may have sent it.
func (r *receiver) decode(ctx context.Context, a arrived) (it item, ok bool) {
	it.agent = a.agent
	s, err := r.signer(a.agent)
	if err == nil {
		err = r.read(ctx, a, s, &it)
	}
	refused := new(doubt)
	switch {
	case err == nil:
		return it, true
	case errors.As(err, &refused):
		r.refuse(a.agent, refused)
	case errors.Is(err, wire.ErrCRC):
		r.refusals.damaged(r.cfg.Now(), a.agent, s.Must)
		if r.refusals.due(r.cfg.Now(), a.agent, "damaged") {
			r.cfg.Log.Warn("batch refused, it will come again", "agent", a.agent, "err", err)
		}
	default:
		r.refusals.slow(r.cfg.Now(), a.agent)
		r.quarantine(ctx, a, err.Error())
	}
	return it, false
}

// read reads a message into it, after its signature has been verified.
func (r *receiver) read(ctx context.Context, a arrived, s Signer, it *item) error {
	switch a.leaf {
	case wire.LeafRecords:
		return r.readBatch(ctx, a, s, it)
	case wire.LeafHello:
		return r.readHello(ctx, a, s, it)
	}
	return s.unproven(errors.New("the topic is not of this contract"))
}

func (r *receiver) readBatch(ctx context.Context, a arrived, s Signer, it *item) error {
	e, err := wire.OpenBatch(a.Payload)
	if err == nil && e.Agent() != a.agent {
		err = errors.New("the batch says it is of agent " + e.Agent())
	}
	if err != nil {
		return s.unproven(err)
	}
	if s.Enrolled {
		if err := r.judge(ctx, a.agent, s, e.Verify(r.cfg.County, s.Key)); err != nil {
			return err
		}
	}
	b, err := e.Batch()
	it.batch = store.Batch{Batch: b, Received: r.cfg.Now()}
	return err
}

func (r *receiver) readHello(ctx context.Context, a arrived, s Signer, it *item) error {
	h, err := wire.Decode[wire.Hello](a.Payload)
	if err == nil {
		err = h.Check()
	}
	if err != nil {
		err = s.unproven(err)
	} else if s.Enrolled {
		err = r.judge(ctx, a.agent, s, wire.VerifyHello(h, r.cfg.County, a.agent, s.Key))
	}
	if !s.Must || err == nil {
		r.refusals.hello(r.cfg.Now(), a.agent)
	}
	it.hello = &h
	return err
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
