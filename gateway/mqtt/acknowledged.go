package mqtt

import (
	"context"
	"fmt"
)

// PublishAcknowledged publishes m, whose QoS is 1, and returns when the broker has answered with
// a PUBACK. It returns an error when the connection ends before (ErrOffline when there is none),
// or ctx; m may have arrived even so.
func (c *Client) PublishAcknowledged(ctx context.Context, m Message) error {
	token, err := c.publish(m)
	if err != nil {
		return err
	}
	select {
	case <-token.Done():
		err = token.Error()
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("publish on %s: %w", m.Topic, err)
	}
	return nil
}
