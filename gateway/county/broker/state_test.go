package broker

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// impatient runs a broker that forgets dead clients after a second.
func impatient(t *testing.T, dir string) *Broker {
	t.Helper()
	l, err := listen(t.Context(), "127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	front, err := newFront(l, TLS{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b, opts := &Broker{front: front, sick: sick{found: make(chan struct{}, 1)}}, options(dir)
	opts.MQTT.Host, opts.MQTT.Port = "127.0.0.1", server.RANDOM_PORT
	opts.MQTT.ConsumerInactiveThreshold = time.Second
	if err := b.run(opts, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// kept counts the messages of QoS 1 that wait for somebody.
func (b *Broker) kept(t *testing.T) uint64 {
	t.Helper()
	z, err := b.srv.Jsz(&server.JSzOptions{Accounts: true, Streams: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range z.AccountDetails {
		for _, s := range a.Streams {
			if s.Name == "$MQTT_msgs" {
				return s.State.Msgs
			}
		}
	}
	t.Fatal("nats-server has no stream of messages any more")
	return 0
}

// TestNothingIsKeptForAClientThatDiedWithTheBroker: a clean session ends with
// its connection, but a killed broker can't end it. What it leaves behind must
// go by itself, or messages would be kept for it until the disk is full.
func TestNothingIsKeptForAClientThatDiedWithTheBroker(t *testing.T) {
	dir, copied := filepath.Join(t.TempDir(), "broker"), filepath.Join(t.TempDir(), "killed")
	before := impatient(t, dir)
	dead := connect(t, login{url: before.Client().URL, id: "dead"})
	dead.subscribe(t, "dead", 1)
	// The state on disk while it runs is what kill -9 leaves.
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	after := impatient(t, copied)
	live := connect(t, login{url: after.Client().URL, id: "live"})
	live.subscribe(t, "live", 1)
	live.publish(t, "dead", 1, false, "x")
	if after.kept(t) != 1 {
		t.Fatal("nothing was left behind: this test is out of date")
	}
	for deadline := time.Now().Add(patience); after.kept(t) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d messages are kept for nobody", after.kept(t))
		}
	}
	live.publish(t, "live", 1, false, "a silent client is not a dead one")
	live.want(t, "live", "a silent client is not a dead one")
}

// BenchmarkStart is from nothing to the first connection that could be made,
// and back.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	for i := 0; b.Loop(); i++ {
		br, err := Start(b.Context(), Config{Listen: "127.0.0.1:0", Dir: filepath.Join(dir, fmt.Sprint(i))}, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		if err := br.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDeliver is a batch of 64 KiB at QoS 1 through the broker.
func BenchmarkDeliver(b *testing.B) {
	br := start(b, config(b))
	sub, pub := connect(b, login{url: br.Client().URL, id: "sub"}), connect(b, login{url: br.Client().URL, id: "pub"})
	sub.subscribe(b, "a/b", 1)
	payload := make([]byte, 64<<10)
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		pub.Publish("a/b", 1, false, payload)
		<-sub.got
	}
}

func TestABrokerWhoseStoreFailsIsStartedAnew(t *testing.T) {
	b := start(t, config(t))
	for _, words := range [][]string{
		{signRefused + " on stream '$G > $MQTT_msgs': lmb missing", signRefused, signRefused},
		{"JetStream out of space, " + signDisabled},
	} {
		old := connect(t, login{url: "tcp://" + b.Addr(), id: "old"})
		old.subscribe(t, "a", 1)
		b.mu.Lock()
		srv := b.srv
		b.mu.Unlock()
		for _, text := range words {
			(&logger{log: slog.New(slog.DiscardHandler), sick: &b.sick}).Errorf("%s", text)
		}
		for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
			b.mu.Lock()
			fresh := b.srv != srv
			b.mu.Unlock()
			if fresh {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("after %q nothing happens", words)
			}
		}
		c := connect(t, login{url: "tcp://" + b.Addr(), id: "new"})
		c.subscribe(t, "a", 1)
		c.publish(t, "a", 1, false, "again")
		c.want(t, "a", "again")
		c.Disconnect(0)
	}
}

func TestOneRefusalIsNoFailureOfTheStore(t *testing.T) {
	s := sick{found: make(chan struct{}, 1)}
	now := time.Now()
	for i := range 10 {
		s.hear(now.Add(time.Duration(i)*time.Minute), signRefused)
	}
	s.hear(now, "something else")
	if len(s.found) != 0 {
		t.Error("refusals a minute apart are taken for a failed store")
	}
}
