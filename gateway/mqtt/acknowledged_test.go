package mqtt_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/mosquitto"
)

// A broker that is frozen acknowledges nothing: neither the end of the context nor that of the
// connection counts as its answer.
func TestOnlyAPubackIsAnAcknowledgement(t *testing.T) {
	b := mosquitto.Start(t)
	p := connect(t, mqtt.Config{URL: b.URL, ClientID: "sender"})
	await(t, "connection", p.up, 30*time.Second)
	m := mqtt.Message{Topic: "x", Payload: []byte("1"), QoS: 1}
	if err := p.PublishAcknowledged(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	b.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := p.PublishAcknowledged(ctx, m); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a frozen broker: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.PublishAcknowledged(t.Context(), m) }()
	b.Kill()
	if err := await(t, "the end of the connection", ended, 30*time.Second); err == nil {
		t.Error("a broker that was killed has acknowledged")
	}
}
