package mqtt_test

import (
	"testing"
	"time"

	"gatehouse/gateway/mqtt"
)

// The permissions may be older than the topic: what else is sent goes on.
func TestARefusedSubscriptionThatIsOptionalIsAConnection(t *testing.T) {
	b := restricted(t, "gate-001")
	c := connect(t, mqtt.Config{URL: "tcp://" + b.Addr(), ClientID: "gate-001", Username: "gate-001",
		Password: "secret", Subscriptions: []mqtt.Subscription{{Filter: "gatehouse/v1/c/gate-001/ack"},
			{Filter: "gatehouse/v1/c/gate-002/desk", Optional: true}}})
	await(t, "connection", c.up, 20*time.Second)
}
