// Package collect is the receiving half of the delivery protocol: it checks the
// batches that arrive, commits them together, and acknowledges them only after
// the store reports that they are durable.
//
// The broker's connection puts messages into a queue with a lane for each agent,
// in their order. Decoders, one a core, take turns over the lanes, one message
// of an agent at a time. The committer is the one goroutine that writes.
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
	"time"

	"gatehouse/gateway/county/commits"
	"gatehouse/gateway/county/health"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// Store is what the collector needs of the county's store.
type Store interface {
	Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error)
	Position(ctx context.Context, jid string) (store.Position, error)
	Identity(ctx context.Context) (id string, term uint64, err error)
	RaiseTerm(ctx context.Context, atLeast uint64) (uint64, error)
	Quarantine(ctx context.Context, p store.Poison) error
}

// Sites knows the compound of each agent.
type Sites interface {
	Place(agent string) (community, grid, compound string, ok bool)
}

// Observer is called with what has come and what is stored. It must not wait.
type Observer interface {
	// Arrived is called with an alarm that overtook its journal, before it is
	// stored: a store that takes nothing must not hide a fever.
	Arrived(b store.Batch)
	// Committed is called with batches that are durable.
	Committed(batches []store.Batch)
	// Refused is called when messages of an agent are refused, because they need
	// more than one agent may use or claim what is not signed: at the first, and
	// every 10 s at most while it goes on. count is their number since this
	// collector was started. It is called from any goroutine.
	Refused(agent, why string, count uint64)
	// Fenced is called when another collector has taken over: nothing is
	// committed any more.
	Fenced(reason string)
}

// Config holds the options of a collector.
type Config struct {
	County  string
	Version string
	// KnowsKey reports whether a key for pseudonyms is one of an agent's; nil: each is.
	KnowsKey func(agent, keyID string) bool
	Key      ed25519.PrivateKey
	Sites    Sites
	Store    Store
	Broker   mqtt.Broker
	Watch    Observer // may be nil
	Audit    Audit    // may be nil
	Signers  Signers  // nil: no signature is verified
	// RequireSigned refuses what is not signed by the key of an agent that is enrolled.
	RequireSigned bool
	// Fenced is called once, when another collector has taken over; may be nil.
	Fenced  func(reason string)
	Health  *health.Board    // nil: one of its own
	Commits *commits.Commits // counts what is committed; may be nil
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger
}

// listed reports whether the site file has an agent.
func (c Config) listed(agent string) bool {
	_, _, _, ok := c.Sites.Place(agent)
	return ok
}

func (c Config) public() ed25519.PublicKey { return c.Key.Public().(ed25519.PublicKey) }

// Collector commits what agents send. Make it with New and run it once.
type Collector struct {
	cfg       Config
	status    *announcer
	receiver  *receiver
	committer *committer
}

// inputs are what the committer waits for.
type inputs struct {
	items  chan item        // decoded messages
	up     chan struct{}    // the connection was made
	others chan otherReport // statuses of other collectors
}

// item is one decoded message: a batch, or a hello.
type item struct {
	batch store.Batch
	hello *wire.Hello
	agent string
	land  func() // called once, when the message is dealt with
}

// backoff is that of a store that takes nothing.
var backoff = retry.Backoff{First: 250 * time.Millisecond, Last: 30 * time.Second}

// New returns a collector.
func New(cfg Config) *Collector {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Health == nil {
		cfg.Health = health.NewBoard()
	}
	var b [8]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	in := inputs{items: make(chan item, group), up: make(chan struct{}, 1), others: make(chan otherReport, 4)}
	status := &announcer{cfg: cfg, start: hex.EncodeToString(b[:])}
	refusals := &refusals{log: cfg.Log, watch: cfg.Watch, agents: map[string]*refused{}}
	return &Collector{cfg: cfg, status: status,
		receiver: &receiver{cfg: cfg, start: status.start, queue: newQueue(cfg.listed), refusals: refusals, out: in},
		committer: &committer{cfg: cfg, status: status, refusals: refusals, in: in, accounts: map[string]*account{},
			begun: bucket{most: mostUnlisted, every: unlistedEvery}},
	}
}

// Run collects until ctx ends. What was received but not committed by then is
// not acknowledged, and is sent again.
func (c *Collector) Run(ctx context.Context) error {
	if err := c.committer.begin(ctx); err != nil {
		return err
	}
	client, err := c.connection()
	if err != nil {
		return err
	}
	c.status.client = client
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	var decoding sync.WaitGroup
	stop := c.receiver.queue.endWith(ctx)
	defer stop()
	for range runtime.GOMAXPROCS(0) {
		decoding.Go(func() { c.receiver.decodeLoop(ctx) })
	}
	c.committer.run(ctx)
	decoding.Wait()
	if err := <-ended; ctx.Err() == nil {
		return err
	}
	return nil
}

// Part names the collector on the board of health. Its loop turns at least every LongestTurn.
const Part = "collector"

// LongestTurn is the longest turn of a committer that is not stuck: the pause after a store
// that takes nothing, and the longest attempt.
const LongestTurn = 75 * time.Second

// connection returns the client of the broker.
func (c *Collector) connection() (*mqtt.Client, error) {
	up := c.committer.in.up
	m := mqtt.Config{
		// Secret: who knows it can throw the collector off the broker.
		ClientID: "collector-" + strings.ToLower(rand.Text()),
		Subscriptions: []mqtt.Subscription{
			{Filter: wire.Topic(c.cfg.County, "+", wire.LeafRecords), QoS: 1},
			{Filter: wire.Topic(c.cfg.County, "+", wire.LeafHello), QoS: 1},
			{Filter: wire.Topic(c.cfg.County, wire.CollectorID, wire.LeafStatus), QoS: 1},
		},
		Hello: func() (will, first *mqtt.Message) { return c.status.offline(), nil },
		OnUp: func() {
			c.cfg.Health.Up(Part, c.cfg.Now())
			select {
			case up <- struct{}{}:
			default:
			}
		},
		OnDown:    func(err error) { c.cfg.Health.Down(Part, c.cfg.Now(), err) },
		OnFail:    func(err error) { c.cfg.Health.Down(Part, c.cfg.Now(), err) },
		OnMessage: c.receiver.receive,
		Bye:       c.status.bye,
		Log:       c.cfg.Log,
	}
	if err := c.cfg.Broker.Load(&m); err != nil {
		return nil, err
	}
	return mqtt.New(m), nil
}

// begin reads the store's identity and raises its term above all earlier ones.
func (c *committer) begin(ctx context.Context) error {
	var err error
	if c.storeID, c.term, err = c.cfg.Store.Identity(ctx); err != nil {
		return fmt.Errorf("read the store's identity: %w", err)
	}
	if c.term == math.MaxUint64 {
		c.cfg.Log.Warn("the store's term can't rise any more: of two collectors neither would stand down, "+
			"so never run two", "term", c.term)
	}
	if c.term, err = c.cfg.Store.RaiseTerm(ctx, wire.NextTerm(c.term)); err != nil {
		return err
	}
	c.unproven.floor = c.term
	return nil
}
