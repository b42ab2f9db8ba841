package dashboards

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/wire"
	simulated "gatehouse/simulator/county"
	"gatehouse/simulator/selfsigned"
	"gatehouse/simulator/world"
)

const scrapeToken = "a-token-of-the-scraper-of-a-test"

// live is a collector with the gates gate-001 and gate-002 on simulated hardware, a
// machine, and two gates that the test speaks for: gate-003 is held up, gate-004 has gone.
type live struct {
	desk string // host:port of the desk, with TLS
	dir  string // has ca.crt and metrics.token
}

func newLive(t *testing.T) *live {
	t.Helper()
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	w := world.New(1)
	sites, err := config.Write(w.Sites)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "sites.yaml"), sites, 0o600))
	must(t, selfsigned.Write(filepath.Join(dir, "ca.crt"), filepath.Join(dir, "desk.key")))
	must(t, os.WriteFile(filepath.Join(dir, "metrics.token"), []byte(scrapeToken+"\n"), 0o600))
	listen, err := loopback.Free(t.Context())
	must(t, err)
	l := &live{dir: dir}
	l.desk, err = loopback.Free(t.Context())
	must(t, err)
	cfg := centre.Config{County: world.CountyID, Dir: filepath.Join(dir, "county"),
		Sites: filepath.Join(dir, "sites.yaml"), Broker: centre.Broker{Embedded: &broker.Config{Listen: listen}},
		Desk: &pages.Config{Listen: l.desk, MetricsTokenFile: filepath.Join(dir, "metrics.token"),
			TLS: pages.TLS{Cert: filepath.Join(dir, "ca.crt"), Key: filepath.Join(dir, "desk.key")}}}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	run := func(what string, f func(context.Context) error) {
		wg.Go(func() {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
	run("collector", func(ctx context.Context) error { return centre.Run(ctx, cfg, "test", log) })
	l.awaitReady(t)
	gates := w.Gates[:2]
	for i := range gates {
		gates[i].Thermometer, gates[i].Heated = "gy-mcu90614", true
	}
	c, err := simulated.New(ctx, simulated.Config{Gates: gates, Dir: filepath.Join(dir, "gates"),
		Broker:       "tcp://" + listen,
		CollectorKey: filepath.Join(cfg.Dir, "collector.pub"), SiteKey: filepath.Join(cfg.Dir, "site.key"),
		Speed: 1e-4, From: 3 * time.Hour, Log: log})
	must(t, err)
	run("gates", c.Run)
	run("two more gates", func(ctx context.Context) error { return speakFor(ctx, "tcp://"+listen, log) })
	wg.Go(func() { // people come until the end, so that something is stored all the time
		for ctx.Err() == nil {
			for _, kind := range []string{"fever", "pass"} {
				_, _ = c.Poke(ctx, gates[0].ID, kind) // the gate may not be up yet
			}
			select {
			case <-ctx.Done():
			case <-time.After(3 * time.Second):
			}
		}
	})
	return l
}

// speakFor publishes what gate-003 and gate-004, and a machine, would say.
func speakFor(ctx context.Context, url string, log *slog.Logger) error {
	up := make(chan struct{})
	var once sync.Once
	client := mqtt.New(mqtt.Config{URL: url, ClientID: "others", Log: log,
		OnUp: func() { once.Do(func() { close(up) }) }})
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	select {
	case <-ctx.Done():
		return <-ended
	case <-up:
	}
	say := func(agent string, leaf wire.Leaf, payload []byte, err error) error {
		if err != nil {
			return err
		}
		return client.Publish(mqtt.Message{Topic: wire.Topic(world.CountyID, agent, leaf), Payload: payload, QoS: 1})
	}
	for ctx.Err() == nil {
		now := time.Now()
		oldest, full := wire.At(now.Add(-time.Hour)), int64(5)
		b := wire.Beat{V: 1, At: wire.At(now.Add(-2 * time.Minute)), JID: "0190b1c2-0000-7000-8000-0000000000aa",
			Last: 50, Through: 8, Oldest: &oldest, FullInH: &full,
			Devices:  []wire.BeatDevice{{Name: "reader", State: fact.DeviceGone}},
			Troubles: []wire.Trouble{{Kind: fact.TroubleNoAnswer, Problem: true, Text: "no answer"}}}
		for agent, state := range map[string]fact.LinkState{"gate-003": fact.Online, "gate-004": fact.Offline} {
			status, err := wire.Encode(wire.Status{V: 1, State: state, At: wire.At(now)})
			if err := say(agent, wire.LeafStatus, status, err); err != nil {
				log.Debug("not said", "err", err)
			}
		}
		beat, err := wire.Encode(b)
		if err := say("gate-003", wire.LeafBeat, beat, err); err != nil {
			log.Debug("not said", "err", err)
		}
		report := []byte(`{"v":1,"lat":35.9012,"lon":115.1098,"command":true,"flow_lpm":6.2}`)
		if err := say("fogger-20", wire.LeafReport, report, nil); err != nil {
			log.Debug("not said", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
	}
	return <-ended
}

// awaitReady waits until the desk answers.
func (l *live) awaitReady(t *testing.T) {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // own
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		res, err := client.Get("https://" + l.desk + "/healthz")
		if err == nil {
			res.Body.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the desk does not answer: %v", err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
