package broker

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/identity/authority"
)

// testCounty has an authority and a broker that knows its certificates.
type testCounty struct {
	*Broker

	ca    *authority.Authority
	roots *x509.CertPool // of the broker's certificate
	log   *buffer

	mu      sync.Mutex // guards what follows
	known   map[string]*x509.Certificate
	kinds   map[string]authority.Kind
	revoked map[string]bool
	changed chan struct{}
}

var _ Identities = (*testCounty)(nil)

// newCounty starts a broker; change may change its configuration.
func newCounty(t *testing.T, change func(*Config)) *testCounty {
	t.Helper()
	cert, key, roots := certificate(t, "localhost")
	c := &testCounty{ca: newAuthority(t), roots: roots, log: &buffer{}, known: map[string]*x509.Certificate{},
		kinds: map[string]authority.Kind{}, revoked: map[string]bool{}, changed: make(chan struct{})}
	cfg := configOf(t)
	cfg.TLS, cfg.Identities, cfg.Certificates = TLS{Cert: cert, Key: key, Min: "1.2"}, c, true
	if change != nil {
		change(&cfg)
	}
	b, err := Start(t.Context(), cfg, slog.New(slog.NewTextHandler(c.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	c.Broker = b
	return c
}

func newAuthority(t *testing.T) *authority.Authority {
	t.Helper()
	ca, err := authority.Create(filepath.Join(t.TempDir(), "ca"), "qinghe")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// issue returns a certificate that ends after a time.
func issue(t *testing.T, ca *authority.Authority, name string, k authority.Kind, life time.Duration) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(name, k, &key.PublicKey, time.Now().Add(life-authority.Life))
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// enrol gives a name a certificate.
func (c *testCounty) enrol(t *testing.T, name string, k authority.Kind, life time.Duration) tls.Certificate {
	t.Helper()
	pair := issue(t, c.ca, name, k, life)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[name], c.kinds[name] = pair.Leaf, k
	return pair
}

func (c *testCounty) revoke(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revoked[name] = true
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *testCounty) Identify(name string, cert *x509.Certificate, _ time.Time) (authority.Kind, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.revoked[name]:
		return "", errors.New("it was revoked")
	case cert != nil && (c.known[name] == nil || !bytes.Equal(cert.Raw, c.known[name].Raw)):
		return "", errors.New("the county does not know it")
	}
	return c.kinds[name], nil
}

func (c *testCounty) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// by returns how a client connects with a certificate.
func (c *testCounty) by(id string, pairs ...tls.Certificate) login {
	return login{url: "ssl://" + c.Addr(), id: id, tls: &tls.Config{RootCAs: c.roots, ServerName: "localhost",
		Certificates: pairs, MinVersion: tls.VersionTLS12}}
}

// eye subscribes to everything of the county, inside.
func (c *testCounty) eye(t *testing.T) *client {
	t.Helper()
	eye := connect(t, insider(t, c.Broker, "collector-eye"))
	eye.subscribe(t, "#", 1)
	return eye
}

// ended waits until the broker has disconnected a client.
func (c *client) ended(t *testing.T, within time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	select {
	case <-c.lost:
	case <-time.After(within):
		t.Fatalf("the client is still connected after %s", within)
	}
	return time.Since(began)
}

// stays fails the test if the client was disconnected.
func (c *client) stays(t *testing.T) {
	t.Helper()
	select {
	case err := <-c.lost:
		t.Fatalf("the client was disconnected: %v", err)
	default:
	}
}
