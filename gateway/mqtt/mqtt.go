// Package mqtt keeps one connection to a broker alive. It is transport and no
// more: nothing is queued here, and a PUBACK frees nothing (the journal is the
// queue). It is the only importer of paho.
//
// Every connection is a new paho client with a clean session and an empty
// memory store. paho's own reconnecting would complete old tokens without an
// error, resend in map order and back off without jitter; a fresh client has
// no past to get wrong.
package mqtt

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Message is one MQTT message, in either direction.
type Message struct {
	Topic    string
	Payload  []byte
	QoS      byte
	Retained bool
}

// Subscription is one topic filter with the QoS asked for.
type Subscription struct {
	Filter string
	QoS    byte
}

// Config says where to connect and what to do with what comes.
type Config struct {
	URL      string      // tcp://host:port or ssl://host:port
	Name     string      // what messages call the broker; empty: URL
	ClientID string      //
	Username string      // empty: none
	Password string      //
	TLS      *tls.Config // for ssl://
	// Hello gives the last will and the first message of a connection that is
	// about to be made; either may be nil.
	Hello         func() (will, first *Message)
	Subscriptions []Subscription
	// OnUp is called after each connect, when all subscriptions are granted.
	// OnDown is called when such a connection has ended. OnMessage is called
	// for every message, one after the other, in the order in which they came; a
	// message of QoS 1 is acknowledged when it returns, so that blocking holds
	// the broker back and nothing else. None of them may wait for Run, and
	// OnMessage returns when Run's context ends.
	// OnFail, if given, is called after each attempt that made no connection.
	OnUp      func()
	OnDown    func(error)
	OnFail    func(error)
	OnMessage func(Message)
	// Keep takes OnMessage's place where the broker must hold what is not kept
	// yet: the session is a persistent one (whoever knows the ClientID can end
	// it), and a message is acknowledged only when Keep returns true.
	Keep func(Message) bool
	// Bye is published (at most a second's wait) before a wanted disconnect.
	Bye func() *Message
	Log *slog.Logger
}

// Timing of a connection. A frozen broker is noticed within 9 s: keepAlive +
// pingTimeout and, as paho looks every quarter of keepAlive, two of those. A
// frozen socket is noticed within writeTimeout.
const (
	keepAlive      = 4 * time.Second
	pingTimeout    = 3 * time.Second
	writeTimeout   = 5 * time.Second
	connectTimeout = 10 * time.Second
	firstRetry     = 500 * time.Millisecond
	lastRetry      = 10 * time.Second // a gate waits for twice that at most when its line is back
	steadyAfter    = 30 * time.Second // a connection this old resets the back-off
)

// ErrOffline says that there is no connection at the moment.
var ErrOffline = errors.New("not connected to the broker")

// Client keeps a connection; its methods may be called from any goroutine.
type Client struct {
	cfg   Config
	inbox *inbox
	mu    sync.Mutex
	now   paho.Client // the connection that is up, or nil
}

// New makes a client; Run connects it.
func New(cfg Config) *Client {
	cfg.Name = cmp.Or(cfg.Name, cfg.URL)
	return &Client{cfg: cfg, inbox: newInbox(cfg)}
}

// Run connects and reconnects, with jitter, until ctx ends. It returns ctx's
// error, after a proper disconnect and the end of the last OnMessage.
func (c *Client) Run(ctx context.Context) error {
	var delivering sync.WaitGroup
	defer delivering.Wait()
	delivering.Go(func() { c.inbox.deliver(ctx) })
	delay, quiet := firstRetry, false
	for {
		began := time.Now()
		up, err := c.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if up && time.Since(began) > steadyAfter {
			delay = firstRetry
		}
		if !up && c.cfg.OnFail != nil {
			c.cfg.OnFail(err)
		}
		if up || !quiet {
			c.cfg.Log.Warn("broker connection", "broker", c.cfg.Name, "err", err, "next", "trying again until it answers")
		}
		quiet = !up
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(2 * delay)): // all of it by chance: a thousand agents lose a broker at once
		}
		delay = min(2*delay, lastRetry)
		if up {
			delay = min(delay, 4*firstRetry)
		}
	}
}

// session is one connection from connect to its end; up tells whether it was
// ever usable.
func (c *Client) session(ctx context.Context) (up bool, err error) {
	lost := make(chan error, 1)
	opts, first := c.options(ctx, lost)
	client := paho.NewClient(opts)
	if err := wait(client.Connect(), connectTimeout+time.Second); err != nil {
		client.Disconnect(0)
		return false, fmt.Errorf("connect to %s: %w", c.cfg.Name, err)
	}
	defer client.Disconnect(100)
	if err := c.subscribe(client); err != nil {
		return false, err
	}
	if first != nil {
		if err := publish(client, *first); err != nil {
			return false, err
		}
	}
	c.set(client)
	c.cfg.OnUp()
	select {
	case err = <-lost:
	case <-ctx.Done():
		err = ctx.Err()
		if c.cfg.Bye != nil {
			if m := c.cfg.Bye(); m != nil {
				token := client.Publish(m.Topic, m.QoS, m.Retained, m.Payload)
				token.WaitTimeout(time.Second)
			}
		}
	}
	c.set(nil)
	c.cfg.OnDown(err)
	return true, err
}

