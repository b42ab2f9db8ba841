package centre

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/testkit/mosquitto"
)

// heard returns what a broker keeps below homeassistant, as somebody hears it who comes now:
// up to a message of its own, which the broker takes after the subscription. It asks for QoS 0,
// as Home Assistant does: the embedded broker grants no more to anybody but the collector.
func heard(t *testing.T, url string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	const own = "homeassistant/last"
	var mu sync.Mutex
	all := map[string]string{}
	up, last := make(chan struct{}, 10), make(chan struct{}, 10)
	c := mqtt.New(mqtt.Config{URL: url, ClientID: "home", Log: slog.New(slog.DiscardHandler),
		OnMessage: func(m mqtt.Message) {
			if m.Topic == own {
				last <- struct{}{}
				return
			}
			mu.Lock()
			defer mu.Unlock()
			all[m.Topic] = string(m.Payload)
		},
		Subscriptions: []mqtt.Subscription{{Filter: "homeassistant/#"}}, OnUp: func() { up <- struct{}{} }})
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { _ = c.Run(ctx) })
	for heard := false; !heard; {
		select {
		case <-up:
			if err := c.Publish(mqtt.Message{Topic: own, Payload: []byte("x"), QoS: 1}); err != nil {
				t.Logf("publish: %v", err) // up comes again
			}
		case <-last:
			heard = true
		case <-ctx.Done():
			t.Fatalf("nothing comes from %s", url)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	return maps.Clone(all)
}

// until asks again until something is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not %s", what)
		}
	}
}

// A county tells Home Assistant of its gates, over its own broker and over Mosquitto, and takes
// it back when discovery is turned off.
func TestACountyTellsHomeAssistantAndTakesItBack(t *testing.T) {
	address, err := loopback.Free(t.Context())
	must(t, err)
	for name, b := range map[string]Broker{
		"embedded":  {Embedded: &broker.Config{Listen: address}},
		"mosquitto": {External: &mqtt.Broker{URL: mosquitto.Start(t).URL}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, "sites.yaml"), []byte(oneGate), 0o600))
			screen, err := loopback.Free(t.Context())
			must(t, err)
			cfg := Config{County: "qinghe", Dir: filepath.Join(dir, "county"), Sites: filepath.Join(dir, "sites.yaml"),
				Broker: b, Desk: &pages.Config{Listen: screen}, Discovery: "homeassistant"}
			const gate = "homeassistant/device/gatehouse-qinghe-gate-gate-001"
			url := "tcp://" + address
			if b.External != nil {
				url = b.External.URL
			}
			during(t, cfg, func() {
				until(t, "told", func() bool {
					m := heard(t, url)
					return strings.Contains(m[gate+"/config"], `"origin"`) &&
						strings.Contains(m[gate+"/state"], `"alerts":0`) &&
						m["homeassistant/gatehouse-qinghe/available"] == "online"
				})
			})
			cfg.Discovery = ""
			during(t, cfg, func() {
				until(t, "taken back at the broker", func() bool {
					_, err := os.Stat(filepath.Join(cfg.Dir, announcedFile))
					return errors.Is(err, fs.ErrNotExist)
				})
				until(t, "silent", func() bool { return len(heard(t, url)) == 0 })
			})
		})
	}
}

// during runs a county until do returns.
func during(t *testing.T, cfg Config, do func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() {
		if err := Run(ctx, cfg, "test", slog.New(slog.DiscardHandler)); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	do()
}

func TestAWrongDiscoveryIsSaid(t *testing.T) {
	for value, want := range map[string]string{"hass": "write homeassistant", "homeassistant": "give desk"} {
		if err := (Config{County: "c", Dir: "d", Sites: "s", Discovery: value}).Check(); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", value, err)
		}
	}
}
