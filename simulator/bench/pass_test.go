package bench

import (
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/pass"
)

// Two gates, neither of which reaches the county: a signed pass counts at the gate that
// it names, as often as it says, whatever restarts, and at no other.
func TestACopiedPassPassesNobody(t *testing.T) {
	r := newGateRig(t, Reader{"scanner", "qr-scanner", "in"}, Reader{"other", "qr-scanner", "in"})
	key, _, err := identity.LoadOrCreateCollectorKey(filepath.Dir(r.cfg.CollectorKey))
	if err != nil {
		t.Fatal(err)
	}
	code, err := pass.Sign(pass.Pass{ID: pass.ID{1}, Gate: r.cfg.Agent, Class: "visitor",
		From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Uses: 1}, r.cfg.County, key.Private)
	if err != nil {
		t.Fatal(err)
	}
	show := func(scanner, want string) {
		t.Helper()
		r.measure(3650)
		if err := r.hw.Tap(t.Context(), scanner, code); err != nil {
			t.Fatal(err)
		}
		r.expect("", want)
	}
	show("scanner", "pass normal visitor 36.50")
	r.clock.pass(2 * time.Second) // sooner it is taken for the same person, who taps again
	show("other", "refuse uses-up visitor 36.50")
	r.stop()
	r.start()
	r.seeBackground()
	show("scanner", "refuse uses-up visitor 36.50")
	r.stop()
	r.cfg.Agent, r.cfg.Dir = "gate-002", filepath.Join(t.TempDir(), "journal")
	r.start()
	r.seeBackground()
	show("scanner", "refuse pass-elsewhere  36.50")
}
