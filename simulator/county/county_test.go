package county

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/cli/feed"
	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// whole is a county in this process: collector, broker, SQLite and three gates
// at which nobody comes unless poked.
type whole struct {
	t      *testing.T
	county *County
	db     string
	mu     sync.Mutex
	items  []feed.Item
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func start(t *testing.T) *whole {
	t.Helper()
	dir, listen, log := t.TempDir(), free(t), slog.New(slog.DiscardHandler)
	w := world.New(1)
	gates := []world.Gate{w.Gates[0], w.Gates[1], w.Gates[2]}
	for i, model := range []string{"gy-mcu90614", "mlx90614", "gy-mcu90614"} {
		gates[i].Thermometer, gates[i].Heated = model, true
	}
	sites, err := config.Write(w.Sites)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sites.yaml"), sites, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := centre.Config{
		County: world.CountyID,
		Dir:    filepath.Join(dir, "county"),
		Sites:  filepath.Join(dir, "sites.yaml"),
		Broker: centre.Broker{Embedded: &broker.Config{Listen: listen}},
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	wg.Go(func() {
		if err := centre.Run(ctx, cfg, "test", log); err != nil {
			t.Errorf("collector: %v", err)
		}
	})
	x := &whole{t: t, db: filepath.Join(cfg.Dir, centre.StoreFile)}
	shown, up := feed.New(), make(chan struct{}, 10)
	client := mqtt.New(mqtt.Config{URL: "tcp://" + listen, ClientID: "test", Log: log,
		Subscriptions: []mqtt.Subscription{{Filter: wire.Topic(world.CountyID, "+", wire.LeafRecords)}},
		OnUp:          func() { up <- struct{}{} },
		OnMessage: func(m mqtt.Message) {
			x.mu.Lock()
			defer x.mu.Unlock()
			items, err := shown.Take(m.Topic, m.Payload, m.Retained)
			if err != nil {
				t.Errorf("%s: %v", m.Topic, err)
			}
			x.items = append(x.items, items...)
		}})
	wg.Go(func() { _ = client.Run(ctx) })
	select {
	case <-up:
	case <-time.After(30 * time.Second):
		t.Fatal("the broker did not come up")
	}
	x.county, err = New(ctx, Config{Gates: gates, Dir: filepath.Join(dir, "gates"), Broker: "tcp://" + listen,
		CollectorKey: filepath.Join(cfg.Dir, "collector.pub"), SiteKey: filepath.Join(cfg.Dir, "site.key"),
		Speed: 1e-6, From: 3 * time.Hour, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() {
		if err := x.county.Run(ctx); err != nil {
			t.Errorf("gates: %v", err)
		}
	})
	for _, g := range gates { // the thermometers are up when their state is known
		x.stored(g.ID, `"device":"thermometer"`, `"state":"ok"`)
	}
	return x
}

func (x *whole) poke(gate int, kind string) {
	x.t.Helper()
	if _, err := x.county.Poke(x.t.Context(), x.county.cfg.Gates[gate].ID, kind); err != nil {
		x.t.Fatal(err)
	}
}

// shown waits for an item of the live feed.
func (x *whole) shown(what string, match func(feed.Item) bool) feed.Item {
	x.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		x.mu.Lock()
		for _, i := range x.items {
			if match(i) {
				x.mu.Unlock()
				return i
			}
		}
		x.mu.Unlock()
	}
	x.t.Fatalf("never shown: %s; shown: %+v", what, x.items)
	return feed.Item{}
}

// stored waits for a committed row of the agent that holds all texts.
func (x *whole) stored(agent string, texts ...string) {
	x.t.Helper()
	s, err := archive.OpenReadOnly(x.db)
	if err != nil {
		x.t.Fatal(err)
	}
	defer s.Close()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		for r, err := range s.Rows(x.t.Context(), store.Query{}) {
			if err != nil {
				x.t.Fatal(err)
			}
			all := r.Agent == agent
			for _, text := range texts {
				all = all && strings.Contains(string(r.Raw), text)
			}
			if all {
				return
			}
		}
	}
	x.t.Fatalf("no committed row of %s holds %q", agent, texts)
}

func passage(agent string, v fact.Verdict, reason string) func(feed.Item) bool {
	return func(i feed.Item) bool {
		return i.Agent == agent && i.What == "passage" && i.Verdict == v && strings.Contains(i.Detail, reason)
	}
}

