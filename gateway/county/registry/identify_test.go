package registry

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"gatehouse/gateway/identity/authority"
)

// certificate returns the one that counts for an agent.
func (b *bench) certificate(agent string) *x509.Certificate {
	b.t.Helper()
	i, _ := b.Lookup(agent)
	cert, err := x509.ParseCertificate(i.Certificate)
	if err != nil {
		b.t.Fatal(err)
	}
	return cert
}

func (b *bench) identifies(what, name string, cert *x509.Certificate, want error) {
	b.t.Helper()
	kind, err := b.Identify(name, cert, b.now)
	is(b.t, what, err, want)
	if err == nil && kind != authority.Agent {
		b.t.Errorf("%s: the kind is %q", what, kind)
	}
}

func TestCertificatesThatCount(t *testing.T) {
	b := newBench(t)
	g := b.enrol("gate-001")
	b.enrol("gate-002")
	first := b.certificate("gate-001")
	b.identifies("its own", "gate-001", first, nil)
	b.identifies("another's", "gate-002", first, ErrForeign)
	b.identifies("nobody's", "gate-003", first, ErrForeign)
	about := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "gate-001"},
		NotBefore: t0, NotAfter: t0.AddDate(1000, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, about, about, g.key.Public(), g.key)
	if err != nil {
		t.Fatal(err)
	}
	longer, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	b.identifies("made with its own key, for a thousand years", "gate-001", longer, ErrForeign)
	b.now = t0.Add(authority.Life - time.Second)
	if _, err := b.renew("gate-001", g.key); err != nil {
		t.Fatal(err)
	}
	b.identifies("the renewed one", "gate-001", b.certificate("gate-001"), nil)
	b.identifies("the former one, which the gate may still have", "gate-001", first, nil)
	b.now = t0.Add(authority.Life)
	b.identifies("the former one after its end", "gate-001", first, ErrEnded)
	b.now = t0.Add(-2 * time.Hour)
	b.identifies("before it begins", "gate-001", first, ErrEnded)
	b.now = t0.Add(time.Hour)
	b.open(b.opts.File, b.authority()) // another authority has taken its place
	b.identifies("the one that the registry has", "gate-002", b.certificate("gate-002"), nil)
}

func TestCertificatesThatWereReplacedOrRevoked(t *testing.T) {
	b := newBench(t)
	b.enrol("gate-001")
	first, changed := b.certificate("gate-001"), b.Changed()
	b.enrol("gate-001") // on another computer
	<-changed
	second := b.certificate("gate-001")
	b.identifies("the replaced one", "gate-001", first, ErrVoid)
	b.identifies("the new one", "gate-001", second, nil)
	b.identifies("without one", "gate-001", nil, nil)
	if kind, err := b.Identify("fogger-1", nil, b.now); kind != "" || err != nil {
		t.Errorf("a name without a certificate: %q, %v", kind, err)
	}
	if err := b.Revoke(t.Context(), "gate-001", li); err != nil {
		t.Fatal(err)
	}
	b.identifies("the revoked one", "gate-001", second, ErrRevoked)
	b.identifies("by its name only", "gate-001", nil, ErrRevoked)
	void, err := b.Void(t.Context())
	if err != nil || len(void) != 2 {
		t.Fatalf("%d are void, %v", len(void), err)
	}
	for _, v := range void {
		if v.Serial.Cmp(first.SerialNumber) != 0 && v.Serial.Cmp(second.SerialNumber) != 0 {
			t.Errorf("%x is void", v.Serial)
		}
	}
	b.now = t0.Add(authority.Life + time.Hour)
	if void, err := b.Void(t.Context()); err != nil || len(void) != 0 {
		t.Errorf("after their end: %d, %v", len(void), err)
	}
}
