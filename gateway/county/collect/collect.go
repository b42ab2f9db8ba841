// Package collect is the receiving half of the delivery protocol: batches come
// in, are checked, committed together, and acknowledged only after the store
// says that they are durable.
package collect

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Books is what the collector needs of a store.
type Books interface {
	Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error)
	Position(ctx context.Context, jid string) (store.Position, error)
	Identity(ctx context.Context) (id string, term uint64, err error)
	RaiseTerm(ctx context.Context, atLeast uint64) (uint64, error)
	Quarantine(ctx context.Context, p store.Poison) error
}

// Sites tells where an agent stands.
type Sites interface {
	Place(agent string) (community, grid, compound string, ok bool)
}

// Observer is told what has come and what is stored. It must not wait.
type Observer interface {
	// Arrived is called with an alarm that overtook its journal, before it is
	// stored: a store that takes nothing must not hide a fever.
	Arrived(b store.Batch)
	// Committed is called with batches that are durable.
	Committed(batches []store.Batch)
	// Refused is called when messages of an agent are not taken, because they
	// would need more than one agent may use or believe what nobody said: at the
	// first, and every 10 s at most while it goes on. count is how many they are
	// since this collector was started. It is called from any goroutine.
	Refused(agent, why string, count uint64)
	// Fenced is called when another collector has taken over: nothing is
	// committed any more.
	Fenced(reason string)
}

// Config is what a collector is made of.
type Config struct {
	County  string
	Version string
	KeyID   string // of the site key the agents must use
	Key     ed25519.PrivateKey
	Sites   Sites
	Store   Books
	Broker  mqtt.Broker
	Watch   Observer // may be nil
	// Fenced is called once, when another collector has taken over; may be nil.
	Fenced func(reason string)
	Log    *slog.Logger
}

func (c Config) public() ed25519.PublicKey { return c.Key.Public().(ed25519.PublicKey) }

// group is how many batches are committed in one transaction at most: enough
// to make a durable commit cheap a record, few enough to answer soon.
const group = 32

// Collector commits what agents send. Make it with New, run it with Run.
type Collector struct {
	cfg       Config
	client    *mqtt.Client
	start     string        // random, names this run
	queue     *queue        // what came
	refusals  *refusals     //
	in        chan item     // what is decoded and waits for the committer
	up        chan struct{} // the connection was made
	others    chan announced
	stoodDown atomic.Bool // fenced, for the connection's goroutine

	// The committer's own:
	storeID  string
	term     uint64
	fault    string               // why nothing is being committed
	said     wire.CollectorStatus // the last announcement
	repeated time.Time            // when it was last said again
	again    <-chan time.Time     // when it is to be said again, or nil
	fenced   bool                 // another collector has taken over
	began    time.Time            // of the first connection
	accounts map[string]*account  // by agent
	unproven unproven
}

// item is one message for the committer: a batch, or a hello.
type item struct {
	batch store.Batch
	hello *wire.Hello
	agent string
}

// New makes a collector.
func New(cfg Config) *Collector {
	var b [8]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return &Collector{cfg: cfg, start: hex.EncodeToString(b[:]), in: make(chan item, group), up: make(chan struct{}, 1),
		queue: newQueue(), refusals: &refusals{log: cfg.Log, watch: cfg.Watch, agents: map[string]*refused{}},
		others: make(chan announced, 4), accounts: map[string]*account{}}
}

