package mqtt

import (
	"context"
	"errors"
	"fmt"
	"gatehouse/gateway/proxied"
	"net"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// session is one connection, from connecting to its end. It reports whether the
// connection was ever up.
func (c *Client) session(ctx context.Context) (up bool, err error) {
	ended := make(chan error, 1)
	will, first := c.cfg.Hello()
	client := paho.NewClient(c.options(ctx, will, ended))
	if err := wait(client.Connect(), connectTimeout+time.Second); err != nil {
		client.Disconnect(0)
		return false, fmt.Errorf("connect to %s: %w", c.cfg.Name, c.explain(err))
	}
	defer client.Disconnect(100)
	if err := c.subscribe(client); err != nil {
		return false, err
	}
	if first != nil {
		if _, err := publish(client, *first); err != nil {
			return false, err
		}
	}
	c.set(client)
	c.cfg.Log.Info("connected to the broker", "broker", c.cfg.Name,
		"proxy", proxied.Name(c.cfg.Proxy, c.cfg.URL, "the broker's section"))
	c.cfg.OnUp()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = ctx.Err()
		if m := c.cfg.Bye(); m != nil {
			client.Publish(m.Topic, m.QoS, m.Retained, m.Payload).WaitTimeout(time.Second)
		}
	}
	c.set(nil)
	c.cfg.OnDown(err)
	return true, err
}

// options are those of a new paho client, which reports on ended why its
// connection has ended, or must end.
func (c *Client) options(ctx context.Context, will *Message, ended chan<- error) *paho.ClientOptions {
	end := func(err error) {
		select {
		case ended <- err:
		default:
		}
	}
	put := c.inbox.open()
	opts := paho.NewClientOptions().
		AddBroker(c.cfg.URL).
		SetClientID(c.cfg.ClientID).
		SetUsername(c.cfg.Username).
		SetPassword(c.cfg.Password).
		SetCleanSession(c.cfg.Keep == nil).
		SetAutoAckDisabled(true). // the inbox does
		SetOrderMatters(true).    // the handler below never waits: one that does stalls paho's pings
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetKeepAlive(keepAlive).
		SetPingTimeout(pingTimeout).
		SetWriteTimeout(writeTimeout).
		SetConnectTimeout(connectTimeout).
		SetProtocolVersion(4).
		SetCustomOpenConnectionFn(func(u *url.URL, _ paho.ClientOptions) (net.Conn, error) { return c.open(ctx, u) }).
		SetConnectionLostHandler(func(_ paho.Client, err error) {
			end(fmt.Errorf("connection lost: %w", err))
		}).
		// Every subscription shares this one handler, set before connecting, so
		// that a retained message can't arrive before its route exists.
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			if err := put(m); err != nil {
				end(err)
			}
		})
	if c.cfg.TLS != nil {
		opts.SetTLSConfig(c.cfg.TLS)
	}
	if will != nil {
		opts.SetBinaryWill(will.Topic, will.Payload, will.QoS, will.Retained)
	}
	return opts
}

// subscribe returns a RefusedError if the broker refuses one of the filters that are not
// optional.
func (c *Client) subscribe(client paho.Client) error {
	if len(c.cfg.Subscriptions) == 0 {
		return nil
	}
	filters := make(map[string]byte, len(c.cfg.Subscriptions))
	optional := map[string]bool{}
	for _, s := range c.cfg.Subscriptions {
		filters[s.Filter], optional[s.Filter] = s.QoS, s.Optional
	}
	token := client.SubscribeMultiple(filters, nil)
	err := wait(token, connectTimeout)
	if sub, ok := token.(*paho.SubscribeToken); ok && !errors.Is(err, errTimeout) && len(sub.Result()) > 0 {
		err = nil // it is one about a filter
		for filter, granted := range sub.Result() {
			switch {
			case granted > 2 && optional[filter]:
				c.cfg.Log.Warn("the broker refuses a subscription: allow this user to receive it; everything else "+
					"goes on without it", "topic", filter, "broker", c.cfg.Name)
			case granted > 2: // paho may call it an error as well
				err = RefusedError{filter}
			case granted < filters[filter] && optional[filter]:
				c.cfg.Log.Info("the broker grants less than was asked for; what is lost does not come again by itself",
					"topic", filter, "qos", granted, "broker", c.cfg.Name)
			case granted < filters[filter]:
				err = fmt.Errorf("the broker grants QoS %d for %q, %d is needed: raise its limit (mosquitto: max_qos)",
					granted, filter, filters[filter])
			}
		}
	}
	if err != nil {
		return fmt.Errorf("subscribe at %s: %w", c.cfg.Name, err)
	}
	return nil
}

// RefusedError means that the broker refuses a subscription.
type RefusedError struct{ Filter string }

func (e RefusedError) Error() string {
	return fmt.Sprintf("the broker refuses %q; check the user's permissions", e.Filter)
}
