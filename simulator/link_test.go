package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// The link is printed again after the last gate has come online, not before.
func TestTheLinkIsPrintedAgainWhenAllGatesAreOnline(t *testing.T) {
	b, err := broker.Start(t.Context(), broker.Config{
		Listen: "127.0.0.1:0",
		Dir:    t.TempDir(),
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	d := demo{listen: b.Addr(), desk: "127.0.0.1:8080"}
	d.flags.gates, d.flags.dir = 3, "there"
	var out bytes.Buffer
	reminded := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { defer close(reminded); d.remind(ctx, &out, "http://link") }()
	up := make(chan struct{})
	client := mqtt.New(mqtt.Config{URL: "tcp://" + b.Addr(), ClientID: "gates", Log: slog.New(slog.DiscardHandler),
		OnUp: func() { close(up) }})
	ended := make(chan struct{})
	go func() { defer close(ended); _ = client.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	<-up
	for _, x := range []struct {
		agent string
		state fact.LinkState
	}{
		{"gate-001", "online"},
		{"gate-001", "online"},
		{"station", "online"},
		{"gate-002", "online"},
		{"gate-003", "offline"},
		{"gate-003", "online"},
	} {
		select {
		case <-reminded:
			t.Fatalf("printed before %+v", x)
		default:
		}
		payload, err := wire.Encode(wire.Status{V: 1, State: x.state, At: wire.At(time.Now())})
		if err == nil {
			err = client.Publish(mqtt.Message{
				Topic:    wire.Topic(world.CountyID, x.agent, wire.LeafStatus),
				Payload:  payload,
				QoS:      1,
				Retained: true,
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	<-reminded
	for _, want := range []string{fmt.Sprint(3, " gates"), "http://link", "there/desk-link.txt", "127.0.0.1:8080"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the reminder lacks %q:\n%s", want, out.String())
		}
	}
}
