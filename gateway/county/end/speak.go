package end

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// lookEvery is how often it is looked whether the end has begun, and whether gates have to
// be told something.
const lookEvery = 2 * time.Second

// Speaker tells gates to go out of service, and takes their receipts. Make it with
// NewSpeaker and run it once.
type Speaker struct {
	ends   *Ends
	client *mqtt.Client
	log    *slog.Logger
	heard  chan mqtt.Message
	up     chan struct{}
	told   map[string][]byte // what the broker has, by agent
}

// NewSpeaker returns a speaker that uses the broker of m.
func NewSpeaker(ends *Ends, m mqtt.Config, log *slog.Logger) *Speaker {
	s := &Speaker{ends: ends, log: log, heard: make(chan mqtt.Message, 16), up: make(chan struct{}, 1),
		told: map[string][]byte{}}
	county := ends.opts.County
	m.Subscriptions = []mqtt.Subscription{{Filter: wire.Topic(county, "+", wire.LeafRetired), QoS: 1},
		{Filter: wire.Topic(county, "+", wire.LeafRetire), QoS: 1}}
	m.OnUp = func() {
		select {
		case s.up <- struct{}{}:
		default:
		}
	}
	m.OnMessage = func(m mqtt.Message) {
		select {
		case s.heard <- m:
		case <-time.After(lookEvery): // a gate sends its receipt again
		}
	}
	s.client = mqtt.New(m)
	return s
}

// Run speaks until ctx ends.
func (s *Speaker) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.client.Run(ctx) }()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return <-done
		case <-s.up:
			clear(s.told)
		case m := <-s.heard:
			s.hear(ctx, m)
		case <-look.C:
			s.tell(ctx)
		}
	}
}

// hear takes a receipt, or what somebody has published in place of an order.
func (s *Speaker) hear(ctx context.Context, m mqtt.Message) {
	_, agent, leaf, ok := wire.ParseTopic(m.Topic)
	switch {
	case !ok:
	case leaf == wire.LeafRetire && !bytes.Equal(m.Payload, s.told[agent]):
		delete(s.told, agent)
	case leaf == wire.LeafRetired:
		if err := s.ends.Receive(ctx, agent, m.Payload); err != nil {
			s.log.Warn("a gate's receipt was not taken", "agent", agent, "err", err)
			return
		}
		delete(s.told, agent)
		s.tell(ctx)
	}
}

// tell publishes what gates are to be told, and the broker has not got yet.
func (s *Speaker) tell(ctx context.Context) {
	st, err := s.ends.Status(ctx)
	if errors.Is(err, ErrNotBegun) || err == nil && !st.Finished.IsZero() {
		return
	}
	if err != nil {
		s.log.Error("gates can't be told to go out of service", "err", err)
		return
	}
	for _, g := range st.Gates {
		if g.Key == "" {
			continue
		}
		order, err := s.ends.Order(st, g)
		if err == nil && bytes.Equal(order, s.told[g.Agent]) {
			continue
		}
		if err == nil {
			err = s.client.Publish(mqtt.Message{Topic: wire.Topic(s.ends.opts.County, g.Agent, wire.LeafRetire),
				Payload: order, QoS: 1, Retained: true})
		}
		if errors.Is(err, mqtt.ErrOffline) {
			return
		}
		if err != nil {
			s.log.Warn("a gate was not told to go out of service; it is tried again", "agent", g.Agent, "err", err)
			continue
		}
		s.told[g.Agent] = order
	}
}
