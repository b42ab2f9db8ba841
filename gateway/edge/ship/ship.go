// Package ship delivers an agent's journal to the county by MQTT, record by
// record and in order, until the collector has acknowledged it. It also sends
// the agent's status and heartbeats. It knows nothing of devices and machines.
package ship

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Journal is what the shipper needs of the journal.
type Journal interface {
	queue
	Last() uint64
	Origin() string
	Changed() <-chan struct{}       // receives when there are more durable records
	Sync(ctx context.Context) error // returns when everything appended before is durable
}

// Options of a shipper.
type Options struct {
	County, Agent, Version string

	Keys    Keys
	KeyID   func() string // returns the id of the key that makes pseudonyms now; empty: none
	Broker  mqtt.Broker
	Journal Journal
	Board   *status.Board
	// Desk is called with each message on the agent's topic of the desk, whoever sent
	// it, from the connection's goroutine; it must not wait. May be nil.
	Desk func(payload []byte)
	// Command is called with each message on the agent's topic of commands, as Desk is.
	Command func(payload []byte, retained bool)
	// Retire takes what would take the agent out of service for good, from the goroutine of
	// Run. May be nil.
	Retire func(payload []byte) error
	// Said are messages that are published, with their leaves. May be nil.
	Said <-chan Say
	// Rules is called with each message on the agent's topic of rules and below it, as Desk
	// is. May be nil.
	Rules func(topic string, payload []byte)
	// Witness journals a head of the county's audit. May be nil.
	Witness func(wire.AuditHead) error
	Clock   clock.Source
	Log     *slog.Logger
}

// Keys are those of signatures.
type Keys struct {
	Collector ed25519.PublicKey // signs acknowledgements and the collector's status
	// Own reads the key by which the agent signs what it sends. It is called every 5 s
	// from the goroutine of Run: the key is another one when the gate was enrolled again. nil: the agent has none.
	Own func() (crypto.Signer, error)
}

// Say is a message that is published once, and lost while there is no connection.
type Say struct {
	Leaf    wire.Leaf
	Payload []byte
}

// Shipper delivers the journal of one agent. Run owns its goroutines: the MQTT
// client, the loop that owns the delivery, the one that waits for fsyncs of
// alarms, and the heartbeat, which none of the others can hold up.
type Shipper struct {
	opts   Options
	broker mqtt.Config
	began  time.Duration // boot clock
	alarms *mailbox
	client atomic.Pointer[mqtt.Client] // of Run
}

// New makes a shipper and reads the files that the broker's options name; it
// does not connect yet.
func New(opts Options) (*Shipper, error) {
	s := &Shipper{opts: opts, began: opts.Clock.Now().Boot, alarms: newMailbox()}
	if err := opts.Broker.Load(&s.broker); err != nil {
		return nil, err
	}
	return s, nil
}

// Overtake sends a copy of an alarm record ahead of the backlog as soon as it is
// durable. It may be called from any goroutine, before Run too, and does not
// wait.
func (s *Shipper) Overtake(e wire.Entry, urgent bool) { s.alarms.add(overtaker{e, urgent}) }

// Run delivers until ctx ends, and returns when everything it started has ended.
func (s *Shipper) Run(ctx context.Context) {
	events := make(chan event, 16)
	durable := make(chan []overtaker)
	up := make(chan struct{}, 1)
	client := mqtt.New(s.connection(ctx, events))
	s.client.Store(client)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = client.Run(ctx) }) // ends with ctx only
	wg.Go(func() { s.waitForAlarms(ctx, durable) })
	wg.Go(func() { s.beats(ctx, client, up) })
	wg.Go(func() { s.says(ctx, client) })
	d := s.delivery(client, func(e event) { post(ctx, events, e) })
	s.loop(ctx, d, events, durable, up)
}

// delivery makes the sending half of the protocol, which sends by client and
// posts what the broker has taken.
func (s *Shipper) delivery(client publisher, post func(event)) *delivery {
	o := s.opts
	return &delivery{
		parties: parties{o.County, o.Agent, o.Version, o.KeyID, o.Keys.Collector},
		journal: o.Journal,
		log:     o.Log,
		// Until the first attempt to connect has ended nobody knows why there is no connection.
		standing: standing{lost: o.Clock.Now()},
		send: func(leaf wire.Leaf, payload []byte, ticket uint64) error {
			m := mqtt.Message{Topic: s.topic(leaf), Payload: payload, QoS: 1}
			if ticket == 0 {
				return client.Publish(m)
			}
			return client.PublishThen(m, func() { post(event{taken: ticket}) })
		},
		witness: witness{keep: o.Witness},
		signing: signing{load: o.Keys.Own},
		report:  func(t fact.AlarmType, detail string) { o.Board.Set(status.Condition{Type: t, Detail: detail}) },
	}
}
