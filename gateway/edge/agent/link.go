package agent

import (
	"context"
	"errors"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

const (
	beatEvery = 10 * time.Second
	shipTick  = time.Second
)

// event is what the connection tells the ship loop.
type event struct {
	up, down bool
	taken    uint64    // ticket of a message that the broker has
	leaf     wire.Leaf // of a message: ack, or the collector's status
	payload  []byte
}

// ship owns the shipper: it waits for the connection, the journal, the clock
// and new alarms, and lets the shipper act.
func (a *Agent) ship(ctx context.Context) error {
	events := make(chan event, 16)
	post := func(e event) {
		select {
		case events <- e:
		case <-ctx.Done():
		}
	}
	cfg := mqtt.Config{
		ClientID: a.cfg.Agent,
		Subscriptions: []mqtt.Subscription{
			{Filter: a.topic(wire.LeafAck), QoS: 0},
			{Filter: wire.Topic(a.cfg.County, wire.CollectorID, wire.LeafStatus), QoS: 1},
		},
		Hello: func() (will, first *mqtt.Message) {
			return a.status(fact.Offline), a.status(fact.Online)
		},
		OnUp:   func() { post(event{up: true}) },
		OnDown: func(error) { post(event{down: true}) },
		OnMessage: func(m mqtt.Message) {
			switch m.Topic {
			case a.topic(wire.LeafAck):
				if !m.Retained { // a retained acknowledgement is forged or stale
					post(event{leaf: wire.LeafAck, payload: m.Payload})
				}
			case wire.Topic(a.cfg.County, wire.CollectorID, wire.LeafStatus):
				post(event{leaf: wire.LeafStatus, payload: m.Payload})
			}
		},
		Bye: func() *mqtt.Message { return a.status(fact.Offline) },
		Log: a.log,
	}
	if err := a.cfg.Broker.Load(&cfg); err != nil {
		return err
	}
	client := mqtt.New(cfg)
	s := &shipper{county: a.cfg.County, agent: a.cfg.Agent, version: a.opts.Version, keyID: a.siteKey.ID(),
		key: a.collectorKey, q: a.journal, log: a.log,
		send: func(leaf wire.Leaf, payload []byte, ticket uint64) error {
			m := mqtt.Message{Topic: a.topic(leaf), Payload: payload, QoS: 1}
			if ticket == 0 {
				return client.Publish(m)
			}
			return client.PublishThen(m, func() { post(event{taken: ticket}) })
		},
		trouble: func(typ fact.AlarmType, detail string) { a.board.set(typ, "", detail) }}
	done := make(chan struct{})
	go func() { defer close(done); _ = client.Run(ctx) }() // ends with ctx only
	defer func() { <-done }()
	a.shipLoop(ctx, s, client, events)
	return nil
}

func (a *Agent) shipLoop(ctx context.Context, s *shipper, client *mqtt.Client, events <-chan event) {
	tick, beat := time.NewTicker(shipTick), time.NewTicker(beatEvery)
	defer tick.Stop()
	defer beat.Stop()
	for {
		a.link.set(s.online && s.ready)
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			now := a.opts.Clock.Now()
			switch {
			case e.up:
				s.up(now)
				a.beat(client)
			case e.down:
				s.down()
			case e.taken != 0:
				s.taken(now, e.taken)
			case e.leaf == wire.LeafAck:
				s.acked(now, e.payload)
			default:
				s.collector(now, e.payload)
			}
		case <-a.journal.Changed():
			s.pump(a.opts.Clock.Now())
		case <-a.alarms.wake:
			a.overtake(ctx, s)
		case <-tick.C:
			a.overtake(ctx, s)
			s.tick(a.opts.Clock.Now())
		case <-beat.C:
			a.beat(client)
		}
	}
}

// overtake hands new alarms to the shipper when they are durable. Those that a
// failing disk does not make durable are tried again at the next tick.
func (a *Agent) overtake(ctx context.Context, s *shipper) {
	list := a.alarms.take()
	if len(list) == 0 {
		return
	}
	if err := a.journal.Sync(ctx); err != nil {
		a.log.Debug("alarms wait until they are durable", "count", len(list), "err", err)
		a.alarms.back(list)
		return
	}
	s.alarm(a.opts.Clock.Now(), list...)
}

func (a *Agent) topic(leaf wire.Leaf) string { return wire.Topic(a.cfg.County, a.cfg.Agent, leaf) }

// status is the retained status; offline is the last will as well.
func (a *Agent) status(state fact.LinkState) *mqtt.Message {
	payload, err := wire.Encode(wire.Status{V: 1, State: state, At: wire.At(a.opts.Clock.Now().Wall),
		JID: a.journal.JID(), Version: a.opts.Version})
	if err != nil {
		a.log.Error("encode the status", "err", err)
		return nil
	}
	return &mqtt.Message{Topic: a.topic(wire.LeafStatus), Payload: payload, QoS: 1, Retained: true}
}

// beat says that the agent lives. It comes from the ship loop but carries when
// the record loop last turned, so that a stuck gate does not look alive.
func (a *Agent) beat(client *mqtt.Client) {
	now := a.opts.Clock.Now()
	devs, machines, stuck := a.pulse.snapshot(now)
	if stuck {
		a.log.Error("the record loop does not turn; no heartbeat is sent")
		return
	}
	beat := wire.Beat{V: 1, At: wire.At(now.Wall), JID: a.journal.JID(), Origin: a.journal.Origin(), Last: a.journal.Last(),
		Through: a.journal.State().Through, UptimeS: int64((now.Boot - a.began) / time.Second), Devices: some(devs), Machines: machines}
	if at, ok := a.journal.Oldest(); ok {
		beat.Oldest = new(wire.At(at))
	}
	if space := a.pulse.room(); space.FullIn > 0 {
		beat.FullInH = new(int64(space.FullIn / time.Hour))
	}
	payload, err := wire.Encode(beat)
	if err == nil {
		err = client.Publish(mqtt.Message{Topic: a.topic(wire.LeafBeat), Payload: payload})
	}
	if err != nil && !errors.Is(err, mqtt.ErrOffline) {
		a.log.Debug("heartbeat not sent", "err", err)
	}
}

func some(d []wire.BeatDevice) []wire.BeatDevice {
	if d == nil {
		return []wire.BeatDevice{}
	}
	return d
}

// sinceBoot turns an instant of Go's monotonic clock into the boot clock's.
func sinceBoot(now clock.Moment, at time.Time) time.Duration { return now.Boot - time.Since(at) }
