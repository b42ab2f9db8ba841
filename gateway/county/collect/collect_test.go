package collect_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
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

// books is a store in memory whose failures tests can command.
type books struct {
	mu      sync.Mutex
	fail    error
	term    uint64
	through map[string]uint64
	owner   map[string]string
	places  map[string]store.Place
	poison  []store.Poison
	refuse  string // agent whose batches the store refuses
	share   int    // messages that fit into quarantine; 0: all
	commits int
}

func newBooks() *books {
	return &books{term: 1, through: map[string]uint64{}, owner: map[string]string{}, places: map[string]store.Place{}}
}

func (b *books) Commit(_ context.Context, batches []store.Batch) ([]store.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return nil, b.fail
	}
	b.commits++
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
			r.Through = max(r.Through, x.To)
			b.through[x.JID] = r.Through
			b.owner[x.JID], b.places[x.JID] = x.Agent, x.Place
		}
		out = append(out, r)
	}
	return out, nil
}

func (b *books) Position(_ context.Context, jid string) (store.Position, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return store.Position{JID: jid, Agent: b.owner[jid], Through: b.through[jid]}, nil
}

func (b *books) Identity(context.Context) (string, uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return "store-1", b.term, nil
}

func (b *books) RaiseTerm(_ context.Context, atLeast uint64) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.term = max(b.term, atLeast)
	return b.term, nil
}

func (b *books) Quarantine(_ context.Context, p store.Poison) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.share > 0 && len(b.poison) >= b.share {
		return fmt.Errorf("quarantine: %w", store.ErrShare)
	}
	b.poison = append(b.poison, p)
	return nil
}

func (b *books) set(fail error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = fail
}

func (b *books) quarantined() []store.Poison {
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
	t      *testing.T
	books  *books
	key    ed25519.PublicKey
	secret ed25519.PrivateKey
	url    string
	fenced chan string
	agent  *mqtt.Client
	acks   chan wire.Ack
	status chan wire.CollectorStatus
	said   wire.CollectorStatus // the first
	told   chan string          // agents whose messages were refused, and why
}

// Arrived, Committed, Fenced and Refused implement collect.Observer.
func (b *bench) Arrived(store.Batch)     {}
func (b *bench) Committed([]store.Batch) {}
func (b *bench) Fenced(string)           {}
func (b *bench) Refused(agent, why string, _ uint64) {
	b.told <- agent + ": " + why
}

func start(t *testing.T, prepare ...func(*books)) *bench {
	t.Helper()
	m := mosquitto.Start(t)
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, books: newBooks(), key: public, secret: private, url: m.URL, fenced: make(chan string, 1), acks: make(chan wire.Ack, 100), status: make(chan wire.CollectorStatus, 100),
		told: make(chan string, 100)}
	for _, p := range prepare {
		p(b.books)
	}
	log := slog.New(slog.DiscardHandler)
	up := make(chan struct{}, 10)
	b.agent = mqtt.New(mqtt.Config{URL: m.URL, ClientID: "agents", Log: log,
		Subscriptions: []mqtt.Subscription{{Filter: wire.Topic("c", "+", wire.LeafAck)}, {Filter: wire.Topic("c", wire.CollectorID, wire.LeafStatus)}},
		OnUp:          func() { up <- struct{}{} },
		OnMessage: func(m mqtt.Message) {
			_, agent, leaf, _ := wire.ParseTopic(m.Topic)
			if leaf == wire.LeafAck {
				a, err := wire.Decode[wire.Ack](m.Payload)
				if err != nil || wire.VerifyAck(a, "c", agent, public) != nil || m.Retained {
					t.Errorf("bad acknowledgement %s: %v", m.Payload, err)
				}
				b.acks <- a
			} else if st, err := wire.Decode[wire.CollectorStatus](m.Payload); err == nil && st.State == fact.Online {
				if wire.VerifyCollectorStatus(st, "c", public) != nil {
					t.Errorf("bad signature: %s", m.Payload)
				}
				b.status <- st
			}
		}})
	c := collect.New(collect.Config{County: "c", Version: "test", KeyID: "k1", Key: private, Sites: sites{}, Store: b.books,
		Broker: mqtt.Broker{URL: m.URL}, Watch: b, Log: log, Fenced: func(reason string) { b.fenced <- reason }})
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
	b.said = await(t, "collector's status", b.status)
	return b
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
	payload, err := wire.Encode(wire.Hello{V: 1, JID: jid, First: min(1, last), Last: last, Term: term, Nonce: "0123456789abcdef", KeyID: "k1"})
	if err != nil {
		b.t.Fatal(err)
	}
	b.publish(agent, wire.LeafHello, payload)
}

