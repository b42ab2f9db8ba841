package mqtt_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/mosquitto"
)

// peer is a client under test and what it reported.
type peer struct {
	*mqtt.Client
	up       chan struct{}
	down     chan error
	failed   chan error
	messages chan mqtt.Message
	stop     func()
}

func connect(t *testing.T, cfg mqtt.Config) *peer {
	t.Helper()
	p := &peer{up: make(chan struct{}, 100), down: make(chan error, 100), failed: make(chan error, 100),
		messages: make(chan mqtt.Message, 100)}
	cfg.OnUp = func() { p.up <- struct{}{} }
	cfg.OnDown = func(err error) { p.down <- err }
	cfg.OnFail = func(err error) { p.failed <- err }
	cfg.OnMessage = func(m mqtt.Message) { p.messages <- m }
	cfg.Log = slog.New(slog.DiscardHandler)
	p.Client = mqtt.New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = p.Run(ctx) }()
	p.stop = func() { cancel(); <-ended }
	t.Cleanup(p.stop)
	return p
}

func await[T any](t *testing.T, what string, c <-chan T, limit time.Duration) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(limit):
		t.Fatalf("no %s within %s", what, limit)
		panic("unreachable")
	}
}

func TestAMessagePassesAndTheWillComesWhenTheClientDies(t *testing.T) {
	b := mosquitto.Start(t)
	all := connect(t, mqtt.Config{URL: b.URL, ClientID: "all",
		Subscriptions: []mqtt.Subscription{{Filter: "a/#", QoS: 1}}})
	await(t, "connection", all.up, 10*time.Second)
	one := connect(t, mqtt.Config{URL: b.URL, ClientID: "one",
		Hello: func() (will, first *mqtt.Message) {
			return &mqtt.Message{Topic: "a/will", Payload: []byte("gone"), QoS: 1},
				&mqtt.Message{Topic: "a/first", Payload: []byte("here"), QoS: 1}
		}})
	await(t, "connection", one.up, 10*time.Second)
	if m := await(t, "first message", all.messages, 5*time.Second); string(m.Payload) != "here" {
		t.Fatalf("the first message is %q", m.Payload)
	}
	if err := one.Publish(mqtt.Message{Topic: "a/b", Payload: []byte("hello"), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	if m := await(t, "message", all.messages, 5*time.Second); m.Topic != "a/b" || string(m.Payload) != "hello" {
		t.Fatalf("got %s %q", m.Topic, m.Payload)
	}
	// The same client id takes the connection over: for the broker the first
	// client has died.
	thief := connect(t, mqtt.Config{URL: b.URL, ClientID: "one"})
	await(t, "connection", thief.up, 10*time.Second)
	for {
		if m := await(t, "will", all.messages, 5*time.Second); m.Topic == "a/will" {
			return
		}
	}
}

func TestAKilledBrokerIsFoundAgain(t *testing.T) {
	b := mosquitto.Start(t)
	c := connect(t, mqtt.Config{URL: b.URL, ClientID: "c", Subscriptions: []mqtt.Subscription{{Filter: "x", QoS: 1}}})
	await(t, "connection", c.up, 10*time.Second)
	b.Kill()
	await(t, "loss", c.down, 5*time.Second)
	if err := c.Publish(mqtt.Message{Topic: "x"}); !errors.Is(err, mqtt.ErrOffline) {
		t.Fatalf("publishing without a broker returns %v", err)
	}
	b.Run(t)
	await(t, "second connection", c.up, 20*time.Second)
	if err := c.Publish(mqtt.Message{Topic: "x", Payload: []byte("again"), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	if m := await(t, "message over the second connection", c.messages, 5*time.Second); string(m.Payload) != "again" {
		t.Fatalf("got %q", m.Payload)
	}
}

func TestAFrozenBrokerIsNoticedWithin12Seconds(t *testing.T) {
	b := mosquitto.Start(t)
	c := connect(t, mqtt.Config{URL: b.URL, ClientID: "c"})
	await(t, "connection", c.up, 10*time.Second)
	b.Freeze()
	defer b.Thaw()
	await(t, "loss", c.down, 12*time.Second)
}

func TestMessagesComeInTheOrderInWhichTheyWereSent(t *testing.T) {
	const n = 3000
	b := mosquitto.Start(t, "max_queued_messages 0")
	to := connect(t, mqtt.Config{URL: b.URL, ClientID: "to",
		Subscriptions: []mqtt.Subscription{{Filter: "q/+", QoS: 1}}})
	from := connect(t, mqtt.Config{URL: b.URL, ClientID: "from"})
	await(t, "connection", to.up, 10*time.Second)
	await(t, "connection", from.up, 10*time.Second)
	go func() {
		for i := range n {
			m := mqtt.Message{Topic: fmt.Sprint("q/", i%3), Payload: fmt.Append(nil, i), QoS: 1}
			if err := from.Publish(m); err != nil {
				t.Errorf("message %d: %v", i, err)
			}
		}
	}()
	for i := range n {
		if m := await(t, "message", to.messages, 20*time.Second); string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("message %d is %s", i, m.Payload)
		}
	}
}

// A consumer that takes longer than a frozen broker would is no frozen broker:
// pings go on, what is published is answered, and what it does not acknowledge
// holds the broker back. What needs no acknowledgement is bounded.
func TestASlowConsumerStallsNothingElse(t *testing.T) {
	b := mosquitto.Start(t)
	begun, goOn := make(chan struct{}, 1), make(chan struct{})
	got := make(chan string, 10_000)
	var down atomic.Int32
	up := make(chan struct{}, 10)
	slow := mqtt.New(mqtt.Config{URL: b.URL, ClientID: "slow", Log: slog.New(slog.DiscardHandler),
		Subscriptions: []mqtt.Subscription{{Filter: "q", QoS: 1}},
		OnUp:          func() { up <- struct{}{} },
		OnDown:        func(error) { down.Add(1) },
		OnMessage: func(m mqtt.Message) {
			select {
			case begun <- struct{}{}:
				<-goOn
			default:
			}
			got <- string(m.Payload)
		}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = slow.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	await(t, "connection", up, 10*time.Second)
	from := connect(t, mqtt.Config{URL: b.URL, ClientID: "from"})
	await(t, "connection", from.up, 10*time.Second)
	for i := range 3000 {
		if err := from.Publish(mqtt.Message{Topic: "q", Payload: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "first message", begun, 5*time.Second)
	time.Sleep(11 * time.Second) // longer than a frozen broker stays unnoticed
	taken := make(chan struct{})
	if err := slow.PublishThen(mqtt.Message{Topic: "other", QoS: 1}, func() { close(taken) }); err != nil {
		t.Fatal(err)
	}
	await(t, "answer of the broker", taken, 5*time.Second)
	close(goOn)
	if down.Load() != 0 {
		t.Fatal("the connection was lost")
	}
	last := -1
	for n := 0; ; n++ {
		select {
		case text := <-got:
			i, err := strconv.Atoi(text)
			if err != nil || i <= last {
				t.Fatalf("after %d comes %q", last, text)
			}
			last = i
		case <-time.After(time.Second):
			if n < 1000 || n > 1100 {
				t.Fatalf("%d of 3000 messages waited", n)
			}
			return
		}
	}
}

// The broker lets gate-001 hear its own topics only. It lives and answers, which
// the second client proves, and the first one goes on trying.
func TestARefusedSubscriptionIsNoConnection(t *testing.T) {
	b := restricted(t, "gate-001")
	as := func(filter string) mqtt.Config {
		return mqtt.Config{URL: "tcp://" + b.Addr(), ClientID: "gate-001", Username: "gate-001", Password: "secret",
			Subscriptions: []mqtt.Subscription{{Filter: filter}}}
	}
	const others = "gatehouse/v1/c/gate-002/ack"
	c := connect(t, as(others))
	for range 3 {
		err := await(t, "failed attempt", c.failed, 20*time.Second)
		if refused, ok := errors.AsType[mqtt.RefusedError](err); !ok || refused.Filter != others {
			t.Fatalf("the attempt failed with %v", err)
		}
	}
	if len(c.up) != 0 {
		t.Fatal("the client is up without its subscription")
	}
	if err := c.Publish(mqtt.Message{Topic: "x", QoS: 1}); !errors.Is(err, mqtt.ErrOffline) {
		t.Fatalf("publishing without the subscription returns %v", err)
	}
	c.stop()
	await(t, "connection with its own topic", connect(t, as("gatehouse/v1/c/gate-001/ack")).up, 20*time.Second)
}

// restricted starts the embedded broker, which knows one user.
func restricted(t *testing.T, user string) *broker.Broker {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	users := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(users, []byte(user+":"+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0", Dir: t.TempDir(), UsersFile: users},
		slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestBrokerSettingsAreChecked(t *testing.T) {
	for url, ok := range map[string]bool{"tcp://127.0.0.1:1883": true, "ssl://broker.county:8883": true,
		"ws://broker/mqtt": true, "wss://broker:443/a/b?c=d": true, "tcp://[::1]:1883": true,
		"": false, "127.0.0.1:1883": false, "http://x:1": false, "tcp://host": false, "tcp://:1883": false,
		"ws:///mqtt": false, "tcp://user@host:1": false, "tcp://host:1/path": false} {
		if err := (mqtt.Broker{URL: url}).Check(); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
	for value, ok := range map[string]bool{"": true, "1.2": true, "1.3": true, "1.1": false, "TLS1.2": false} {
		if err := (mqtt.Broker{URL: "ssl://x:1", TLSMin: value}).Check(); (err == nil) != ok {
			t.Errorf("tls_min %q: %v", value, err)
		}
	}
	for value, ok := range map[string]bool{"": true, "environment": true, "socks5://h:1080": true,
		"http://u:p@h:3128": true, "https://h:1": false, "h:3128": false, "yes": false} {
		if err := (mqtt.Broker{URL: "ssl://x:1", Proxy: value}).Check(); (err == nil) != ok {
			t.Errorf("proxy %q: %v", value, err)
		}
	}
}

func TestAPasswordFileThatOthersCanReadIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte("secret\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := mqtt.Broker{URL: "tcp://127.0.0.1:1", PasswordFile: path}
	var cfg mqtt.Config
	if err := b.Load(&cfg); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Fatalf("error is %v", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Load(&cfg); err != nil || cfg.Password != "secret" {
		t.Fatalf("password %q, %v", cfg.Password, err)
	}
}