// Run collects until ctx ends; what was received but not committed by then is
// not acknowledged, and comes again.
func (c *Collector) Run(ctx context.Context) error {
	var err error
	if c.storeID, c.term, err = c.cfg.Store.Identity(ctx); err != nil {
		return fmt.Errorf("read the store's identity: %w", err)
	}
	if c.term == math.MaxUint64 {
		c.cfg.Log.Warn("the store's term can't rise any more, so that of two collectors none would stand down: never run two",
			"term", c.term)
	}
	if c.term, err = c.cfg.Store.RaiseTerm(ctx, wire.NextTerm(c.term)); err != nil {
		return err
	}
	c.unproven.floor = c.term
	m := mqtt.Config{
		// Secret: whoever knows it can throw the collector off the broker.
		ClientID: "collector-" + strings.ToLower(rand.Text()),
		Subscriptions: []mqtt.Subscription{
			{Filter: wire.Topic(c.cfg.County, "+", wire.LeafRecords), QoS: 1},
			{Filter: wire.Topic(c.cfg.County, "+", wire.LeafHello), QoS: 1},
			{Filter: wire.Topic(c.cfg.County, wire.CollectorID, wire.LeafStatus), QoS: 1},
		},
		Hello: func() (will, first *mqtt.Message) { return c.offline(), nil },
		OnUp: func() {
			select {
			case c.up <- struct{}{}:
			default:
			}
		},
		OnDown:    func(error) {},
		OnMessage: func(m mqtt.Message) { c.receive(m) },
		Bye: func() *mqtt.Message {
			if c.stoodDown.Load() {
				return nil // the other one's word stands
			}
			return c.offline()
		},
		Log: c.cfg.Log,
	}
	if err := c.cfg.Broker.Load(&m); err != nil {
		return err
	}
	c.client = mqtt.New(m)
	connected := make(chan error, 1)
	var decoding sync.WaitGroup
	stop := c.queue.endWith(ctx)
	defer stop()
	for range runtime.GOMAXPROCS(0) {
		decoding.Go(func() { c.decodeLoop(ctx) })
	}
	go func() { connected <- c.client.Run(ctx) }()
	c.commitLoop(ctx)
	decoding.Wait()
	if err := <-connected; ctx.Err() == nil {
		return err
	}
	return nil
}

// offline is the last will. It is unsigned, and so moves nothing.
func (c *Collector) offline() *mqtt.Message {
	payload, err := wire.Encode(wire.CollectorStatus{V: 1, State: fact.Offline, At: wire.At(time.Now()),
		Start: c.start, Version: c.cfg.Version})
	if err != nil {
		c.cfg.Log.Error("encode the last will", "err", err)
		return nil
	}
	return &mqtt.Message{Topic: wire.Topic(c.cfg.County, wire.CollectorID, wire.LeafStatus), Payload: payload, QoS: 1, Retained: true}
}

// announce says who collects, at which term: when it came to the broker and when
// that has changed. Every agent answers a new one with a hello.
func (c *Collector) announce() {
	c.said = wire.CollectorStatus{V: 1, State: fact.Online, At: wire.At(time.Now()),
		Start: c.start, Store: c.storeID, Term: c.term, Version: c.cfg.Version}
	c.faulty()
}

// faulty says what the announcement says, with the fault that holds now. Agents
// tell announcements by start and at, and so say no hello.
func (c *Collector) faulty() {
	if c.said.V == 0 {
		return // it is said with the first announcement
	}
	c.said.Fault = c.fault
	c.said = wire.SignCollectorStatus(c.said, c.cfg.County, c.cfg.Key)
	c.publish()
}

// repeat says the same again, once a second at most, where another word stands
// over it: agents that have heard it do nothing.
func (c *Collector) repeat() {
	if c.said.V == 0 || c.again != nil {
		return
	}
	if wait := time.Second - time.Since(c.repeated); wait > 0 {
		c.again = time.After(wait)
		return
	}
	c.repeated = time.Now()
	c.publish()
}

func (c *Collector) publish() {
	if c.fenced {
		return
	}
	payload, err := wire.Encode(c.said)
	if err == nil {
		err = c.client.Publish(mqtt.Message{Topic: wire.Topic(c.cfg.County, wire.CollectorID, wire.LeafStatus),
			Payload: payload, QoS: 1, Retained: true})
	}
	if err != nil {
		c.cfg.Log.Warn("publish the collector's status", "err", err)
	}
}

// acknowledge tells an agent how far its journal is committed.
func (c *Collector) acknowledge(agent string, a wire.Ack) {
	a.V, a.Store, a.Term = 1, c.storeID, c.term
	payload, err := wire.Encode(wire.SignAck(a, c.cfg.County, agent, c.cfg.Key))
	if err == nil {
		err = c.client.Publish(mqtt.Message{Topic: wire.Topic(c.cfg.County, agent, wire.LeafAck), Payload: payload})
	}
	if err != nil {
		// The agent sends again and is answered then.
		c.cfg.Log.Debug("acknowledgement not sent", "agent", agent, "err", err)
	}
}
