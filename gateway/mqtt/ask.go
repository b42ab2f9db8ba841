package mqtt

import (
	"fmt"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Subscribe adds a subscription of QoS 0 to the connection that is up, and returns when the
// broker has granted it. It ends with Unsubscribe and with the connection. Without a
// connection it returns ErrOffline, and a RefusedError when the broker refuses it. It must
// not be called from OnMessage.
func (c *Client) Subscribe(filter string) error {
	client := c.connected()
	if client == nil {
		return ErrOffline
	}
	token := client.Subscribe(filter, 0, nil)
	err := wait(token, connectTimeout)
	if sub, ok := token.(*paho.SubscribeToken); ok && sub.Result()[filter] > 2 {
		return RefusedError{filter}
	}
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", filter, err)
	}
	return nil
}

// Unsubscribe ends what Subscribe has begun.
func (c *Client) Unsubscribe(filter string) error {
	client := c.connected()
	if client == nil {
		return ErrOffline
	}
	if err := wait(client.Unsubscribe(filter), connectTimeout); err != nil {
		return fmt.Errorf("unsubscribe from %s: %w", filter, err)
	}
	return nil
}

// connected returns the connection that is up, or nil.
func (c *Client) connected() paho.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}
