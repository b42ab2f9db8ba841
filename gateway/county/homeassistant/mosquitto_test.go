package homeassistant

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/mosquitto"
)

// home is a Home Assistant as far as it listens.
type home struct {
	mu       sync.Mutex
	retained map[string]string
}

func (h *home) take(m mqtt.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.retained[m.Topic] = string(m.Payload); len(m.Payload) == 0 {
		delete(h.retained, m.Topic)
	}
}

func (h *home) until(t *testing.T, what string, is func(map[string]string) bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		h.mu.Lock()
		ok, text := is(h.retained), len(h.retained)
		h.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not %s: %d topics", what, text)
		}
	}
}

func TestARealBrokerKeepsItAndSaysWhenTheCountyIsGone(t *testing.T) {
	broker := mosquitto.Start(t)
	h := &home{retained: map[string]string{}}
	log := slog.New(slog.DiscardHandler)
	run := func(cfg mqtt.Config) (*mqtt.Client, func()) {
		cfg.URL, cfg.Log = broker.URL, log
		c := mqtt.New(cfg)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = c.Run(ctx) }()
		return c, func() { cancel(); <-done }
	}
	_, end := run(mqtt.Config{ClientID: "home", OnMessage: h.take,
		Subscriptions: []mqtt.Subscription{{Filter: "homeassistant/#", QoS: 1}}})
	defer end()
	dir := t.TempDir()
	announce := func(look func(context.Context) (View, error)) (stop func()) {
		a := announcer(t, dir, look)
		c, end := run(mqtt.Config{ClientID: "collector", Hello: a.Hello, Bye: a.Bye, OnUp: a.Up})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = a.Run(ctx, c) }()
		return func() { cancel(); <-done; end() }
	}
	const available = "homeassistant/gatehouse-qinghe/available"
	stop := announce(func(context.Context) (View, error) { return view(), nil })
	h.until(t, "all said", func(m map[string]string) bool { return len(m) == 7 && m[available] == "online" })
	stop()
	h.until(t, "offline", func(m map[string]string) bool { return len(m) == 7 && m[available] == "offline" })
	stop = announce(nil)
	defer stop()
	h.until(t, "taken back", func(m map[string]string) bool { return len(m) == 0 })
}