func (c *Client) options(ctx context.Context, lost chan<- error) (opts *paho.ClientOptions, first *Message) {
	end := func(err error) {
		select {
		case lost <- err:
		default:
		}
	}
	opts = paho.NewClientOptions().
		AddBroker(c.cfg.URL).
		SetClientID(c.cfg.ClientID).
		SetUsername(c.cfg.Username).
		SetPassword(c.cfg.Password).
		SetCleanSession(c.cfg.Keep == nil).
		SetAutoAckDisabled(true). // the inbox does
		SetOrderMatters(true).    // the handler below never waits: a handler that does stalls paho's pings
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetKeepAlive(keepAlive).
		SetPingTimeout(pingTimeout).
		SetWriteTimeout(writeTimeout).
		SetConnectTimeout(connectTimeout).
		SetProtocolVersion(4).
		SetDialer(&net.Dialer{Timeout: connectTimeout, Cancel: ctx.Done()}). //nolint:staticcheck // paho dials without a context
		SetConnectionLostHandler(func(_ paho.Client, err error) { end(fmt.Errorf("connection lost: %w", err)) }).
		// Every subscription shares this one handler, set before connecting, so
		// that a retained message can't arrive before its route exists.
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			if err := c.inbox.put(m); err != nil {
				end(err)
			}
		})
	if c.cfg.TLS != nil {
		opts.SetTLSConfig(c.cfg.TLS)
	}
	if c.cfg.Hello != nil {
		var will *Message
		if will, first = c.cfg.Hello(); will != nil {
			opts.SetBinaryWill(will.Topic, will.Payload, will.QoS, will.Retained)
		}
	}
	return opts, first
}

func (c *Client) subscribe(client paho.Client) error {
	if len(c.cfg.Subscriptions) == 0 {
		return nil
	}
	filters := make(map[string]byte, len(c.cfg.Subscriptions))
	for _, s := range c.cfg.Subscriptions {
		filters[s.Filter] = s.QoS
	}
	token := client.SubscribeMultiple(filters, nil)
	if err := wait(token, connectTimeout); err != nil {
		return fmt.Errorf("subscribe at %s: %w", c.cfg.URL, err)
	}
	sub, ok := token.(*paho.SubscribeToken)
	if !ok {
		return fmt.Errorf("subscribe at %s: no result", c.cfg.URL)
	}
	for filter, granted := range sub.Result() {
		if granted > 2 {
			return fmt.Errorf("subscribe at %s: the broker refuses %q; check the user's permissions", c.cfg.URL, filter)
		}
	}
	return nil
}

func (c *Client) set(client paho.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = client
}

// Publish hands m to the connection and returns when it is on its way; it does
// not wait for a PUBACK, which would promise nothing. ErrOffline when there is
// no connection.
func (c *Client) Publish(m Message) error {
	_, err := c.publish(m)
	return err
}

// PublishThen is Publish, and calls taken, in a goroutine of its own, when the
// broker has answered with a PUBACK. That promises nothing but that the line is
// free. It is not called when the connection ends before.
func (c *Client) PublishThen(m Message, taken func()) error {
	token, err := c.publish(m)
	if err != nil {
		return err
	}
	go func() { // ends with the token: with its answer or with the connection
		<-token.Done()
		if token.Error() == nil {
			taken()
		}
	}()
	return nil
}

func (c *Client) publish(m Message) (paho.Token, error) {
	c.mu.Lock()
	client := c.now
	c.mu.Unlock()
	if client == nil {
		return nil, ErrOffline
	}
	token := client.Publish(m.Topic, m.QoS, m.Retained, m.Payload)
	return token, sent(token, m)
}

func publish(client paho.Client, m Message) error {
	return sent(client.Publish(m.Topic, m.QoS, m.Retained, m.Payload), m)
}

// sent tells whether a message is on its way.
func sent(token paho.Token, m Message) error {
	if m.QoS > 0 {
		// Done only when it failed at once, such as on a closed connection.
		select {
		case <-token.Done():
		default:
			return nil
		}
	}
	if err := wait(token, writeTimeout+time.Second); err != nil {
		return fmt.Errorf("publish on %s: %w", m.Topic, err)
	}
	return nil
}

var errTimeout = errors.New("the broker does not answer")

func wait(t paho.Token, d time.Duration) error {
	if !t.WaitTimeout(d) {
		return errTimeout
	}
	return t.Error()
}
