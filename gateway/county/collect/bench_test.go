package collect_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/mosquitto"
	"gatehouse/gateway/wire"
)

const (
	jidA = "0190b1c2-0000-7000-8000-00000000000a"
	jidB = "0190b1c2-0000-7000-8000-00000000000b"
)

// tally counts how often a store was asked for a commit, and made one.
type tally struct{ asked, commits int }

// memory is a store in memory whose failures tests can command.
type memory struct {
	mu      sync.Mutex
	fail    error
	term    uint64
	through map[string]uint64
	owner   map[string]string
	places  map[string]store.Place
	poison  []store.Poison
	refuse  string // agent whose batches the store refuses
	broken  string // agent with whose batches a commit fails
	least   int    // unless it has at most so many records
	share   int    // messages that fit into quarantine; 0: all
	calls   tally
}

func newMemory() *memory {
	return &memory{term: 1, through: map[string]uint64{}, owner: map[string]string{}, places: map[string]store.Place{}}
}

func (b *memory) Commit(_ context.Context, batches []store.Batch) ([]store.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls.asked++
	if b.fail != nil {
		return nil, b.fail
	}
	for _, x := range batches {
		if x.Agent == b.broken && len(x.Entries) > b.least {
			return nil, errBroken
		}
	}
	b.calls.commits++
	var out []store.Receipt
	for _, x := range batches {
		r := store.Receipt{JID: x.JID, Through: b.through[x.JID]}
		switch {
		case x.Agent == b.refuse:
			r.Refused = true
		case x.Ahead:
			r.Ahead = x.From
		case x.From > r.Through+1:
			r.Gap = true
		default:
			r.New = int(max(r.Through, x.To) - r.Through) //nolint:gosec // small
			r.Through = max(r.Through, x.To)
			b.through[x.JID] = r.Through
			b.owner[x.JID], b.places[x.JID] = x.Agent, x.Place
		}
		out = append(out, r)
	}
	return out, nil
}

var errBroken = errors.New("points beyond retention policy")

func (b *memory) Position(_ context.Context, jid string) (store.Position, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return store.Position{JID: jid, Agent: b.owner[jid], Through: b.through[jid]}, nil
}

func (b *memory) Identity(context.Context) (string, uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return "store-1", b.term, nil
}

func (b *memory) RaiseTerm(_ context.Context, atLeast uint64) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.term = max(b.term, atLeast)
	return b.term, nil
}

func (b *memory) Quarantine(_ context.Context, p store.Poison) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.share > 0 && len(b.poison) >= b.share {
		return fmt.Errorf("quarantine: %w", store.ErrShare)
	}
	b.poison = append(b.poison, p)
	return nil
}

func (b *memory) set(fail error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = fail
}

func (b *memory) committed() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls.commits
}

func (b *memory) quarantined() []store.Poison {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.poison
}

type sites struct{}

func (sites) Place(agent string) (string, string, string, bool) {
	return "community-1", "grid-1", "compound-1", agent == "gate-a"
}

// bench is a collector at a real Mosquitto, and a client that plays agents.
type bench struct {
	t       *testing.T
	store   *memory
	key     ed25519.PublicKey
	secret  ed25519.PrivateKey
	url     string
	agent   *mqtt.Client
	first   wire.CollectorStatus // after the start
	acks    chan wire.Ack
	status  chan wire.CollectorStatus
	fenced  chan string
	refused chan string  // agents whose messages were refused, and why
	passed  atomic.Int64 // by how much the collector's clock is ahead, in nanoseconds
}

// Arrived, Committed, Fenced and Refused implement collect.Observer.
func (b *bench) Arrived(store.Batch)     {}
func (b *bench) Committed([]store.Batch) {}
func (b *bench) Fenced(string)           {}
func (b *bench) Refused(agent, why string, _ uint64) {
	b.refused <- agent + ": " + why
}

func start(t *testing.T, prepare ...func(*memory)) *bench {
	t.Helper()
	return startSigned(t, nil, false, prepare...)
}

