// Package broker is the county's own MQTT broker, for counties that run no
// other: nats-server with its MQTT listener and nothing else open. It only
// transports: when it loses its state, agents send again and no record is lost.
// This package is the only importer of nats-server.
package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Config is the broker's configuration.
type Config struct {
	Listen    string `yaml:"listen"`               // host:port; loopback unless tls and users_file are set; port 0: any
	Dir       string `yaml:"dir,omitempty"`        // folder of its state; no record is lost with it
	TLS       TLS    `yaml:"tls,omitempty"`        // absent: plain TCP
	UsersFile string `yaml:"users_file,omitempty"` // lines name:bcrypt-hash[:kind]; absent: nobody has a password
	// Discovery is homeassistant where that is told of gates and machines: the collector may
	// publish it, and readers may read it. Empty: nobody may.
	Discovery string `yaml:"discovery,omitempty"`
	// County is the id of the county, the only one whose topics clients may use; empty: any.
	County string `yaml:"-"`
	// Identities knows clients by their certificates. May be nil.
	Identities Identities `yaml:"-"`
	// Certificates: over TLS, who has no password needs a certificate. Otherwise, without a
	// users file, anybody may connect.
	Certificates bool `yaml:"-"`
	// Hold: clients of other processes wait until Admit is called.
	Hold bool `yaml:"-"`
	// Refused is called when the broker does not do what a user asks, and why, every
	// 10 s at most for one reason; from any goroutine. May be nil.
	Refused func(agent, why string) `yaml:"-"`
}

// Limits of the broker.
const (
	// MaxPayload bounds one message, in bytes. A client that sends more is
	// disconnected.
	MaxPayload = wire.MaxMessageBytes
	// envelope is how many bytes a message's topic and nats-server's own headers
	// may add; they count towards its limit.
	envelope = 4 << 10
	// maxStore bounds the disk space of undelivered messages, in bytes. Beyond it
	// messages of QoS 1 are refused and agents keep their records.
	maxStore = 1 << 30
	// maxMemory bounds JetStream's memory streams, in bytes; MQTT uses none.
	maxMemory = 64 << 20
	// loginTimeout bounds the time from connecting to CONNECT when there are users,
	// and the time for checking many passwords at once.
	loginTimeout = 5 * time.Second
	// maxAckPending is how many unacknowledged messages a subscriber may have.
	maxAckPending = 256
	// sentAgain is after how long a message without acknowledgement is sent again.
	// It is what a collector that died and has come back waits for such a message:
	// nats-server does not send it at the reconnect.
	sentAgain = 3 * time.Second
	// forgetAfter is when messages are removed for a client that was connected when
	// the broker was killed and has not come back under the same id. By default
	// nats-server keeps them for ever.
	forgetAfter = 10 * time.Minute
)

// Broker is a running broker.
type Broker struct {
	mu     sync.Mutex // guards srv and keeper
	srv    *server.Server
	keeper *keeper
	secret string // of this start, with which nats-server is entered
	store  storeWatch
	end    context.CancelFunc // ends what follows
	tasks  sync.WaitGroup     // restartFailed and watchKept
	proxy  *proxy
	addr   string
	client mqtt.Broker
}

// Start runs the broker until Close. It returns when the clients of this process
// can connect (Client), or an error that says what to change: the address is in
// use, or reachable from the network without TLS and users, or a file can't be
// read. Clients of other processes can connect then too, or wait for Admit. ctx bounds the start
// only. Just after the start a new subscription may miss messages that were
// retained before: nats-server is still reading them. Agents and collector
// publish theirs again at every connect.
func Start(ctx context.Context, cfg Config, log *slog.Logger) (*Broker, error) {
	host, port, err := cfg.check()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the broker's folder: %w", err)
	}
	b := &Broker{store: newStoreWatch()}
	door, err := b.newDoor(cfg, log)
	if err != nil {
		return nil, err
	}
	// The address is taken before nats-server opens its files: another broker that
	// has the address may be using them.
	l, err := listen(ctx, host, port)
	if err != nil {
		return nil, err
	}
	if b.proxy, err = newProxy(l, cfg.TLS, door, log); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	b.proxy.secret, b.proxy.gate.used, b.proxy.refused = b.secret, cfg.Hold, cfg.Refused
	port = server.RANDOM_PORT
	opts := func() *server.Options {
		o := options(filepath.Join(cfg.Dir, "store"))
		o.CustomClientAuthentication = inner{cmp.Or(cfg.County, "*"), cfg.Discovery != "", b.secret}
		o.MQTT.Host, o.MQTT.Port = "127.0.0.1", port
		return o
	}
	first := opts()
	if err := b.run(first, log); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	port = first.MQTT.Port // after a restart the clients in this process find it on the same port
	b.proxy.serve(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	running, end := context.WithCancel(context.Background())
	b.end = end
	b.tasks.Go(func() { b.restartFailed(running, opts, log) })
	b.tasks.Go(func() { b.watchKept(running, log) })
	b.tasks.Go(func() { b.proxy.watch(running) })
	return b, nil
}

