package ship

import (
	"context"
	"time"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

const tickEvery = time.Second

// The parts of the shipper that must turn every second, as the board names them.
// While an fsync hangs they do not: then no heartbeat is sent, so that the county
// looks after a gate whose alarms can't leave it.
const (
	partDelivery = "delivery"
	partAlarms   = "alarms"
)

// publisher is what sends messages: an MQTT client.
type publisher interface {
	Publish(m mqtt.Message) error
	PublishThen(m mqtt.Message, taken func()) error
}

// event is what the connection reports to the loop.
type event struct {
	up, down bool
	why      error     // of down: why the connection has ended, or none was made
	taken    uint64    // ticket of a message that the broker has
	leaf     wire.Leaf // of a message: ack, or the collector's status
	payload  []byte
}

func post(ctx context.Context, events chan<- event, e event) {
	select {
	case events <- e:
	case <-ctx.Done():
	}
}

// connection returns the options of the MQTT client, which posts what happens
// to events.
func (s *Shipper) connection(ctx context.Context, events chan<- event) mqtt.Config {
	acks, collector := s.topic(wire.LeafAck), wire.Topic(s.opts.County, wire.CollectorID, wire.LeafStatus)
	desk, commands, retire := s.topic(wire.LeafDesk), s.topic(wire.LeafCommand), s.topic(wire.LeafRetire)
	cfg := s.broker
	cfg.ClientID, cfg.Log = s.opts.Agent, s.opts.Log
	cfg.Subscriptions = []mqtt.Subscription{{Filter: acks, QoS: 0}, {Filter: collector, QoS: 1},
		{Filter: desk, QoS: 0, Optional: true}, // the permissions may be of a version before it
		{Filter: commands, QoS: 0, Optional: true}, {Filter: retire, QoS: 0, Optional: true},
		{Filter: s.topic(wire.LeafPolicy), QoS: 0, Optional: true}}
	cfg.Hello = func() (will, first *mqtt.Message) { return s.status(fact.Offline), s.status(fact.Online) }
	cfg.Bye = func() *mqtt.Message { return s.status(fact.Offline) }
	cfg.OnUp = func() { post(ctx, events, event{up: true}) }
	cfg.OnDown = func(err error) { post(ctx, events, event{down: true, why: err}) }
	cfg.OnFail = func(err error) { post(ctx, events, event{down: true, why: err}) }
	cfg.OnMessage = func(m mqtt.Message) {
		switch {
		case m.Topic == acks && !m.Retained: // a retained acknowledgement is forged or stale
			post(ctx, events, event{leaf: wire.LeafAck, payload: m.Payload})
		case m.Topic == collector:
			post(ctx, events, event{leaf: wire.LeafStatus, payload: m.Payload})
		case m.Topic == retire && s.opts.Retire != nil:
			post(ctx, events, event{leaf: wire.LeafRetire, payload: m.Payload})
		case m.Topic == desk && s.opts.Desk != nil:
			s.opts.Desk(m.Payload)
		case m.Topic == commands && s.opts.Command != nil:
			s.opts.Command(m.Payload, m.Retained)
		case s.opts.Rules != nil:
			s.opts.Rules(m.Topic, m.Payload)
		}
	}
	return cfg
}

// loop owns the delivery until ctx ends: it waits for the connection, the
// journal, the clock and new alarms, and calls the delivery with each.
func (s *Shipper) loop(ctx context.Context, d *delivery,
	events <-chan event, durable <-chan []overtaker, up chan<- struct{}) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	var told telling
	for {
		s.opts.Board.SetTurned(partDelivery, s.opts.Clock.Now())
		s.tell(d, &told, up)
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			now := s.opts.Clock.Now()
			switch {
			case e.up:
				d.up(now)
			case e.down:
				d.down(now, e.why)
			case e.taken != 0:
				d.taken(now, e.taken)
			case e.leaf == wire.LeafAck:
				d.acked(now, e.payload)
			case e.leaf == wire.LeafRetire:
				if err := s.opts.Retire(e.payload); err != nil {
					s.opts.Log.Warn("a message to this gate was refused", "err", err)
				}
			default:
				d.collector(now, e.payload)
			}
		case <-s.opts.Journal.Changed():
			d.pump(s.opts.Clock.Now())
		case list := <-durable:
			d.alarm(s.opts.Clock.Now(), list...)
		case <-tick.C:
			d.tick(s.opts.Clock.Now())
		}
	}
}

// telling is what was last told to the board.
type telling struct {
	at     time.Duration // boot clock
	linked bool
	begun  bool
}

// tell posts how the delivery does, once a second and when the link changes. A link that has
// come is told in a heartbeat at once, and not before: one that is sent as soon as there is a
// connection would say that there is none.
func (s *Shipper) tell(d *delivery, last *telling, up chan<- struct{}) {
	now, was := s.opts.Clock.Now(), *last
	if was.begun && d.linked() == was.linked && now.Boot-was.at < tickEvery {
		return
	}
	*last = telling{now.Boot, d.linked(), true}
	s.opts.Board.SetDelivery(status.Delivery{Linked: d.linked(), Troubles: d.troubles(now)})
	if d.linked() && !was.linked {
		signal(up)
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// waitForAlarms passes new alarms on when they are durable. Those that a failing
// disk does not make durable are tried again every second.
func (s *Shipper) waitForAlarms(ctx context.Context, durable chan<- []overtaker) {
	again := time.NewTicker(tickEvery)
	defer again.Stop()
	for {
		s.opts.Board.SetTurned(partAlarms, s.opts.Clock.Now())
		select {
		case <-ctx.Done():
			return
		case <-s.alarms.wake:
		case <-again.C:
		}
		list := s.alarms.take()
		if len(list) == 0 {
			continue
		}
		if err := s.opts.Journal.Sync(ctx); err != nil {
			s.opts.Log.Debug("alarms wait until they are durable", "count", len(list), "err", err)
			s.alarms.putBack(list)
			continue
		}
		select {
		case durable <- list:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Shipper) topic(leaf wire.Leaf) string { return wire.Topic(s.opts.County, s.opts.Agent, leaf) }

// status returns the retained status; the one with Offline is the last will,
// too.
func (s *Shipper) status(state fact.LinkState) *mqtt.Message {
	rules := s.opts.Board.Snapshot().Rules
	if state == fact.Offline {
		rules = nil
	}
	payload, err := wire.Encode(wire.Status{V: 1, State: state, At: wire.At(s.opts.Clock.Now().Wall),
		JID: s.opts.Journal.JID(), Version: s.opts.Version, Rules: rules})
	if err != nil {
		s.opts.Log.Error("encode the status", "err", err)
		return nil
	}
	return &mqtt.Message{Topic: s.topic(wire.LeafStatus), Payload: payload, QoS: 1, Retained: true}
}