// startSigned starts a collector that verifies signatures, unless keys is nil.
func startSigned(t *testing.T, keys collect.Signers, required bool, prepare ...func(*memory)) *bench {
	t.Helper()
	m := mosquitto.Start(t)
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, store: newMemory(), key: public, secret: private, url: m.URL,
		fenced: make(chan string, 1), acks: make(chan wire.Ack, 100),
		status: make(chan wire.CollectorStatus, 100), refused: make(chan string, 100)}
	for _, p := range prepare {
		p(b.store)
	}
	log := slog.New(slog.DiscardHandler)
	up := make(chan struct{}, 10)
	b.agent = mqtt.New(mqtt.Config{URL: m.URL, ClientID: "agents", Log: log,
		Subscriptions: []mqtt.Subscription{
			{Filter: wire.Topic("c", "+", wire.LeafAck)},
			{Filter: wire.Topic("c", wire.CollectorID, wire.LeafStatus)}},
		OnUp:      func() { up <- struct{}{} },
		OnMessage: b.receive})
	c := collect.New(collect.Config{County: "c", Version: "test", Key: private, Sites: sites{},
		Store: b.store, Broker: mqtt.Broker{URL: m.URL}, Watch: b, Log: log,
		Signers: keys, RequireSigned: required,
		Fenced: func(reason string) { b.fenced <- reason },
		Now:    func() time.Time { return time.Now().Add(time.Duration(b.passed.Load())) }})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = b.agent.Run(ctx) })
	wg.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Errorf("collector: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	await(t, "connection", up)
	b.first = await(t, "collector's status", b.status)
	return b
}

// receive checks what the collector publishes, and passes it on.
func (b *bench) receive(m mqtt.Message) {
	_, agent, leaf, _ := wire.ParseTopic(m.Topic)
	if leaf == wire.LeafAck {
		a, err := wire.Decode[wire.Ack](m.Payload)
		if err != nil || wire.VerifyAck(a, "c", agent, b.key) != nil || m.Retained {
			b.t.Errorf("bad acknowledgement %s: %v", m.Payload, err)
		}
		b.acks <- a
		return
	}
	if st, err := wire.Decode[wire.CollectorStatus](m.Payload); err == nil && st.State == fact.Online {
		if wire.VerifyCollectorStatus(st, "c", b.key) != nil {
			b.t.Errorf("bad signature: %s", m.Payload)
		}
		b.status <- st
	}
}

func await[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s", what)
		panic("unreachable")
	}
}

func (b *bench) publish(agent string, leaf wire.Leaf, payload []byte) {
	b.t.Helper()
	if err := b.agent.Publish(mqtt.Message{Topic: wire.Topic("c", agent, leaf), Payload: payload, QoS: 1}); err != nil {
		b.t.Fatal(err)
	}
}

func batch(t *testing.T, agent, jid string, from, to uint64, ahead bool) []byte {
	t.Helper()
	x := wire.Batch{Agent: agent, JID: jid, From: from, To: to, Ahead: ahead}
	for seq := from; seq <= to; seq++ {
		body, err := wire.EncodeBody(&wire.Health{Device: "d", State: "ok"})
		if err != nil {
			t.Fatal(err)
		}
		rec := wire.Record{Seq: seq, At: wire.At(time.Unix(1e9, int64(seq))), Kind: wire.KindHealth, Body: body}
		raw, err := wire.EncodeRecord(rec)
		if err != nil {
			t.Fatal(err)
		}
		x.Entries = append(x.Entries, wire.Entry{Record: rec, Raw: raw})
	}
	payload, err := wire.EncodeBatch(x)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func (b *bench) hello(agent, jid string, last, term uint64) {
	b.t.Helper()
	payload, err := wire.Encode(wire.Hello{V: 1, JID: jid, First: min(1, last), Last: last, Term: term,
		Nonce: "0123456789abcdef", KeyID: "k1"})
	if err != nil {
		b.t.Fatal(err)
	}
	b.publish(agent, wire.LeafHello, payload)
}

// awaitQuarantine waits until n messages are in quarantine.
func (b *bench) awaitQuarantine(n int) {
	b.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for ; len(b.store.quarantined()) < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("quarantine holds %d of %d: %+v", len(b.store.quarantined()), n, b.store.quarantined())
		}
	}
}
