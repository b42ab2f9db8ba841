package peers

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// player sends one gate's backlog as an agent does: a hello, and then batches in
// order, of which as many are unacknowledged as the protocol allows. Its batches
// were made before, so that it needs little of the processors that it shares with
// the collector.
type player struct {
	county, agent, jid string

	client  *mqtt.Client
	batches []message
	sent    int // of batches; belongs to the client's goroutine that delivers messages
	nonce   string
	failed  func(error)
	greeted atomic.Bool  // the hello was answered
	through atomic.Int64 // acknowledged up to this seq
}

func newPlayer(county, broker string, b backlog, failed func(error)) (*player, error) {
	p := &player{county: county, agent: b.agent, jid: uuid.NewString(), nonce: uuid.NewString(), failed: failed}
	var err error
	if p.batches, err = b.messages(p.jid); err != nil {
		return nil, err
	}
	p.client = mqtt.New(mqtt.Config{
		URL:           broker,
		ClientID:      b.agent,
		Subscriptions: []mqtt.Subscription{{Filter: wire.Topic(county, b.agent, wire.LeafAck)}},
		OnMessage:     p.receive,
		Log:           slog.New(slog.DiscardHandler),
	})
	return p, nil
}

func (p *player) receive(m mqtt.Message) {
	a, err := wire.Decode[wire.Ack](m.Payload)
	if err != nil || a.JID != p.jid {
		p.failed(errors.Join(errors.New(p.agent+" got an acknowledgement that is not for it"), err))
		return
	}
	if a.Nonce == p.nonce {
		p.greeted.Store(true)
	}
	p.through.Store(max(p.through.Load(), int64(a.Through)))
	p.pump()
}

// run sends until ctx ends. It says hello until that is answered: the collector
// may be starting.
func (p *player) run(ctx context.Context) {
	var client sync.WaitGroup
	defer client.Wait()
	client.Go(func() { _ = p.client.Run(ctx) }) // ends with ctx
	for !p.greeted.Load() && retry.Sleep(ctx, 500*time.Millisecond) {
		p.hello()
	}
}

func (p *player) hello() {
	payload, err := wire.Encode(wire.Hello{V: 1, JID: p.jid, First: 1, Last: p.batches[len(p.batches)-1].to,
		Nonce: p.nonce, Version: "bench"})
	if err == nil {
		err = p.publish(wire.LeafHello, payload)
	}
	if err != nil && !errors.Is(err, mqtt.ErrOffline) {
		p.failed(err)
	}
}

// pump sends batches until MaxWindow of them are not acknowledged.
func (p *player) pump() {
	through := uint64(p.through.Load())
	for p.greeted.Load() && p.sent < len(p.batches) &&
		(p.sent < wire.MaxWindow || p.batches[p.sent-wire.MaxWindow].to <= through) {
		if err := p.publish(wire.LeafRecords, p.batches[p.sent].payload); err != nil {
			p.failed(err)
			return
		}
		p.sent++
	}
}

func (p *player) publish(leaf wire.Leaf, payload []byte) error {
	return p.client.Publish(mqtt.Message{Topic: wire.Topic(p.county, p.agent, leaf), Payload: payload, QoS: 1})
}

// crowd plays all gates.
type crowd struct {
	players []*player
	mu      sync.Mutex
	err     error // the first
}

func newCrowd(county, broker string, all []backlog) (*crowd, error) {
	c := &crowd{}
	for _, b := range all {
		p, err := newPlayer(county, broker, b, c.fail)
		if err != nil {
			return nil, err
		}
		c.players = append(c.players, p)
	}
	return c, nil
}

func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

// run sends until ctx ends.
func (c *crowd) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, p := range c.players {
		all.Go(func() { p.run(ctx) })
	}
}

// acknowledged returns how many records are acknowledged: they are stored.
func (c *crowd) acknowledged(context.Context) (n int, err error) {
	for _, p := range c.players {
		n += int(p.through.Load())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return n, c.err
}
