package retire

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/wire"
)

var now = time.Date(2020, 4, 8, 0, 0, 0, 0, time.UTC)

var county = ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))

// gate is a gate's folder.
type gate struct {
	t   *testing.T
	dir string
	key crypto.Signer
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{t: t, dir: t.TempDir()}
	for _, name := range []string{"policy.yaml", "roster.csv", "site.key", "broker.password", "agent.crt",
		"county-ca.crt", "collector.pub", "agent.yaml", "photo.png", "journal/000001.seg", "journal/state.json",
		"journal/damaged/x",
		"journal/rules"} {
		path := g.path(name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if g.key, _, err = identity.LoadOrCreateKey(g.path("agent.key")); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *gate) path(name string) string { return filepath.Join(g.dir, name) }

func (g *gate) paths(names ...string) (out []string) {
	for _, name := range names {
		out = append(out, g.path(name))
	}
	return out
}

var needed = []string{"broker.password", "collector.pub", "county-ca.crt", "agent.crt", "agent.key", "agent.yaml"}

// open starts the agent again.
func (g *gate) open() *Retirement {
	g.t.Helper()
	r, err := Open(Options{County: "qinghe", Agent: "gate-001", Collector: county.Public().(ed25519.PublicKey),
		Own: func() (crypto.Signer, error) { return identity.LoadKey(g.path("agent.key")) }, Dir: g.path("journal"),
		Files: g.paths("policy.yaml", "roster.csv", "site.key", "agent.key", "guards.csv"), Needed: g.paths(needed...),
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

func (g *gate) order(receipt string) []byte {
	g.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(g.key.Public())
	if err != nil {
		g.t.Fatal(err)
	}
	o := wire.Retire{V: 1, ID: strings.Repeat("4d", 16), Key: wire.KeySum(der), At: wire.At(now), Receipt: receipt}
	b, err := wire.Encode(wire.SignRetire(o, "qinghe", "gate-001", county))
	if err != nil {
		g.t.Fatal(err)
	}
	return b
}

// left returns what is in the folder.
func (g *gate) left() (names []string) {
	err := filepath.WalkDir(g.dir, func(path string, _ os.DirEntry, err error) error {
		if name, _ := filepath.Rel(g.dir, path); name != "." {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return names
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// A gate that is killed between any two steps goes on at the next start, and in the end
// nothing is left but what says so. Its own key goes last but the configuration.
func TestAGateEndsWhereverItIsKilled(t *testing.T) {
	for killed := range needed {
		g := newGate(t)
		must(t, g.open().Hear(g.order("")))
		must(t, g.open().Delivered("3f2b8a52-6c1d-4e0f-9a77-0d3c5b1e8f42", 12))
		must(t, os.Remove(g.path("roster.csv"))) // killed here
		// the first attempt has kept its list before it has removed anything
		r := g.open()
		must(t, r.Destroy(now))
		receipt, err := wire.Decode[wire.Retired](g.open().Receipt())
		must(t, err)
		public, _ := g.key.Public().(*ecdsa.PublicKey)
		must(t, wire.VerifyRetired(receipt, "qinghe", "gate-001", public))
		if receipt.Through != 12 || !slices.Contains(receipt.Destroyed, "site.key") ||
			!slices.Contains(receipt.Destroyed, "journal/000001.seg") || !slices.Equal(receipt.Next, needed) {
			t.Errorf("the receipt is %+v", receipt)
		}
		want := append([]string{"photo.png", "journal", "journal/retire.json"}, needed...)
		if got := g.left(); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("before the county has the receipt the gate holds %q", got)
		}
		if ok, err := g.open().Acknowledged(g.order(strings.Repeat("00", 32))); ok || err != nil {
			t.Errorf("another receipt ends it: %t, %v", ok, err)
		}
		if ok, err := g.open().Acknowledged(g.order(sumOf(g.open().Receipt()))); !ok || err != nil {
			t.Fatalf("its receipt does not end it: %t, %v", ok, err)
		}
		for _, name := range needed[:killed] { // killed when these were gone
			must(t, os.Remove(g.path(name)))
		}
		must(t, g.open().Finish())
		if got := g.left(); !slices.Equal(got, []string{"photo.png", DoneFile}) {
			t.Errorf("killed after %d files, the gate holds %q", killed, got)
		}
		if agent, err := Tidy(g.path("agent.yaml")); agent != "gate-001" || err != nil {
			t.Errorf("the next start says %q, %v", agent, err)
		}
	}
}

// Killed when the configuration was gone already, and the folder of the journal was not.
func TestTheVeryLastStep(t *testing.T) {
	g := newGate(t)
	r := g.open()
	must(t, r.Hear(g.order("")), r.Delivered("j", 1), r.Destroy(now))
	_, err := r.Acknowledged(g.order(sumOf(r.Receipt())))
	must(t, err)
	b, err := os.ReadFile(g.path("journal/retire.json"))
	must(t, err, r.Finish(), os.Mkdir(g.path("journal"), 0o700), os.WriteFile(g.path("journal/retire.json"), b, 0o600))
	if agent, err := Tidy(g.path("agent.yaml")); agent != "gate-001" || err != nil {
		t.Errorf("%q, %v", agent, err)
	}
	if got := g.left(); !slices.Equal(got, []string{"photo.png", DoneFile}) {
		t.Errorf("it holds %q", got)
	}
}

// Nothing forged, foreign or of an earlier enrolment ends a gate.
func TestOnlyTheCountyEndsAGate(t *testing.T) {
	g, other := newGate(t), newGate(t)
	forged, err := wire.Decode[wire.Retire](g.order(""))
	must(t, err)
	forged.At = wire.At(now.Add(time.Hour))
	bad, err := wire.Encode(forged)
	must(t, err)
	for name, x := range map[string]struct {
		payload []byte
		want    error
	}{"forged": {bad, wire.ErrSignature}, "of another key": {other.order(""), ErrOther}, "nothing": {nil, nil}} {
		if err := g.open().Hear(x.payload); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := g.open().Hear([]byte(`{"v":1}`)); err == nil {
		t.Error("what is none is taken")
	}
	if stage := g.open().Stage(); stage != None {
		t.Errorf("the gate is %s", stage)
	}
	// The order is out, and the gate is enrolled again before it has delivered.
	must(t, g.open().Hear(g.order("")), os.Remove(g.path("agent.key")))
	if _, _, err := identity.LoadOrCreateKey(g.path("agent.key")); err != nil {
		t.Fatal(err)
	}
	r := g.open()
	if stage := r.Stage(); stage != None {
		t.Errorf("enrolled again, the gate is %s", stage)
	}
	if err := r.Hear(g.order("")); !errors.Is(err, ErrOther) {
		t.Errorf("the order of before: %v", err)
	}
	must(t, os.WriteFile(g.path("journal/retire.json"), []byte("{"), 0o600))
	_, err = Open(Options{Dir: g.path("journal")})
	if err == nil || !strings.Contains(err.Error(), "remove that file") {
		t.Errorf("a file that can't be read: %v", err)
	}
}