func TestABatchIsAcknowledgedAfterItsCommit(t *testing.T) {
	b := start(t)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 3, false))
	if a := await(t, "acknowledgement", b.acks); a.Through != 3 || a.JID != jidA || a.Store != "store-1" || a.Term != 2 {
		t.Fatalf("got %+v", a)
	}
	if p := b.books.places[jidA]; p.Compound != "compound-1" {
		t.Fatalf("its place is %+v", p)
	}
}

func TestAStoreThatFailsIsNotAcknowledgedAndTheCountyIsTold(t *testing.T) {
	b := start(t)
	b.books.set(errors.New("disk full\nsecond line"))
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 3, false))
	for {
		if st := await(t, "status with the fault", b.status); st.Fault == "disk full second line" {
			break
		}
	}
	select {
	case a := <-b.acks:
		t.Fatalf("acknowledged %+v without a commit", a)
	default:
	}
	b.books.set(nil)
	if a := await(t, "acknowledgement", b.acks); a.Through != 3 {
		t.Fatalf("got %+v", a)
	}
	for st := range b.status {
		if st.Fault == "" {
			return
		}
	}
}

func TestABatchThatCameTooEarlyWaitsForTheOneBeforeIt(t *testing.T) {
	b := start(t)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 4, 6, false))
	b.publish("gate-b", wire.LeafRecords, batch(t, "gate-b", jidB, 1, 1, false))
	await(t, "acknowledgement of the other agent", b.acks)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 3, false))
	for {
		if a := await(t, "acknowledgement", b.acks); a.Through == 6 {
			return
		}
	}
}

func TestAnAlarmSentAheadIsAcknowledgedByItself(t *testing.T) {
	b := start(t)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 9, 9, true))
	if a := await(t, "acknowledgement", b.acks); a.Ahead != 9 || a.Through != 0 {
		t.Fatalf("got %+v", a)
	}
}

func TestAHelloIsAnsweredFromTheStoreWithItsNonce(t *testing.T) {
	b := start(t)
	b.hello("gate-a", jidA, 7, 1)
	if a := await(t, "answer", b.acks); a.Through != 0 || a.Nonce != "0123456789abcdef" {
		t.Fatalf("got %+v", a)
	}
	b.hello("gate-a", jidA, 7, 8)
	if a := await(t, "answer", b.acks); a.Term != 9 {
		t.Fatalf("a store older than its agents answers at term %d, not above 8", a.Term)
	}
}

func TestWhatCannotBeReadIsQuarantinedAndTheRestGoesOn(t *testing.T) {
	b := start(t)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 1, false))
	await(t, "acknowledgement", b.acks)
	bad := map[string][]byte{
		"garbage":           []byte("\xff\x00 not JSON"),
		"NaN":               []byte(`{"v":1,"agent":"gate-a","jid":"` + jidA + `","from":NaN}`),
		"wrong types":       []byte(`{"v":"1","agent":7}`),
		"of another agent":  batch(t, "gate-b", jidB, 1, 1, false),
		"of a copied disk":  batch(t, "gate-b", jidA, 2, 2, false),
		"version 2":         []byte(`{"v":2}`),
		"empty":             {},
		"hello, wrong type": []byte(`{"v":1,"jid":3}`),
	}
	for name, payload := range bad {
		switch name {
		case "of a copied disk":
			b.publish("gate-b", wire.LeafRecords, payload)
		case "hello, wrong type":
			b.publish("gate-a", wire.LeafHello, payload)
		default:
			b.publish("gate-a", wire.LeafRecords, payload)
		}
	}
	for deadline := time.Now().Add(20 * time.Second); len(b.books.quarantined()) < len(bad); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("quarantine holds %d of %d: %+v", len(b.books.quarantined()), len(bad), b.books.quarantined())
		}
	}
	for _, p := range b.books.quarantined() {
		if p.Reason == "" || p.Topic == "" {
			t.Errorf("a row without reason or topic: %+v", p)
		}
	}
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 2, 2, false))
	for {
		if a := await(t, "acknowledgement of a sound batch", b.acks); a.Through == 2 {
			return
		}
	}
}

