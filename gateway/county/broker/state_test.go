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

// forgetful runs a broker that forgets lost clients after a second.
func forgetful(t *testing.T, dir string) *Broker {
	t.Helper()
	l, err := listen(t.Context(), "127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := newProxy(l, TLS{}, &door{tries: newTries(), now: time.Now}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b, opts := &Broker{proxy: proxy, store: newStoreWatch(), secret: newSecret()}, options(dir)
	opts.CustomClientAuthentication, proxy.secret = inner{"*", false, b.secret}, b.secret
	b.client.Username = ownName
	if b.client.PasswordFile, err = writeOwn(t.TempDir(), b.secret); err != nil {
		t.Fatal(err)
	}
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

// kept counts the messages of QoS 1 that the store holds for subscribers.
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

// A clean session ends with its connection, but a killed broker can't end it. The
// next broker must, or it would keep messages for it until the disk is full.
func TestSessionsThatAKilledBrokerLeftAreForgotten(t *testing.T) {
	dir, copied := filepath.Join(t.TempDir(), "broker"), filepath.Join(t.TempDir(), "killed")
	before := forgetful(t, dir)
	dead := connect(t, insider(t, before, "dead"))
	dead.subscribe(t, "dead", 1)
	// The state on disk while it runs is what kill -9 leaves.
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	after := forgetful(t, copied)
	live := connect(t, insider(t, after, "live"))
	live.subscribe(t, "live", 1)
	live.publish(t, "dead", 1, false, "x")
	if after.kept(t) != 1 {
		t.Fatal("the killed broker has left no session: this test is out of date")
	}
	for deadline := time.Now().Add(patience); after.kept(t) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d messages are kept for a client that is gone", after.kept(t))
		}
	}
	live.publish(t, "live", 1, false, "still here")
	live.want(t, "live", "still here")
}

// BenchmarkStart starts a broker in an empty folder and closes it.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	for i := 0; b.Loop(); i++ {
		cfg := Config{Listen: "127.0.0.1:0", Dir: filepath.Join(dir, fmt.Sprint(i))}
		br, err := Start(b.Context(), cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		if err := br.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDeliver sends messages of 64 KiB at QoS 1 through the broker.
func BenchmarkDeliver(b *testing.B) {
	br := start(b, configOf(b))
	sub, pub := connect(b, insider(b, br, "sub")), connect(b, insider(b, br, "pub"))
	sub.subscribe(b, "a/b", 1)
	payload := make([]byte, 64<<10)
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		pub.Publish("a/b", 1, false, payload)
		<-sub.got
	}
}

func TestABrokerWhoseStoreFailsIsRestarted(t *testing.T) {
	b := start(t, configOf(t))
	for _, messages := range [][]string{
		{msgRefused + " on stream '$G > $MQTT_msgs': lmb missing", msgRefused, msgRefused},
		{"JetStream out of space, " + msgDisabled},
	} {
		old := connect(t, login{url: "tcp://" + b.Addr(), id: "old"})
		old.subscribe(t, "a", 1)
		b.mu.Lock()
		srv := b.srv
		b.mu.Unlock()
		for _, text := range messages {
			(&logger{log: slog.New(slog.DiscardHandler), store: &b.store}).Errorf("%s", text)
		}
		for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
			b.mu.Lock()
			fresh := b.srv != srv
			b.mu.Unlock()
			if fresh {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("after %q there is no restart", messages)
			}
		}
		c := connect(t, login{url: "tcp://" + b.Addr(), id: "new"})
		c.subscribe(t, "a", 1)
		c.publish(t, "a", 1, false, "again")
		c.want(t, "a", "again")
		c.Disconnect(0)
	}
}

func TestRefusalsFarApartAreNoFailureOfTheStore(t *testing.T) {
	w := newStoreWatch()
	now := time.Now()
	for i := range 10 {
		w.observe(now.Add(time.Duration(i)*time.Minute), msgRefused)
	}
	w.observe(now, "something else")
	if len(w.failed) != 0 {
		t.Error("refusals a minute apart are taken for a failed store")
	}
}