// newDoor returns what decides who comes in, and makes the secret of this start.
func (b *Broker) newDoor(cfg Config, log *slog.Logger) (*door, error) {
	d := &door{identities: cfg.Identities, certificates: cfg.Certificates && cfg.TLS != (TLS{}),
		tries: newTries(), now: time.Now}
	var err error
	if cfg.UsersFile != "" {
		if d.passwords, err = loadPasswords(cfg.UsersFile, log); err != nil {
			return nil, err
		}
	}
	b.secret, b.client.Username = newSecret(), ownName
	b.client.PasswordFile, err = writeOwn(cfg.Dir, b.secret)
	return d, err
}

func (c Config) check() (host string, port int, err error) {
	host, p, err := net.SplitHostPort(c.Listen)
	if err == nil {
		port, err = strconv.Atoi(p)
	}
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("broker: listen %q: write it as host:port, such as 127.0.0.1:1883", c.Listen)
	}
	if c.Dir == "" {
		return "", 0, errors.New("broker: dir is missing: name a folder for the broker's state")
	}
	if err := c.TLS.check(); err != nil {
		return "", 0, err
	}
	if c.Discovery != "" && c.Discovery != HomeAssistant {
		return "", 0, fmt.Errorf("broker: discovery %q: write %s, or leave it out", c.Discovery, HomeAssistant)
	}
	if !loopback(host) && (c.TLS == (TLS{}) || c.UsersFile == "" && !c.Certificates) {
		return "", 0, fmt.Errorf("broker: listen %s is open to the network: give tls (cert, key), and enrol gates "+
			"(deploy/ENROL.md) or give users_file, or listen on 127.0.0.1", c.Listen)
	}
	return host, port, nil
}

// Check returns what is wrong with a configuration file of a broker that runs alone.
func (c Config) Check() error {
	_, _, err := c.check()
	return err
}

// CheckUsers returns what is wrong with the users file, if there is one.
func (c Config) CheckUsers() error {
	if c.UsersFile == "" {
		return nil
	}
	_, err := readUsers(c.UsersFile)
	return err
}

// loopback reports whether host is surely this machine only.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func listen(ctx context.Context, host string, port int) (net.Listener, error) {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("broker: port %d can't be used; "+
			"is another broker running there? stop it or give another address: %w", port, err)
	}
	return l, nil
}

func options(dir string) *server.Options {
	return &server.Options{
		ServerName:             "gatehouse",
		DontListen:             true, // MQTT only, no NATS clients
		NoSigs:                 true,
		MaxPayload:             MaxPayload + envelope,
		JetStream:              true,
		StoreDir:               dir,
		JetStreamMaxStore:      maxStore,
		JetStreamMaxMemory:     maxMemory,
		DisableJetStreamBanner: true,
		MQTT: server.MQTTOpts{
			AuthTimeout:               loginTimeout.Seconds(),
			MaxAckPending:             maxAckPending,
			AckWait:                   sentAgain,
			ConsumerInactiveThreshold: forgetAfter,
		},
	}
}

// run starts nats-server. After an error the caller closes b.
func (b *Broker) run(opts *server.Options, log *slog.Logger) error {
	srv, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	b.srv = srv
	logs := &logger{log: log, store: &b.store, remotes: &b.proxy.remotes}
	srv.SetLogger(logs, false, false)
	srv.Start() // returns when it listens, or after a fatal error
	if err := logs.fatal(); err != nil {
		return fmt.Errorf("broker: %w; if its state in %s is damaged, remove that folder: no record is lost",
			err, opts.StoreDir)
	}
	if b.keeper, err = newKeeper(srv, b.secret); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), keeperPatience)
	defer cancel()
	retained, err := b.keeper.tidy(ctx, log)
	if err != nil {
		return err
	}
	b.proxy.retained.known(retained)
	inner := net.JoinHostPort(opts.MQTT.Host, strconv.Itoa(opts.MQTT.Port))
	b.addr, b.client.URL = b.proxy.addr(), "tcp://"+inner
	b.client.Name = "tcp://" + b.addr
	if b.proxy.config != nil {
		b.client.Name = "ssl://" + b.addr
	}
	return nil
}

// stop stops nats-server.
func (b *Broker) stop() {
	if b.keeper != nil {
		b.keeper.close()
	}
	b.srv.Shutdown()
	b.srv.WaitForShutdown()
}

// Addr returns the address that clients connect to, with the real port.
func (b *Broker) Addr() string { return b.addr }

// Client returns how a part of this process connects: over loopback, without
// TLS, and as a user of its own. Its Name is the address
// that everybody else connects to.
func (b *Broker) Client() mqtt.Broker { return b.client }

// Close ends all connections and returns when everything has stopped and is on
// disk.
func (b *Broker) Close() error {
	var err error
	if b.end != nil {
		b.end()
		b.tasks.Wait()
	}
	if b.proxy != nil {
		err = b.proxy.Close()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.srv != nil {
		b.stop()
	}
	return err
}
