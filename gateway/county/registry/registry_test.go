package registry

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/sealed"
)

var t0 = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)

var li, wang = audit.By{Actor: "li"}, audit.By{Actor: "wang"}

// bench is a registry whose clock a test moves.
type bench struct {
	*Registry

	t     *testing.T
	now   time.Time
	files error // what is wrong with the files
}

func (b *bench) Files(string) ([]enrolment.File, error) {
	return []enrolment.File{{Name: enrolment.AgentFile, Bytes: []byte("x: 1\n")}}, nil
}
func (b *bench) Check(string) error { return b.files }

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, now: t0}
	file, err := db.Open(filepath.Join(t.TempDir(), "desk.db"), Schema+audit.Schema, SchemaSigners, SchemaRecipients)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	b.open(file, b.authority())
	return b
}

func (b *bench) authority() *authority.Authority {
	b.t.Helper()
	ca, err := authority.Create(filepath.Join(b.t.TempDir(), "ca"), "qinghe")
	if err != nil {
		b.t.Fatal(err)
	}
	return ca
}

// open opens the registry of a file, as at a start of the collector.
func (b *bench) open(file *db.File, ca *authority.Authority) {
	b.t.Helper()
	r, err := Open(b.t.Context(), Options{File: file, County: "qinghe", Agents: []string{"gate-001", "gate-002"},
		URLs: []string{"http://127.0.0.1:8080"}, Files: b, Collector: ed25519.NewKeyFromSeed(make([]byte, 32)),
		Authority: ca, Now: func() time.Time { return b.now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Registry = r
}

// gate is what a gate has during its enrolment.
type gate struct {
	code       enrolment.Code
	key        crypto.Signer
	secret, to string
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (b *bench) gate(agent string) *gate {
	b.t.Helper()
	code, _, err := b.MakeCode(b.t.Context(), agent, li)
	if err != nil {
		b.t.Fatal(err)
	}
	g := &gate{code: code, key: newKey(b.t)}
	if g.secret, g.to, err = sealed.NewKey(); err != nil {
		b.t.Fatal(err)
	}
	return g
}

func (b *bench) ask(g *gate) (enrolment.Accepted, error) {
	b.t.Helper()
	r, err := enrolment.NewRequest(g.code, g.key, g.to)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.Request(b.t.Context(), r, "10.0.0.7")
}

// enrol puts a gate into service.
func (b *bench) enrol(agent string) *gate {
	b.t.Helper()
	g := b.gate(agent)
	a, err := b.ask(g)
	if err == nil {
		err = b.Approve(b.t.Context(), a.ID, li)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := b.Answer(b.t.Context(), a.ID)
	if err == nil {
		_, _, err = enrolment.OpenAnswer(answer, g.code, a.ID, g.key.Public(), g.secret)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return g
}

func (b *bench) renew(agent string, key crypto.Signer) (enrolment.Renewed, error) {
	b.t.Helper()
	r, err := enrolment.NewRenewal("qinghe", agent, "", key)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.Renew(b.t.Context(), r)
}

func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestCertificatesAreRenewedByTheirKey(t *testing.T) {
	b := newBench(t)
	g := b.enrol("gate-001")
	life := authority.Life
	issued := t0
	for _, c := range []struct {
		at    time.Duration // since it was issued
		fresh bool          // another certificate comes
		err   error
	}{
		{-time.Hour, false, nil}, // the county's clock was wrong
		{0, false, nil}, {life*2/3 - time.Minute, false, nil}, {life * 2 / 3, true, nil},
		{life + authority.Grace - time.Minute, true, nil}, // it was offline
		{life + authority.Grace, false, ErrLate},
	} {
		was, _ := b.Lookup("gate-001")
		b.now = issued.Add(c.at)
		a, err := b.renew("gate-001", g.key)
		is(t, c.at.String(), err, c.err)
		if now, _ := b.Lookup("gate-001"); err == nil && (now.Serial != was.Serial) != c.fresh ||
			err == nil && !bytes.Equal(a.Certificate, now.Certificate) {
			t.Errorf("%s: serial %s, before %s", c.at, now.Serial, was.Serial)
		}
		if b.Revoked(was.Serial) {
			t.Errorf("%s: the former certificate is void, and the gate may not have the new one yet", c.at)
		}
		if c.fresh {
			issued = b.now
		}
	}
	_, err := b.renew("gate-001", newKey(t))
	is(t, "another key", err, ErrForged)
	_, err = b.renew("gate-002", g.key)
	is(t, "a gate without an identity", err, ErrForged)
}

// When the authority is lost, gates get certificates of a new one, which the collector
// vouches for; nobody goes to a gate.
func TestANewAuthorityReachesGatesByTheirRenewals(t *testing.T) {
	b := newBench(t)
	g, waits := b.enrol("gate-001"), b.gate("gate-002")
	b.open(b.opts.File, b.authority())
	a, err := b.renew("gate-001", g.key)
	if err != nil || !bytes.Equal(a.CA, b.opts.Authority.Certificate().Raw) {
		t.Fatalf("%v", err)
	}
	if i, _ := b.Lookup("gate-001"); !b.issued(i, b.opts.Authority) {
		t.Error("the certificate is of the lost authority")
	}
	_, err = b.ask(waits)
	is(t, "a code of the lost authority", err, ErrLate)
	key, err := Issuer(t.Context(), b.opts.File)
	if err != nil || !bytes.Equal(key, b.opts.Authority.Certificate().RawSubjectPublicKeyInfo) {
		t.Errorf("issuer: %v", err)
	}
}

func TestWithoutAnAuthorityNothingIsIssued(t *testing.T) {
	b := newBench(t)
	g := b.enrol("gate-001")
	b.open(b.opts.File, nil)
	_, _, err := b.MakeCode(t.Context(), "gate-001", li)
	is(t, "a code", err, ErrOff)
	_, err = b.ask(g)
	is(t, "a request", err, ErrOff)
	_, err = b.renew("gate-001", g.key)
	is(t, "a renewal", err, ErrOff)
	if err := b.Revoke(t.Context(), "gate-001", li); err != nil {
		t.Errorf("revoking needs none: %v", err)
	}
	if l, err := b.List(t.Context()); err != nil || l.Off == "" || l.Gates[0].Revoked == nil {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestTheListSaysWhoWaitsAndWhatItReplaces(t *testing.T) {
	b := newBench(t)
	first := b.enrol("gate-001")
	g := b.gate("gate-001")
	l, err := b.List(t.Context())
	if err != nil || len(l.Gates) != 2 || l.Gates[0].CodeUntil == nil || l.Gates[1].Fingerprint != "" || l.Off != "" {
		t.Fatalf("%+v, %v", l, err)
	}
	a, err := b.ask(g)
	if err != nil {
		t.Fatal(err)
	}
	b.files = errors.New("no roster")
	is(t, "files that are wrong", b.Approve(t.Context(), a.ID, li), ErrFiles)
	i, _ := b.Lookup("gate-001")
	if l, err = b.List(t.Context()); err != nil || len(l.Waiting) != 1 || l.Waiting[0].Replaces != i.Fingerprint() ||
		l.Waiting[0].Fingerprint != a.Fingerprint || l.Waiting[0].From != "10.0.0.7" || l.Gates[0].CodeUntil != nil {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := b.renew("gate-001", first.key); err != nil {
		t.Errorf("while the other one waits: %v", err)
	}
}

// Guesses cost the county next to nothing, and soon wait; others do not.
func TestGuessesAreBounded(t *testing.T) {
	var a Attempts
	served := 0
	now := t0
	for range 10000 {
		now = now.Add(10 * time.Millisecond)
		if a.Try("10.0.0.1", now) == 0 {
			served++
		}
	}
	if most := attemptsFree + int(now.Sub(t0)/attemptsEvery) + 1; served > most {
		t.Errorf("%d of 10,000 were served, more than %d", served, most)
	}
	for range 300 { // many gates behind one router
		if wait := a.Try("10.0.0.2", now); wait > 0 {
			t.Fatalf("a gate waits for %s", wait)
		}
		a.Succeeded("10.0.0.2")
	}
	for n := range 3 * attemptPlaces {
		a.Try(string(rune(n)), now)
	}
	if len(a.until) > attemptPlaces {
		t.Errorf("%d places are remembered", len(a.until))
	}
}
