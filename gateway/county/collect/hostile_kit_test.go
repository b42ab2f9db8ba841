package collect_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// goodAgents is how many agents behave, beside the one that does not.
const goodAgents = 20

// badName is the agent that misbehaves. The site file lists it like the others.
var badName = fmt.Sprintf("gate-%03d", goodAgents+1)

// hash is that of the password "secret" with bcrypt.
const hash = "$2a$04$PmiPTcLJkAJPs4S8zCAQI.VqWlH6FHbVKfWrXx7B9L8wYg4/qs1.u"

// realCounty is a collector with a real broker, whose users have passwords, and a
// real store.
type realCounty struct {
	t       testing.TB
	broker  *broker.Broker
	archive *archive.Archive
	secret  ed25519.PrivateKey
	good    []*goodAgent

	mu      sync.Mutex
	refused map[string]string // why, by agent
}

// Arrived, Committed and Fenced implement collect.Observer.
func (c *realCounty) Arrived(store.Batch)     {}
func (c *realCounty) Committed([]store.Batch) {}
func (c *realCounty) Fenced(reason string)    { c.t.Error(reason) }

// Refused implements collect.Observer.
func (c *realCounty) Refused(agent, why string, _ uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused[agent] = why
}

// keys are those of the registry: the bad agent is enrolled, and has not signed yet.
func (c *realCounty) keys() *keyring {
	k := newKeyring()
	k.set(badName, collect.Signer{Enrolled: true, Key: &newKey(c.t).PublicKey})
	return k
}

// listed are the gates of the site file: all that have a password.
type listed struct{}

func (listed) Place(agent string) (string, string, string, bool) {
	return "c1", "g1", "k-" + agent, agent <= badName && strings.HasPrefix(agent, "gate-")
}

// stores are both of them.
var stores = map[string]func(t testing.TB, dir string) *archive.Archive{
	"sqlite": func(t testing.TB, dir string) *archive.Archive {
		s, err := archive.OpenSQLite(filepath.Join(dir, "store.db"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
	"influx": func(t testing.TB, dir string) *archive.Archive {
		server, err := influxd.Start(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		s, err := archive.OpenInflux(filepath.Join(dir, "books.db"),
			influx.Options{URL: server.URL, Token: influxd.Token, Bucket: influxd.Bucket, County: "c"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
}

// startCounty starts a county and its good agents, which send until stop is called.
func startCounty(t testing.TB, open func(testing.TB, string) *archive.Archive) (c *realCounty, stop func()) {
	t.Helper()
	dir := t.TempDir()
	var users strings.Builder
	for n := range goodAgents + 1 {
		fmt.Fprintf(&users, "gate-%03d:%s\n", n+1, hash)
	}
	usersFile := filepath.Join(dir, "users")
	if err := os.WriteFile(usersFile, []byte(users.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	c = &realCounty{t: t, archive: open(t, dir), refused: map[string]string{}}
	var err error
	c.broker, err = broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0",
		Dir: filepath.Join(dir, "broker"), UsersFile: usersFile}, log)
	if err != nil {
		t.Fatal(err)
	}
	_, c.secret, err = ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	collector := collect.New(collect.Config{County: "c", Version: "test", Key: c.secret, Sites: listed{},
		Store: c.archive, Broker: c.broker.Client(), Watch: c, Signers: c.keys(), Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := collector.Run(ctx); err != nil {
			t.Errorf("collector: %v", err)
		}
	})
	for n := range goodAgents {
		g := c.goodAgent(n + 1)
		c.good = append(c.good, g)
		running.Go(func() { _ = g.client.Run(ctx) })
		running.Go(func() { g.send(ctx) })
	}
	return c, sync.OnceFunc(func() {
		cancel()
		running.Wait()
		if err := c.broker.Close(); err != nil {
			t.Error(err)
		}
		if err := c.archive.Close(); err != nil {
			t.Error(err)
		}
	})
}

// client returns a connection of an agent.
func (c *realCounty) client(agent, id string, on func(mqtt.Message), filters ...string) *mqtt.Client {
	cfg := mqtt.Config{URL: "tcp://" + c.broker.Addr(), ClientID: id, Username: agent, Password: "secret",
		Log: slog.New(slog.DiscardHandler), OnMessage: on}
	for _, f := range filters {
		cfg.Subscriptions = append(cfg.Subscriptions, mqtt.Subscription{Filter: f})
	}
	return mqtt.New(cfg)
}

// goodAgent sends a batch of one reading every pace, and the next one when it was
// acknowledged.
type goodAgent struct {
	n      int
	client *mqtt.Client
	acks   chan uint64

	mu   sync.Mutex
	took []commit // of what was acknowledged
}

// commit is how long it took until a batch was acknowledged.
type commit struct {
	at   time.Time // when it was sent
	took time.Duration
}

const (
	pace      = 100 * time.Millisecond
	sendAgain = 10 * time.Second // as agents do
)

func (c *realCounty) goodAgent(n int) *goodAgent {
	g := &goodAgent{n: n, acks: make(chan uint64, 16)}
	id := g.name()
	g.client = c.client(id, id, func(m mqtt.Message) {
		if a, err := wire.Decode[wire.Ack](m.Payload); err == nil {
			select {
			case g.acks <- a.Through:
			default:
			}
		}
	}, wire.Topic("c", id, wire.LeafAck))
	return g
}

func (g *goodAgent) name() string { return fmt.Sprintf("gate-%03d", g.n) }

func (g *goodAgent) send(ctx context.Context) {
	// The agents take turns, so that a commit has few of them.
	wait(ctx, time.Duration(g.n)*pace/goodAgents)
	for seq := uint64(1); ctx.Err() == nil; seq++ {
		began := time.Now()
		for ctx.Err() == nil && !g.deliver(ctx, seq) {
		}
		took := time.Since(began)
		if ctx.Err() != nil {
			return
		}
		g.mu.Lock()
		g.took = append(g.took, commit{began, took})
		g.mu.Unlock()
		wait(ctx, pace-took)
	}
}

// deliver sends one batch and reports whether it was acknowledged.
func (g *goodAgent) deliver(ctx context.Context, seq uint64) bool {
	b := storetest.Batch(g.n, seq, seq)
	payload, err := wire.EncodeBatch(b.Batch)
	if err != nil {
		panic(err) // the values are plain
	}
	m := mqtt.Message{Topic: wire.Topic("c", b.Agent, wire.LeafRecords), Payload: payload, QoS: 1}
	if g.client.Publish(m) != nil {
		wait(ctx, 10*time.Millisecond)
		return false // it is not connected yet
	}
	again := time.NewTimer(sendAgain)
	defer again.Stop()
	for {
		select {
		case through := <-g.acks:
			if through >= seq {
				return true
			}
		case <-again.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// took returns how long commits of the good agents took that were sent from a
// moment to another, the shortest first.
func (c *realCounty) took(from, to time.Time) (out []time.Duration) {
	for _, g := range c.good {
		g.mu.Lock()
		for _, x := range g.took {
			if !x.at.Before(from) && x.at.Before(to) {
				out = append(out, x.took)
			}
		}
		g.mu.Unlock()
	}
	slices.Sort(out)
	return out
}
