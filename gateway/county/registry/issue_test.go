package registry

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/gateway/identity/authority"
)

func newPublic(t *testing.T) *ecdsa.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

// A reader's certificate comes in as a reader, and only the last one that it got.
func TestAMachineAndAReaderGetCertificates(t *testing.T) {
	b := newBench(t)
	for name, kind := range map[string]authority.Kind{"grafana": authority.Reader, "fogger-1": authority.Machine} {
		former, err := b.Issue(t.Context(), name, kind, newPublic(t), li)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.Identify(name, former, b.now.Add(300*24*time.Hour)); err != nil || got != kind {
			t.Errorf("%s after 300 days: %q, %v", name, got, err)
		}
		if _, err := b.Identify(name, former, b.now.Add(authority.LongLife)); !errors.Is(err, ErrEnded) {
			t.Errorf("%s after its life: %v", name, err)
		}
		cert, err := b.Issue(t.Context(), name, kind, newPublic(t), li)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Identify(name, former, b.now); !errors.Is(err, ErrVoid) {
			t.Errorf("the former certificate of %s: %v", name, err)
		}
		if err := b.Revoke(t.Context(), name, wang); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Identify(name, cert, b.now); !errors.Is(err, ErrRevoked) {
			t.Errorf("%s after it was revoked: %v", name, err)
		}
	}
	l, err := b.List(t.Context())
	if err != nil || len(l.Others) != 2 || l.Others[0].Name != "fogger-1" || l.Others[1].Revoked == nil ||
		l.Others[1].RevokedBy != "wang" {
		t.Errorf("the list has %+v, %v", l.Others, err)
	}
	for _, g := range l.Gates {
		if g.Agent == "grafana" || g.Agent == "fogger-1" {
			t.Errorf("%s is listed as a gate", g.Agent)
		}
	}
}

func TestWhoCantHaveACertificateOfAMachine(t *testing.T) {
	b := newBench(t)
	if _, err := b.Issue(t.Context(), "grafana", authority.Reader, newPublic(t), li); err != nil {
		t.Fatal(err)
	}
	gate := b.opts.Agents[0]
	for what, c := range map[string]struct {
		name string
		kind authority.Kind
		want error
	}{
		"a gate":             {gate, authority.Machine, ErrName},
		"the collector":      {"collector", authority.Reader, ErrName},
		"no id":              {"Fogger 1", authority.Machine, ErrName},
		"a reader's machine": {"grafana", authority.Machine, ErrName},
		"an agent":           {"gate-900", authority.Agent, nil},
	} {
		if _, err := b.Issue(t.Context(), c.name, c.kind, newPublic(t), li); err == nil ||
			c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	key := newPublic(t)
	if _, err := b.Issue(t.Context(), "fogger-1", authority.Machine, key, li); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Issue(t.Context(), "fogger-2", authority.Machine, key, li); !errors.Is(err, ErrKey) {
		t.Errorf("the key of another machine: %v", err)
	}
}

// What a command changes in the file reaches the collector that runs.
func TestChangesByOtherProgramsAreTakenIn(t *testing.T) {
	b := newBench(t)
	other := &bench{t: t, now: t0}
	other.open(b.opts.File, b.opts.Authority)
	ctx, cancel := context.WithCancel(t.Context())
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		go func() { b.Watch(ctx); close(ended) }()
		time.Sleep(2 * watchEvery)
		cert, err := other.Issue(ctx, "grafana", authority.Reader, newPublic(t), li)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * watchEvery)
		if _, err := b.Identify("grafana", cert, b.now); err != nil {
			t.Errorf("a certificate that was issued: %v", err)
		}
		if err := other.Revoke(ctx, "grafana", li); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * watchEvery)
		if _, err := b.Identify("grafana", cert, b.now); !errors.Is(err, ErrRevoked) {
			t.Errorf("a certificate that was revoked: %v", err)
		}
		cancel()
		<-ended
	})
}
