package broker

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/crypto/bcrypt"
)

const patience = 10 * time.Second

func configOf(t testing.TB) Config {
	t.Helper()
	return Config{Listen: "127.0.0.1:0", Dir: filepath.Join(t.TempDir(), "broker"), County: "qinghe"}
}

// start runs a broker until the test ends.
func start(t testing.TB, cfg Config) *Broker {
	t.Helper()
	log := slog.New(slog.NewTextHandler(&testLog{t: t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	b, err := Start(t.Context(), cfg, log)
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

// testLog writes to the log of a test.
type testLog struct{ t testing.TB }

func (l *testLog) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// users writes a users file. The password of each user is the name and "!".
func users(t testing.TB, names ...string) string {
	t.Helper()
	var text bytes.Buffer
	for _, name := range names {
		hash, err := bcrypt.GenerateFromPassword([]byte(name+"!"), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(name + ":" + string(hash) + "\n")
	}
	return write(t, "users", text.Bytes())
}

func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// client is a paho client that keeps the messages it receives.
type client struct {
	paho.Client
	got  chan paho.Message
	lost chan error
}

// login is who connects, and how.
type login struct {
	url, id, user, password string
	tls                     *tls.Config
}

// dial connects, or returns paho's error.
func dial(t testing.TB, l login) (*client, error) {
	t.Helper()
	c := &client{got: make(chan paho.Message, 1000), lost: make(chan error, 1)}
	opts := paho.NewClientOptions().AddBroker(l.url).SetClientID(l.id).SetUsername(l.user).SetPassword(l.password).
		SetTLSConfig(l.tls).SetAutoReconnect(false).SetConnectTimeout(patience).SetProtocolVersion(4).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { c.got <- m }).
		SetConnectionLostHandler(func(_ paho.Client, err error) { c.lost <- err })
	c.Client = paho.NewClient(opts)
	if err := done(c.Connect()); err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Disconnect(50) })
	return c, nil
}

func connect(t testing.TB, l login) *client {
	t.Helper()
	c, err := dial(t, l)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// insider is how this process connects.
func insider(t testing.TB, b *Broker, id string) login {
	t.Helper()
	c := b.Client()
	password, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	return login{url: c.URL, id: id, user: c.Username, password: strings.TrimSpace(string(password))}
}

// as connects a user of users() under a new client id: nats-server delays clients
// that disconnect each other by using the same one.
func as(t testing.TB, b *Broker, name string) *client {
	t.Helper()
	return connect(t, login{url: "tcp://" + b.Addr(), id: name + "-" + rand.Text(), user: name, password: name + "!"})
}

func done(token paho.Token) error {
	if !token.WaitTimeout(patience) {
		return errors.New("no answer")
	}
	return token.Error()
}

// subscribe returns what the broker granted.
func (c *client) subscribe(t testing.TB, filter string, qos byte) (granted byte) {
	t.Helper()
	token, _ := c.Subscribe(filter, qos, nil).(*paho.SubscribeToken)
	// For paho a refusal is an error too; it has the return code 128.
	if err := done(token); err != nil && token.Result()[filter] != 128 {
		t.Fatal(err)
	}
	return token.Result()[filter]
}

func (c *client) publish(t testing.TB, topic string, qos byte, retained bool, text string) {
	t.Helper()
	if err := done(c.Publish(topic, qos, retained, text)); err != nil {
		t.Fatalf("publish on %s: %v", topic, err)
	}
}

// next returns the next message, which is to be what.
func (c *client) next(t testing.TB, what string) paho.Message {
	t.Helper()
	select {
	case m := <-c.got:
		return m
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
		return nil
	}
}

// want checks that the next message is this one.
func (c *client) want(t testing.TB, topic, text string) paho.Message {
	t.Helper()
	m := c.next(t, topic+" "+text)
	if m.Topic() != topic || string(m.Payload()) != text {
		t.Fatalf("got %s %q, want %s %q", m.Topic(), m.Payload(), topic, text)
	}
	return m
}

// tool returns the path of one of Mosquitto's clients.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: install mosquitto-clients (make tools says how)", err)
	}
	return path
}

// run runs a tool to its end and returns its output.
func run(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, tool(t, name), args...).CombinedOutput()
	return string(out), err
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// wait waits until a text is in it.
func (b *buffer) wait(t testing.TB, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(b.String(), text); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("the log does not say %s:\n%s", text, b)
			return
		}
	}
}

// keeps waits until whoever subscribes gets a retained message: those who listen already
// have it a moment before the broker keeps it.
func keeps(t testing.TB, b *Broker, topic, text string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		c := as(t, b, "collector")
		c.subscribe(t, topic, 1)
		select {
		case m := <-c.got:
			if string(m.Payload()) == text {
				return
			}
		case <-time.After(time.Second):
		}
	}
	t.Fatalf("the broker does not keep %s %q", topic, text)
}
