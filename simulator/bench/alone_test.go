package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// verdictsOfScenario is how many passages the scenario has.
const verdictsOfScenario = 15

// scenario is a morning with everything that a gate decides on, and a restart.
func (a *alone) scenario() {
	ctx := a.t.Context()
	a.tap("out", "6200000001")
	a.measure(3650, 2000)
	a.await("pass normal")
	a.later(3 * time.Second)
	a.tap("out", "6200000002")
	a.await("refuse quota-used")
	a.measure(3660, 2000)
	a.await("refuse quota-used")
	a.later(3 * time.Second)
	a.tap("in", "6200000005")
	a.measure(3340, 2000)
	cold := a.await("invalid too-cold")
	a.must(a.agent.Enter(ctx, "", wire.Entered{Value: 3660, With: fact.HandHeldContact, Of: cold.Readings}))
	a.await("pass normal+entered")
	a.later(3 * time.Second)
	a.tap("in", "6200000006")
	a.await("refuse purpose")
	a.measure(3650, 2000)
	a.await("refuse purpose")
	a.later(3 * time.Second)
	a.measure(3840, 2000)
	a.await("fever fever")
	a.tap("in", "6200000001")
	a.await("fever fever")
	a.must(a.agent.Note(ctx, wire.Audit{Actor: "guard", Action: "isolate", Passage: 1}))
	a.later(9 * time.Second)
	a.stop()
	a.start()
	a.tap("out", "6200000003")
	a.await("refuse sealed-household")
	a.later(9 * time.Second)
	a.tap("in", "6200000003")
	a.measure(3650, 2000)
	a.await("pass normal+sealed-entry")
	a.later(3 * time.Second)
	a.tap("in", "6200000004")
	a.await("refuse lost-card")
	a.later(9 * time.Second)
	a.tap("in", "99ABCDEF01")
	a.await("refuse unknown-card")
	a.tap("out", "6200000002")
	a.await("refuse quota-used")
	a.later(9 * time.Second)
	a.tap("in", "6200000001") // who had a fever is measured again
	a.measure(3600, 2000)
	a.await("pass normal")
	a.later(3 * time.Second)
}

// decisions returns the records of verdicts and alarms as the journal has them: seq, kind
// and body. What depends on when bytes arrived, on real ports, is left out or rounded:
// latency_us and duration_ms are measured durations; the instants in a basis are those
// at which a reading came, and are rounded up to the second, to which the test's clock
// is set.
func (a *alone) decisions() (out []string) {
	a.t.Helper()
	a.stop()
	v, err := journal.Look(a.cfg.Dir)
	a.must(err)
	defer v.Close()
	c, err := v.Read(1, 10000, 1<<22)
	a.must(err)
	for _, e := range c.Entries {
		body, err := e.Record.DecodeBody()
		a.must(err)
		if p, ok := body.(*wire.Passage); ok {
			p.LatencyUS = 0
			if p.Temperature != nil {
				p.Temperature.DurationMS = 0
			}
			if p.Basis != nil {
				for _, at := range []*wire.Time{p.Basis.At, p.Basis.Last} {
					if at != nil {
						at.Time = at.Add(time.Second - 1).Truncate(time.Second)
					}
				}
			}
		}
		if k := body.Kind(); k != wire.KindPassage && k != wire.KindAlarm && k != wire.KindAudit {
			continue
		}
		b, err := json.Marshal(body)
		a.must(err)
		out = append(out, fmt.Sprintf("%d %s %s", e.Record.Seq, body.Kind(), b))
	}
	return out
}

// Whether collector and broker run, or neither does for the whole scenario: the same
// readings give the same records of verdicts, byte for byte.
func TestVerdictsAreTheSameWithoutTheCounty(t *testing.T) {
	dir := t.TempDir()
	listen, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cfg := centre.Config{County: "qinghe", Dir: filepath.Join(dir, "county"), Sites: filepath.Join(dir, "sites.yaml"),
		Broker: centre.Broker{Embedded: &broker.Config{Listen: listen}}}
	sites, err := config.Write(world.New(1).Sites)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.Sites, sites, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := identity.LoadOrCreateCollectorKey(cfg.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.CreateSiteKey(filepath.Join(cfg.Dir, "site.key")); err != nil {
		t.Fatal(err)
	}
	with := withTheCounty(t, cfg, listen)
	without := newAlone(t, cfg.Dir, "tcp://"+listen) // nobody listens there any more
	without.scenario()
	got, want := without.decisions(), with
	if !slices.Equal(got, want) || len(got) < verdictsOfScenario {
		t.Errorf("without the county:\n%s\nwith it:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// withTheCounty plays the scenario at a gate that delivers to a county, and stops the
// county when it has stored each verdict.
func withTheCounty(t *testing.T, cfg centre.Config, listen string) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- centre.Run(ctx, cfg, "test", slog.New(slog.DiscardHandler)) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the county: %v", err)
		}
	}()
	a := newAlone(t, cfg.Dir, "tcp://"+listen)
	linked := func() bool { return a.agent.Board().Snapshot().Delivery.Linked }
	for end := time.Now().Add(30 * time.Second); !linked(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the county does not answer")
		}
	}
	a.scenario()
	s, err := archive.OpenReadOnly(filepath.Join(cfg.Dir, centre.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		stored := 0
		for row, err := range s.Rows(t.Context(), store.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Kind == wire.KindPassage {
				stored++
			}
		}
		if stored == verdictsOfScenario {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the county has %d verdicts", stored)
		}
	}
	return a.decisions()
}
