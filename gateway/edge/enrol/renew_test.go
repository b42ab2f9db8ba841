package enrol

import (
	"crypto/ecdsa"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/identity/authority"
)

// A gate that finds its certificate ended asks for another one at once, and not only within
// the hour.
func TestACertificateThatHasEnded(t *testing.T) {
	dir := t.TempDir()
	r := &Renewer{identity: Identity{Cert: filepath.Join(dir, "agent.crt")}}
	now := time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)
	if r.ended(now) {
		t.Error("a certificate that is not there has ended")
	}
	ca, err := authority.Create(filepath.Join(dir, "ca"), "qinghe")
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := identity.LoadOrCreateKey(filepath.Join(dir, "agent.key"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue("gate-001", authority.Agent, key.Public().(*ecdsa.PublicKey), now)
	if err != nil {
		t.Fatal(err)
	}
	if err := identity.Replace(r.identity.Cert, identity.PEM(cert.Raw)); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]bool{0: false, authority.Life - time.Second: false,
		authority.Life: true, authority.Life + authority.Grace: true} {
		if got := r.ended(now.Add(after)); got != want {
			t.Errorf("%s after it was issued: ended %v, want %v", after, got, want)
		}
	}
}
