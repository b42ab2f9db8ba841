package bench

import (
	"context"
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
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// verdictsOfScenario is how many passages the scenario has.
const verdictsOfScenario = 17

// enter lets the guard enter a contact thermometer's value for the person of a passage.
func (a *alone) enter(value fact.Temp, of given) {
	a.t.Helper()
	a.must(a.agent.Enter(a.t.Context(), "", wire.Entered{Value: value, With: fact.HandHeldContact, Of: of.Readings}))
}

// answer lets the guard answer a red verdict, as soon as the disk takes it.
func (a *alone) answer(p given) {
	a.t.Helper()
	audit := wire.Audit{Actor: "guard", Action: "isolate", Passage: p.seq}
	var err error
	for end := time.Now().Add(aloneWithin); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = a.agent.Note(a.t.Context(), audit); err == nil {
			return
		}
	}
	a.t.Fatal(err)
}

// scenario is a morning with everything that a gate decides on. The agent is restarted
// between card and measurement, with a fever that is not settled, and with somebody who
// has not tapped yet.
func (a *alone) scenario() {
	a.next()
	a.tap("out", "6200000001")
	a.asked(gate.WantsTemperature)
	a.restart()
	a.measure(3650)
	a.await("pass normal")
	a.next()
	a.tap("out", "6200000002")
	a.await("refuse quota-used")
	a.measure(3660)
	a.await("refuse quota-used")
	a.next()
	a.tap("in", "6200000005")
	a.asked(gate.WantsTemperature)
	a.measure(3340)
	cold := a.await("invalid too-cold")
	a.enter(3660, cold)
	a.await("pass normal+entered")
	a.next()
	a.tap("in", "6200000006")
	a.await("refuse purpose")
	a.next()
	a.feverOfAResident()
	a.next()
	a.tap("out", "6200000003")
	a.await("refuse sealed-household")
	a.next()
	a.tap("in", "6200000003")
	a.asked(gate.WantsTemperature)
	a.measure(3650)
	a.await("pass normal+sealed-entry")
	a.next()
	a.tap("in", "6200000004")
	a.await("refuse lost-card")
	a.next()
	a.tap("in", "99ABCDEF01")
	a.await("refuse unknown-card")
	a.next()
	a.feverOfAVisitor()
	a.next()
	a.measure(3650) // and they don't tap
	a.asked(gate.WantsCard)
	a.restart()
	a.next()
	a.await("refuse no-card")
}

// feverOfAResident is a fever without a card, which is named, and settled by the guard
// after a restart.
func (a *alone) feverOfAResident() {
	a.measure(3840)
	a.await("fever fever")
	a.tap("in", "6200000001")
	named := a.await("fever fever")
	a.answer(named)
	a.next()
	a.restart()
	a.next()
	a.tap("in", "6200000001")
	a.enter(3660, a.await("retest too-early"))
	a.await("pass normal+entered")
}

// feverOfAVisitor is a fever that the guard confirms.
func (a *alone) feverOfAVisitor() {
	a.tap("in", "6200000007")
	a.asked(gate.WantsTemperature)
	a.measure(3840)
	first := a.await("fever fever")
	a.enter(3840, first)
	a.await("fever fever+entered")
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
	if got := without.decisions(); !slices.Equal(got, with) || count(got) != verdictsOfScenario {
		t.Errorf("without the county, %d verdicts:\n%s\nwith it, %d:\n%s", count(got), strings.Join(got, "\n"),
			count(with), strings.Join(with, "\n"))
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
	for end := time.Now().Add(aloneWithin); !linked(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the county does not answer")
		}
	}
	a.scenario()
	s, err := archive.OpenReadOnly(filepath.Join(cfg.Dir, centre.StoreFile))
	a.must(err)
	defer s.Close()
	for end := time.Now().Add(aloneWithin); ; time.Sleep(50 * time.Millisecond) {
		stored := 0
		for row, err := range s.Rows(t.Context(), store.Query{}) {
			a.must(err)
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
