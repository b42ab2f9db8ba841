package desk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/wire"
)

// A certificate that ends is a trouble of the desk, until it is renewed or revoked.
func TestCertificatesThatEndAreATrouble(t *testing.T) {
	d, _ := newDesk(t)
	ca, err := authority.Create(filepath.Join(t.TempDir(), "ca"), "qinghe")
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.OpenRegistry(t.Context(), registry.Options{County: "qinghe", Authority: ca,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	li := audit.By{Actor: "li", From: audit.Terminal}
	cert, err := r.Issue(t.Context(), "grafana", authority.Reader, &key.PublicKey, li)
	if err != nil {
		t.Fatal(err)
	}
	told := func(at time.Time) (text string) {
		d.judge(at, nil)
		list := d.opts.Health.Troubles(at)
		i := slices.IndexFunc(list, func(t wire.Trouble) bool { return t.Kind == fact.TroubleIdentities })
		if i >= 0 {
			return list[i].Text
		}
		return ""
	}
	soon := cert.NotAfter.AddDate(0, 0, -29)
	if got := told(cert.NotAfter.AddDate(0, 0, -31)); got != "" {
		t.Errorf("31 days before: %q", got)
	}
	want := "grafana (" + cert.NotAfter.UTC().Format(time.DateOnly) + ")"
	for _, at := range []time.Time{soon, cert.NotAfter.Add(time.Hour)} {
		if got := told(at); !strings.Contains(got, want) {
			t.Errorf("at %s: %q, want %q in it", at, got, want)
		}
	}
	if err := r.Revoke(t.Context(), "grafana", li); err != nil {
		t.Fatal(err)
	}
	if got := told(soon); got != "" {
		t.Errorf("revoked: %q", got)
	}
}
