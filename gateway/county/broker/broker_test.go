package broker

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func split(t testing.TB, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

func TestMosquittoAndPahoClientsExchangeQoS1(t *testing.T) {
	b := start(t, configOf(t))
	_, port := split(t, b.Addr())
	sub := connect(t, insider(t, b, "sub")) // as the collector does
	if granted := sub.subscribe(t, "gatehouse/v1/qinghe/+/records", 1); granted != 1 {
		t.Fatalf("granted QoS %d", granted)
	}
	const records = "gatehouse/v1/qinghe/gate-017/records"
	if out, err := run(t, "mosquitto_pub", "-p", port, "-q", "1", "-t", records, "-m", "hello"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if m := sub.want(t, records, "hello"); m.Qos() != 1 || m.Retained() {
		t.Errorf("QoS %d, retained %v", m.Qos(), m.Retained())
	}
	sub.publish(t, "gatehouse/v1/qinghe/gate-017/status", 1, true, "online")
	out, err := run(t, "mosquitto_sub", "-p", port, "-q", "1", "-C", "1", "-t", "gatehouse/v1/+/+/status", "-v")
	if err != nil || strings.TrimSpace(out) != "gatehouse/v1/qinghe/gate-017/status online" {
		t.Errorf("mosquitto_sub prints %q, %v", out, err)
	}
}

func TestAThousandMessagesArriveOnceAndInOrder(t *testing.T) {
	b := start(t, configOf(t))
	sub := connect(t, login{url: "tcp://" + b.Addr(), id: "sub"})
	pub := connect(t, login{url: "tcp://" + b.Addr(), id: "pub"})
	sub.subscribe(t, "a/b", 1)
	for i := range 1000 {
		pub.Publish("a/b", 1, false, fmt.Sprint(i))
	}
	for i := range 1000 {
		sub.want(t, "a/b", fmt.Sprint(i))
	}
}

func TestARetainedMessageSurvivesARestart(t *testing.T) {
	cfg := configOf(t)
	b, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	pub := connect(t, login{url: "tcp://" + b.Addr(), id: "pub"})
	pub.publish(t, "gatehouse/v1/qinghe/collector/status", 1, true, "online")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = start(t, cfg)
	wantRetained(t, b.Addr(), "gatehouse/v1/qinghe/collector/status", "online")
}

// wantRetained subscribes until the retained message comes: after a start,
// nats-server grants subscriptions before it has read its retained messages. Each
// time a message of its own proves that the broker delivers.
func wantRetained(t *testing.T, addr, topic, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		id := "retained-" + rand.Text()
		c := connect(t, login{url: "tcp://" + addr, id: id})
		c.subscribe(t, topic, 1)
		c.subscribe(t, id, 1)
		c.publish(t, id, 1, false, "alive")
		if m := c.next(t, "the probe"); m.Topic() == topic {
			if string(m.Payload()) != text || !m.Retained() {
				t.Fatalf("got %q, retained %v; want %q", m.Payload(), m.Retained(), text)
			}
			return
		}
		c.Disconnect(0)
	}
	t.Fatalf("%s %q is not retained", topic, text)
}

func TestTheLastWillOfAKilledClientIsPublished(t *testing.T) {
	b := start(t, configOf(t))
	_, port := split(t, b.Addr())
	sub := connect(t, login{url: "tcp://" + b.Addr(), id: "sub"})
	sub.subscribe(t, "gatehouse/v1/qinghe/gate-017/#", 1)
	var out buffer
	victim := exec.Command(tool(t, "mosquitto_sub"), "-p", port, "-t", "up", "-v",
		"--will-topic", "gatehouse/v1/qinghe/gate-017/status", "--will-payload", "offline",
		"--will-qos", "1", "--will-retain")
	victim.Stdout, victim.Stderr = &out, &out
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); !strings.Contains(out.String(), "up now"); { // until it is subscribed
		if time.Now().After(deadline) {
			t.Fatalf("mosquitto_sub prints %q", out.String())
		}
		sub.publish(t, "up", 0, false, "now")
		time.Sleep(20 * time.Millisecond)
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // it was killed
	sub.want(t, "gatehouse/v1/qinghe/gate-017/status", "offline")
}

func TestAnOversizedMessageDisconnectsOnlyItsSender(t *testing.T) {
	b := start(t, configOf(t))
	sub := connect(t, login{url: "tcp://" + b.Addr(), id: "sub"})
	sub.subscribe(t, "#", 1)
	largest := strings.Repeat("x", MaxPayload)
	good := connect(t, login{url: "tcp://" + b.Addr(), id: "good"})
	good.publish(t, "a/b", 1, false, largest)
	sub.want(t, "a/b", largest)
	for _, size := range []int{MaxPayload + 2*envelope, 10 << 20} {
		bad := connect(t, login{url: "tcp://" + b.Addr(), id: "bad"})
		bad.Publish("a/b", 1, false, strings.Repeat("x", size))
		select {
		case <-bad.lost:
		case <-time.After(patience):
			t.Fatalf("the sender of %d bytes is still connected", size)
		}
	}
	good.publish(t, "a/b", 1, false, "still here")
	sub.want(t, "a/b", "still here")
}

func TestGarbageDisconnectsOnlyItsSender(t *testing.T) {
	b := start(t, configOf(t))
	good := connect(t, login{url: "tcp://" + b.Addr(), id: "good"})
	good.subscribe(t, "a/b", 1)
	for _, text := range []string{
		"GET / HTTP/1.1\r\n\r\n", "\x10\xff\xff\xff\xff\x7f", "\x00\x00\x00", strings.Repeat("\xff", 1000),
	} {
		conn, err := net.Dial("tcp", b.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 1)); n != 0 || os.IsTimeout(err) {
			t.Errorf("%q is answered with %d bytes, %v", text, n, err)
		}
		conn.Close()
	}
	good.publish(t, "a/b", 1, false, "still here")
	good.want(t, "a/b", "still here")
}

