package upgrade

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/secret"
)

// ErrOtherKey says that root has another key of packages than the one that was handed over.
var ErrOtherKey = errors.New("this computer has another key of packages already: compare the fingerprint with the " +
	"county's (desk, page Versions; gatehouse packages key), and give it by --fingerprint")

// ErrUncompared says that nothing is known by which root could take a key.
var ErrUncompared = errors.New("nothing is written yet: compare the fingerprint with the county's (desk, page " +
	"Versions; gatehouse packages key), and type it with --fingerprint")

// Trust is what root knows of the county before it takes a key of packages: the folder in which
// the key lies is the agent's.
type Trust struct {
	Authority   []byte // enrolment.AuthoritySum of the county's authority, as a code has it; nil: not known
	Fingerprint string // of the key of packages; empty: not known
}

// TakeKey has root take over from where this computer is upgraded, and by whose key: it writes the
// configuration config and packages.asc beside it. url chooses among the addresses. It returns
// the key's fingerprint, also with ErrUncompared (t is empty and root has not this key yet) and
// ErrOtherKey (a key that was taken before is replaced only if t has the fingerprint).
func TakeKey(config string, p enrolment.Packages, ca *x509.Certificate, t Trust, url string) (string, error) {
	if err := p.Verify(p.County, ca); err != nil {
		return "", err
	}
	sum := enrolment.AuthoritySum(ca.RawSubjectPublicKeyInfo)
	if t.Authority != nil && !bytes.Equal(t.Authority, sum[:]) {
		return "", fmt.Errorf("%w: its authority is not the one that the enrolment code names", enrolment.ErrPackages)
	}
	ring, err := openpgp.ParseRing(p.Key)
	if err != nil {
		return "", fmt.Errorf("the county's key of packages: %w", err)
	}
	prints := ring.Fingerprints()
	if len(prints) != 1 {
		return "", fmt.Errorf("the county's key of packages: there are %d keys in it", len(prints))
	}
	if t.Fingerprint != "" && plain(t.Fingerprint) != plain(prints[0]) {
		return "", fmt.Errorf("%w: its fingerprint is %s", enrolment.ErrPackages, prints[0])
	}
	if !slices.Contains(p.URLs, url) {
		return "", fmt.Errorf("%q is not an address of the county's packages", url)
	}
	switch same, err := taken(config, prints[0]); {
	case err != nil:
		return "", err
	case same == sameKey:
		return prints[0], nil // what somebody has written besides stays
	case same == otherKey && t.Fingerprint == "":
		return prints[0], ErrOtherKey
	case t.Authority == nil && t.Fingerprint == "":
		return prints[0], ErrUncompared
	}
	text := "# Written by gatehouse upgrade --take-key; see deploy/UPGRADE.md.\nurl: " + url + "\nca: " + anyCA + "\n"
	if err := replace(filepath.Join(filepath.Dir(config), keyFile), p.Key, 0o644); err != nil {
		return "", err
	}
	if err := replace(config, []byte(text), 0o644); err != nil {
		return "", err
	}
	_, err = Load(config)
	return prints[0], err
}

// What root has of the county's key.
type had int

const (
	noKey had = iota
	sameKey
	otherKey
)

// taken returns whether root has this key already, as the configuration names it or beside it.
func taken(config, fingerprint string) (had, error) {
	if s, err := Load(config); err == nil {
		if slices.Equal(s.Ring.Fingerprints(), []string{fingerprint}) {
			return sameKey, nil
		}
		return otherKey, nil
	}
	b, err := secret.ReadOwn(filepath.Join(filepath.Dir(config), keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return noKey, nil
	}
	if err != nil {
		return noKey, fmt.Errorf("look which key is there: %w", err)
	}
	if ring, err := openpgp.ParseRing(b); err == nil && slices.Equal(ring.Fingerprints(), []string{fingerprint}) {
		return noKey, nil // only the configuration is missing, or wrong
	}
	return otherKey, nil
}

// plain returns a fingerprint without blanks, in capital letters.
func plain(s string) string { return strings.ToUpper(strings.Join(strings.Fields(s), "")) }
