// Package mqtt keeps one connection to a broker. It is the only importer of paho.
//
// It is transport and no more: what is published while there is no connection is
// refused, and a PUBACK does not mean that anything is stored (the agent's
// journal is the queue). What arrives passes one bounded queue in its order.
//
// Every connection is a new paho client with a clean session and an empty memory
// store. When paho reconnects by itself it completes old tokens without an error,
// sends its store again in map order, and backs off without jitter.
package mqtt

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"gatehouse/gateway/proxied"
	"gatehouse/gateway/retry"
)

// Message is one MQTT message, in either direction.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte
	// Retained: to be kept by the broker. Of a message that came: the broker had
	// kept it, so that nobody knows when it was said.
	Retained bool
	// Of messages that came:
	Duplicate bool      // the broker may have delivered it before
	Arrived   time.Time // when it came over the connection
}

// Subscription is one topic filter with the QoS asked for.
type Subscription struct {
	Filter string
	QoS    byte
	// Optional: the connection is of use without it; that the broker refuses it is
	// logged.
	Optional bool
}

// Config is a broker's address and what to do with its messages. No function in
// it may wait for Run to return, and each may be nil.
type Config struct {
	URL      string      // tcp, ssl, ws or wss
	Name     string      // of the broker, for the log; empty: URL
	ClientID string      //
	Username string      // empty: none
	Password string      //
	TLS      *tls.Config // for ssl and wss
	// Proxy returns the proxy through which an address is reached, or nil; nil:
	// there is none.
	Proxy proxied.Finder
	// Hello returns the last will and the first message of a connection that is
	// about to be made; either may be nil.
	Hello         func() (will, first *Message)
	Subscriptions []Subscription
	// OnUp is called after each connect, when all subscriptions are granted.
	OnUp func()
	// OnDown is called when a connection for which OnUp was called has ended.
	OnDown func(error)
	// OnFail is called after each attempt that made no connection.
	OnFail func(error)
	// OnMessage is called for every message, one at a time and in the order in
	// which they came, in a goroutine of its own. A message of QoS 1 is
	// acknowledged when OnMessage returns: as long as it waits, the broker sends
	// no more than a window of messages, and nothing else is held up. It must
	// return when Run's context ends.
	OnMessage func(Message)
	// Keep takes the place of OnMessage where the broker must hold each message
	// until it is stored. Keep does not wait. end is called once for each message,
	// later and in any goroutine, and acknowledges it when it was stored; until
	// then it takes room in the inbox. The session is a persistent one (who knows
	// the ClientID can end it).
	Keep func(m Message, end func(stored bool))
	// Bye returns a message that is published, with a wait of a second at most,
	// before Run disconnects; it may return nil.
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
	briefRetry     = 2 * time.Second  // the longest pause after a connection that was up
	steadyAfter    = 30 * time.Second // the pause after a connection that lasted so long is firstRetry
)

// ErrOffline means that there is no connection at the moment.
var ErrOffline = errors.New("not connected to the broker")

// Client keeps a connection; its methods may be called from any goroutine.
type Client struct {
	cfg   Config
	inbox *inbox
	mu    sync.Mutex
	now   paho.Client // the connection that is up, or nil
}

// New returns a client, which Run connects.
func New(cfg Config) *Client {
	cfg.Name = cmp.Or(cfg.Name, cfg.URL)
	if cfg.Proxy == nil {
		cfg.Proxy = proxied.Direct
	}
	if cfg.OnUp == nil {
		cfg.OnUp = func() {}
	}
	if cfg.OnDown == nil {
		cfg.OnDown = func(error) {}
	}
	if cfg.OnFail == nil {
		cfg.OnFail = func(error) {}
	}
	if cfg.Hello == nil {
		cfg.Hello = func() (will, first *Message) { return nil, nil }
	}
	if cfg.Bye == nil {
		cfg.Bye = func() *Message { return nil }
	}
	return &Client{cfg: cfg, inbox: newInbox(cfg)}
}

// Run connects, and reconnects whenever the connection ends, until ctx ends. It
// then disconnects, waits for OnMessage to return, and returns ctx's error.
func (c *Client) Run(ctx context.Context) error {
	var delivering sync.WaitGroup
	defer delivering.Wait()
	delivering.Go(func() { c.inbox.deliver(ctx) })
	// Random: a thousand agents lose a broker at the same moment.
	backoff := retry.Backoff{First: firstRetry, Last: lastRetry, Random: true}
	logged := false // that it can't connect
	for {
		began := time.Now()
		up, err := c.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !up {
			c.cfg.OnFail(err)
		}
		if up || !logged {
			c.cfg.Log.Warn("broker connection", "broker", c.cfg.Name, "err", err,
				"next", "trying again until it answers")
		}
		logged = !up
		switch {
		case up && time.Since(began) > steadyAfter:
			backoff.Limit(firstRetry)
		case up:
			backoff.Limit(briefRetry)
		}
		if !retry.Sleep(ctx, backoff.Next()) {
			return ctx.Err()
		}
	}
}

// Publish hands m to the connection and returns when it is on its way. It does
// not wait for a PUBACK. Without a connection it returns ErrOffline.
func (c *Client) Publish(m Message) error {
	_, err := c.publish(m)
	return err
}

// PublishThen is Publish, and calls taken, in a goroutine of its own, when the
// broker has answered with a PUBACK: the line has carried the message, which
// does not mean that it is stored. taken is not called when the connection ends
// before.
func (c *Client) PublishThen(m Message, taken func()) error {
	token, err := c.publish(m)
	if err != nil {
		return err
	}
	go func() { // ends when the broker answers or the connection ends
		<-token.Done()
		if token.Error() == nil {
			taken()
		}
	}()
	return nil
}

func (c *Client) publish(m Message) (paho.Token, error) {
	client := c.connected()
	if client == nil {
		return nil, ErrOffline
	}
	return publish(client, m)
}

func (c *Client) set(client paho.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = client
}

// publish returns when m is on its way, or could not be sent.
func publish(client paho.Client, m Message) (paho.Token, error) {
	token := client.Publish(m.Topic, m.QoS, m.Retained, m.Payload)
	if m.QoS > 0 {
		// Done by now only if it failed at once, such as on a closed connection.
		select {
		case <-token.Done():
		default:
			return token, nil
		}
	}
	if err := wait(token, writeTimeout+time.Second); err != nil {
		return nil, fmt.Errorf("publish on %s: %w", m.Topic, err)
	}
	return token, nil
}

var errTimeout = errors.New("the broker does not answer")

func wait(t paho.Token, d time.Duration) error {
	if !t.WaitTimeout(d) {
		return errTimeout
	}
	return t.Error()
}