func TestAPortInUseIsAClearErrorAndItsBrokerGoesOn(t *testing.T) {
	cfg := configOf(t)
	first := start(t, cfg)
	c := connect(t, login{url: "tcp://" + first.Addr(), id: "c"})
	c.subscribe(t, "a/b", 1)
	cfg.Listen = first.Addr() // and the same folder: the same configuration twice
	_, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	_, port := split(t, first.Addr())
	if err == nil || !strings.Contains(err.Error(), "port "+port) || !strings.Contains(err.Error(), "another broker") {
		t.Fatalf("error %v", err)
	}
	c.publish(t, "a/b", 1, false, "still here")
	c.want(t, "a/b", "still here")
}

func TestConfigIsChecked(t *testing.T) {
	cert, key, _ := certificate(t, "localhost")
	secured, some := TLS{Cert: cert, Key: key}, users(t, "collector")
	for name, c := range map[string]struct {
		cfg  Config
		want string // in the error
	}{
		"every address":          {Config{Listen: "0.0.0.0:0"}, "users_file"},
		"every address, short":   {Config{Listen: ":0"}, "users_file"},
		"IPv6":                   {Config{Listen: "[::]:0"}, "users_file"},
		"a name":                 {Config{Listen: "county.example:0"}, "users_file"},
		"users only":             {Config{Listen: "0.0.0.0:0", UsersFile: some}, "tls"},
		"TLS only":               {Config{Listen: "0.0.0.0:0", TLS: secured}, "users_file"},
		"certificates, no TLS":   {Config{Listen: "0.0.0.0:0", Certificates: true}, "tls"},
		"an older TLS":           {Config{Listen: "127.0.0.1:0", TLS: TLS{"a", "b", "", "1.1"}}, `"1.2" or "1.3"`},
		"no port":                {Config{Listen: "127.0.0.1"}, "host:port"},
		"a word as port":         {Config{Listen: "127.0.0.1:mqtt"}, "host:port"},
		"a large port":           {Config{Listen: "127.0.0.1:65536"}, "host:port"},
		"nothing":                {Config{}, "host:port"},
		"half of TLS":            {Config{Listen: "127.0.0.1:0", TLS: TLS{Cert: cert}}, "cert and key"},
		"TLS, only an authority": {Config{Listen: "127.0.0.1:0", TLS: TLS{CA: cert}}, "cert and key"},
		"TLS files missing": {Config{
			Listen: "127.0.0.1:0", TLS: TLS{Cert: "none.pem", Key: "none.pem"},
		}, "none.pem"},
		"authority no PEM": {Config{Listen: "127.0.0.1:0", TLS: TLS{Cert: cert, Key: key, CA: some}}, "no PEM"},
		"users missing":    {Config{Listen: "127.0.0.1:0", UsersFile: "nobody"}, "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.Dir = filepath.Join(t.TempDir(), "broker")
			b, err := Start(t.Context(), c.cfg, slog.New(slog.DiscardHandler))
			if err == nil {
				b.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	start(t, Config{Listen: "0.0.0.0:0", Dir: t.TempDir(), TLS: secured, UsersFile: some})
	start(t, Config{Listen: "0.0.0.0:0", Dir: t.TempDir(), TLS: secured, Certificates: true})
}

func TestAFolderIsNeeded(t *testing.T) {
	file := write(t, "file", nil)
	for dir, want := range map[string]string{"": "dir", file: file} {
		cfg := Config{Listen: "127.0.0.1:0", Dir: dir}
		_, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	cert, key, _ := certificate(t, "localhost")
	cfg := Config{Listen: "127.0.0.1:0", Dir: t.TempDir(), TLS: TLS{Cert: cert, Key: key}}
	b, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	silent, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c := connect(t, insider(t, b, "c"))
	c.subscribe(t, "a/b", 1)
	began := time.Now()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("closing took %s", took)
	}
	c.Disconnect(0)
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before+1; { // paho's own end a little later
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(10 * time.Millisecond)
	}
}