func TestFromBytesToACommittedRow(t *testing.T) {
	x := start(t)
	id := func(n int) string { return x.county.cfg.Gates[n].ID }
	t.Run("a fever alarms, on either thermometer", func(t *testing.T) {
		for n := range 2 {
			x.poke(n, "fever")
			x.shown("the fever's alarm", func(i feed.Item) bool {
				return i.Agent == id(n) && i.What == "alarm" && i.Type == "fever" && i.State == "raised"
			})
			x.stored(id(n), `"kind":"passage"`, `"verdict":"fever"`, `"instruction":"go-home"`, `"screening_c":38.4`)
			x.stored(id(n), `"kind":"alarm"`, `"type":"fever"`)
			if g := x.county.gates[id(n)]; !g.hw.Lit("GPIO22") || g.hw.Lit("GPIO17") || g.hw.Lit("GPIO24") {
				t.Errorf("%s: red %v, green %v, barrier %v",
					id(n), g.hw.Lit("GPIO22"), g.hw.Lit("GPIO24"), g.hw.Lit("GPIO17"))
			}
		}
	})
	t.Run("the cold are not judged and the unknown do not pass", func(t *testing.T) {
		x.poke(0, "cold")
		x.shown("too cold", passage(id(0), fact.VerdictInvalid, "too-cold"))
		x.poke(1, "unknown-card")
		x.shown("unknown card", passage(id(1), fact.VerdictRefuse, "unknown-card"))
	})
	t.Run("an unplugged thermometer alarms and recovers", func(t *testing.T) {
		x.poke(0, "unplug")
		x.poke(1, "sensor-fault")
		for n, kind := range map[int]string{0: "device-gone", 1: "device-fault"} {
			for _, state := range []string{"raised", "cleared"} {
				x.shown(kind+" "+state, func(i feed.Item) bool {
					return i.Agent == id(n) && i.What == "alarm" && i.Type == kind && i.State == state
				})
			}
		}
	})
	t.Run("a gate whose line is cut decides, and delivers later", func(t *testing.T) {
		x.poke(2, "cut")
		x.poke(2, "fever")
		g := x.county.gates[id(2)]
		for deadline := time.Now().Add(10 * time.Second); !g.hw.Lit("GPIO22"); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the red lamp is dark")
			}
		}
		i := x.shown("the alarm, later", func(i feed.Item) bool { return i.Agent == id(2) && i.Type == "fever" })
		if late := time.Since(i.At.Time); late < 5*time.Second {
			t.Errorf("the line was not cut: the alarm came after %s", late)
		}
		x.stored(id(2), `"verdict":"fever"`)
	})
	t.Run("no card number is stored", func(t *testing.T) {
		s, err := archive.OpenReadOnly(x.db)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		n := 0
		for r, err := range s.Rows(t.Context(), store.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			for _, g := range x.county.cfg.Gates {
				if strings.Contains(string(r.Raw), g.Cards[0].Code) {
					t.Fatalf("a stored record holds a card number: %s", r.Raw)
				}
			}
		}
		if n < 10 {
			t.Fatalf("%d rows only", n)
		}
	})
}

func TestPokesThatCannotBeAreAnswered(t *testing.T) {
	c := &County{
		cfg: Config{Gates: []world.Gate{{ID: "gate-001"}}},
		gates: map[string]*gate{"gate-001": {Gate: world.Gate{
			ID:    "gate-001",
			Cards: []world.Card{{Code: "6200000000"}},
		}}},
	}
	socket := filepath.Join(t.TempDir(), "s")
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- c.Serve(ctx, socket) }()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil || time.Now().After(deadline) {
			break
		}
	}
	for _, q := range [][3]string{
		{"gate-999", "fever", "there is no gate"},
		{"gate-001", "flood", "can't be made to happen"},
	} {
		if _, err := Ask(ctx, socket, q[0], q[1]); err == nil || !strings.Contains(err.Error(), q[2]) {
			t.Errorf("%v gives %v", q, err)
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	if _, err := Ask(t.Context(), socket, "gate-001", "fever"); err == nil ||
		!strings.Contains(err.Error(), "make demo") {
		t.Errorf("without a demo: %v", err)
	}
}
