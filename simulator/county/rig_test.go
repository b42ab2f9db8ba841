package county

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/cli/feed"
	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/clerk"
	"gatehouse/simulator/world"
)

// rig is a county in this process: collector, broker, SQLite and three gates
// at which people come only when poked.
type rig struct {
	t      *testing.T
	county *County
	db     string // the store's file
	desk   string // the desk's file
	feed   *feed.Feed
	mu     sync.Mutex
	items  []feed.Item
}

func newRig(t *testing.T, stage bool) *rig {
	t.Helper()
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	listen, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gates, cfg := testConfig(t, dir, listen)
	if cfg.Desk.Listen, err = loopback.Free(t.Context()); err != nil {
		t.Fatal(err)
	}
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
	r := &rig{t: t, db: filepath.Join(cfg.Dir, centre.StoreFile),
		desk: filepath.Join(cfg.Dir, centre.DeskFile), feed: feed.New()}
	client, up := r.subscribe("tcp://" + listen)
	run("feed", client.Run)
	select {
	case <-up:
	case <-time.After(30 * time.Second):
		t.Fatal("the broker did not come up")
	}
	var on Stage
	if stage {
		on.Gates = []string{gates[0].ID, gates[1].ID, gates[2].ID}
		on.Desk = clerk.New("http://"+cfg.Desk.Listen, "clerk", r.invite)
	}
	r.county, err = New(ctx, Config{
		Stage:        on,
		Gates:        gates,
		Dir:          filepath.Join(dir, "gates"),
		Broker:       "tcp://" + listen,
		CollectorKey: filepath.Join(cfg.Dir, "collector.pub"),
		SiteKey:      filepath.Join(cfg.Dir, "site.key"),
		Speed:        1e-4, // the first person comes after hours
		From:         3 * time.Hour,
		Log:          log,
	})
	if err != nil {
		t.Fatal(err)
	}
	run("gates", r.county.Run)
	for _, g := range gates { // the thermometers work when their state is stored
		r.awaitRow(g.ID, `"device":"thermometer"`, `"state":"ok"`)
	}
	return r
}

// testConfig writes the site file and returns three gates with serial and I²C
// thermometers and the collector's configuration.
func testConfig(t *testing.T, dir, listen string) ([]world.Gate, centre.Config) {
	t.Helper()
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
	return gates, centre.Config{
		County: world.CountyID,
		Dir:    filepath.Join(dir, "county"),
		Sites:  filepath.Join(dir, "sites.yaml"),
		Broker: centre.Broker{Embedded: &broker.Config{Listen: listen}},
		Desk:   &pages.Config{Listen: "127.0.0.1:0"},
	}
}

// subscribe returns a client that adds the live feed's items, and a channel that
// is closed when it is subscribed.
func (r *rig) subscribe(url string) (*mqtt.Client, <-chan struct{}) {
	up := make(chan struct{})
	var once sync.Once
	return mqtt.New(mqtt.Config{
		URL:           url,
		ClientID:      "test",
		Log:           slog.New(slog.DiscardHandler),
		Subscriptions: []mqtt.Subscription{{Filter: wire.Topic(world.CountyID, "+", wire.LeafRecords)}},
		OnUp:          func() { once.Do(func() { close(up) }) },
		OnMessage: func(m mqtt.Message) {
			r.mu.Lock()
			defer r.mu.Unlock()
			items, err := r.feed.Take(m.Topic, m.Payload, m.Retained)
			if err != nil {
				r.t.Errorf("%s: %v", m.Topic, err)
			}
			r.items = append(r.items, items...)
		},
	}), up
}

// invite returns a link with which one becomes a user of the desk.
func (r *rig) invite(ctx context.Context, base string) (string, error) {
	f, err := desk.OpenFile(r.desk)
	if err != nil {
		return "", err
	}
	defer f.Close()
	token, err := people.New(f, time.Now).Invite(ctx, people.Operator(), people.Duty)
	return base + "/setup#" + token, err
}

// id returns the id of the nth gate.
func (r *rig) id(n int) string { return r.county.cfg.Gates[n].ID }

func (r *rig) poke(gate int, kind string) {
	r.t.Helper()
	if _, err := r.county.Poke(r.t.Context(), r.id(gate), kind); err != nil {
		r.t.Fatal(err)
	}
}

// awaitItem waits for an item of the live feed.
func (r *rig) awaitItem(what string, match func(feed.Item) bool) feed.Item {
	r.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		i := slices.IndexFunc(r.items, match)
		var item feed.Item
		if i >= 0 {
			item = r.items[i]
		}
		r.mu.Unlock()
		if i >= 0 {
			return item
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Fatalf("not in the feed: %s; it has %+v", what, r.items)
	return feed.Item{}
}

func (r *rig) awaitAlarm(gate int, kind, state string) {
	r.t.Helper()
	r.awaitItem(kind+" "+state, func(i feed.Item) bool {
		return i.Agent == r.id(gate) && i.What == "alarm" && i.Type == kind && i.State == state
	})
}

func (r *rig) awaitPassage(gate int, v fact.Verdict, reason string) {
	r.t.Helper()
	r.awaitItem(reason, func(i feed.Item) bool {
		return i.Agent == r.id(gate) && i.What == "passage" && i.Verdict == v && strings.Contains(i.Detail, reason)
	})
}

// awaitRow waits for a committed row of the agent that contains all texts.
func (r *rig) awaitRow(agent string, texts ...string) {
	r.t.Helper()
	s, err := archive.OpenReadOnly(r.db)
	if err != nil {
		r.t.Fatal(err)
	}
	defer s.Close()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		for row, err := range s.Rows(r.t.Context(), store.Query{}) {
			if err != nil {
				r.t.Fatal(err)
			}
			all := row.Agent == agent
			for _, text := range texts {
				all = all && strings.Contains(string(row.Raw), text)
			}
			if all {
				return
			}
		}
	}
	r.t.Fatalf("no committed row of %s contains %q", agent, texts)
}
