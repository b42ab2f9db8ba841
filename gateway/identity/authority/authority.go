// Package authority is the county's certificate authority: it says which public key is
// which agent's. Its key lies apart from the folder that is backed up.
package authority

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/identity"
)

// The files in the authority's folder.
const (
	keyFile  = "ca.key" // 0600
	certFile = "ca.crt"
)

// Life is how long a certificate of an agent counts, and Grace for how long after its end
// the agent may still renew it, because it was offline. Those of machines and readers are
// renewed by hand, and count for LongLife.
const (
	Life     = 90 * 24 * time.Hour
	Grace    = 30 * 24 * time.Hour
	LongLife = 366 * 24 * time.Hour
	// early is how much a certificate counts before it was issued: a server's clock may
	// be behind the county's.
	early = time.Hour
)

// Kind is what a certificate is for.
type Kind string

// The kinds.
const (
	Agent   Kind = "agent"
	Machine Kind = "machine"
	Reader  Kind = "reader"
)

// Authority issues certificates. Make it with Create. The methods may be called from
// any goroutine.
type Authority struct {
	key  crypto.Signer
	cert *x509.Certificate
}

// Apart returns an error when an authority's folder lies in the folder that is backed up,
// also by a link: whoever has the backup could make certificates.
func Apart(caDir, dir string) error {
	at, backed := resolve(caDir), resolve(dir)
	if at == backed || strings.HasPrefix(at, backed+string(filepath.Separator)) {
		return fmt.Errorf("ca_dir %s lies in dir %s, which is backed up: whoever has the backup could make "+
			"certificates; name a folder beside it", caDir, dir)
	}
	return nil
}

// resolve returns a path without links, as far as it exists.
func resolve(path string) string {
	at, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	for rest := ""; ; {
		if found, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(found, rest)
		}
		above := filepath.Dir(at)
		if above == at {
			return filepath.Join(at, rest)
		}
		rest = filepath.Join(filepath.Base(at), rest)
		at = above
	}
}

// Load reads the authority in dir. The error wraps os.ErrNotExist when there is none.
func Load(dir, county string) (*Authority, error) {
	path := filepath.Join(dir, certFile)
	cert, err := identity.LoadCertificate(path)
	if err != nil {
		return nil, fmt.Errorf("the county's authority: %w", err)
	}
	key, err := identity.LoadKey(filepath.Join(dir, keyFile))
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%s is there and %s is gone: bring it back from where it is kept", path, keyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("the county's authority: %w", err)
	}
	a := &Authority{key, cert}
	return a, a.check(county, path)
}

// Create makes an authority in dir, or reads the one that is there. After a crash between
// its two files it makes the second one for the key of the first.
func Create(dir, county string) (*Authority, error) {
	if err := makeFolder(dir); err != nil {
		return nil, fmt.Errorf("the county's authority: %w", err)
	}
	path := filepath.Join(dir, certFile)
	if _, err := os.Stat(path); err == nil {
		return Load(dir, county)
	}
	key, _, err := identity.LoadOrCreateKey(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, fmt.Errorf("the county's authority: %w", err)
	}
	cert, err := selfSigned(key, county)
	if err == nil {
		err = identity.Create(path, string(identity.PEM(cert.Raw)), 0o644)
	}
	if err == nil {
		err = identity.SyncFolder(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("make the county's authority: %w", err)
	}
	return &Authority{key, cert}, nil
}

// makeFolder makes the folder, or returns an error when others may look into it.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("others may look into %s: run chmod 700 %s", dir, dir)
	}
	return nil
}

func (a *Authority) check(county, file string) error {
	public, err := x509.MarshalPKIXPublicKey(a.key.Public())
	switch {
	case err != nil:
		return fmt.Errorf("the county's authority: %w", err)
	case !bytes.Equal(public, a.cert.RawSubjectPublicKeyInfo):
		return fmt.Errorf("the county's authority: %s belongs to another key than %s beside it: "+
			"bring back the two files that belong together", file, keyFile)
	case len(a.cert.Subject.Organization) != 1 || a.cert.Subject.Organization[0] != county:
		return fmt.Errorf("the county's authority: %s is of county %q, the configuration says %q: "+
			"name the right folder as ca_dir", file, a.cert.Subject.Organization, county)
	}
	return nil
}

// selfSigned returns an authority's certificate. It counts at any time: the authority
// lasts as long as its key, and gates may believe that it is 1970.
func selfSigned(key crypto.Signer, county string) (*x509.Certificate, error) {
	about := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{CommonName: "gatehouse " + county, Organization: []string{county}},
		NotBefore:    time.Unix(0, 0).UTC(),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280, 4.1.2.5
		KeyUsage:     x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		IsCA:         true, MaxPathLenZero: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// newSerial returns a random positive number of 127 bits (RFC 5280, 4.1.2.2).
func newSerial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b) // never fails (crypto/rand)
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}

// Issue returns a certificate of a public key for name, from now on for Life, or LongLife.
func (a *Authority) Issue(name string, kind Kind, public *ecdsa.PublicKey, now time.Time) (*x509.Certificate, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	id, life := sha256.Sum256(der), Life
	if kind != Agent {
		life = LongLife
	}
	about := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject: pkix.Name{CommonName: name, OrganizationalUnit: []string{string(kind)},
			Organization: a.cert.Subject.Organization},
		NotBefore: now.Add(-early).UTC(), NotAfter: now.Add(life).UTC(),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		SubjectKeyId: id[:20], BasicConstraintsValid: true,
	}
	if der, err = x509.CreateCertificate(rand.Reader, about, a.cert, public, a.key); err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	return cert, nil
}

// Certificate returns the authority's own certificate.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// Key returns the authority's key, to sign answers with.
func (a *Authority) Key() crypto.Signer { return a.key }

// Stage is where in its life a certificate is.
type Stage int

// The stages, in their order.
const (
	Early   Stage = iota // it does not count yet: the county's clock was ahead, or is behind
	Fresh                // nothing is to do
	Due                  // two thirds of its life are over: renew it
	InGrace              // it has ended, and may still be renewed
	TooLate              // only a new code helps
)

// StageOf returns where in its life a certificate is by the county's clock.
func StageOf(notBefore, notAfter, now time.Time) Stage {
	switch {
	case now.Before(notBefore):
		return Early
	case now.Before(notBefore.Add(notAfter.Sub(notBefore) * 2 / 3)):
		return Fresh
	case now.Before(notAfter):
		return Due
	case now.Before(notAfter.Add(Grace)):
		return InGrace
	}
	return TooLate
}