func TestADamagedBatchIsNeitherStoredNorQuarantined(t *testing.T) {
	b := start(t)
	payload := batch(t, "gate-a", jidA, 1, 1, false)
	damaged := []byte(string(payload))
	for i := range damaged {
		if string(damaged[i:min(i+4, len(damaged))]) == `"ok"` {
			damaged[i+1] = 'p'
		}
	}
	b.publish("gate-a", wire.LeafRecords, damaged)
	b.publish("gate-b", wire.LeafRecords, batch(t, "gate-b", jidB, 1, 1, false))
	if a := await(t, "acknowledgement", b.acks); a.JID != jidB {
		t.Fatalf("the damaged batch was acknowledged: %+v", a)
	}
	if q := b.books.quarantined(); len(q) != 0 {
		t.Fatalf("quarantine holds %+v", q)
	}
	b.publish("gate-a", wire.LeafRecords, payload)
	if a := await(t, "acknowledgement of the sound copy", b.acks); a.JID != jidA {
		t.Fatalf("got %+v", a)
	}
}

func TestManyBatchesShareACommit(t *testing.T) {
	b := start(t)
	const n = 400
	for i := range uint64(n) {
		agent := fmt.Sprint("gate-", i)
		b.publish(agent, wire.LeafRecords, batch(t, agent, fmt.Sprintf("0190b1c2-0000-7000-8000-%012d", i), 1, 1, false))
	}
	for range n {
		await(t, "acknowledgement", b.acks)
	}
	b.books.mu.Lock()
	defer b.books.mu.Unlock()
	if b.books.commits >= n {
		t.Fatalf("%d batches took %d commits", n, b.books.commits)
	}
}

func TestOfTwoCollectorsTheOneStartedLastGoesOn(t *testing.T) {
	b := start(t)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 1, false))
	await(t, "acknowledgement", b.acks)
	copied := newBooks()
	copied.through[jidA], copied.owner[jidA] = 1, "gate-a"
	fenced := make(chan string, 1)
	second := collect.New(collect.Config{County: "c", Version: "test", KeyID: "k1", Key: b.secret, Sites: sites{}, Store: copied,
		Broker: mqtt.Broker{URL: b.url}, Log: slog.New(slog.DiscardHandler), Fenced: func(reason string) { fenced <- reason }})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = second.Run(ctx) }()
	if reason := await(t, "word of the first that it stands down", b.fenced); !strings.Contains(reason, "taken over") {
		t.Error(reason)
	}
	commits := func() int { b.books.mu.Lock(); defer b.books.mu.Unlock(); return b.books.commits }
	before := commits()
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 2, 2, false))
	if a := await(t, "acknowledgement", b.acks); a.Through != 2 || a.Term < 3 {
		t.Errorf("got %+v", a)
	}
	if commits() != before {
		t.Error("the one that stood down has committed")
	}
	// It goes for good, and its last will must not stand over the other's word.
	cancel()
	<-done
	select {
	case reason := <-fenced:
		t.Errorf("the second stood down as well: %s", reason)
	default:
	}
}

func TestAStoreWhoseTermWasRaisedByAnotherIsLeftAlone(t *testing.T) {
	b := start(t)
	b.books.set(fmt.Errorf("commit: %w", store.ErrTerm))
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 1, false))
	await(t, "word that it stands down", b.fenced)
	b.books.set(nil)
	b.publish("gate-a", wire.LeafRecords, batch(t, "gate-a", jidA, 1, 1, false))
	select {
	case a := <-b.acks:
		t.Errorf("acknowledged: %+v", a)
	case <-time.After(500 * time.Millisecond):
	}
}
