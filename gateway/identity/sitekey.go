// Package identity holds the county's keys: the site key, which turns card
// numbers into pseudonyms, and the collector's key pair, which signs what
// agents believe.
package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"gatehouse/gateway/secret"
	"os"
	"strings"
)

const keyBytes = 32

// SiteKey is the county's secret for pseudonyms. Gates and collector have the
// same file; whoever has it can find the card of a pseudonym.
type SiteKey struct {
	secret []byte
	id     string
}

// newSiteKey derives the key's id from the secret: eight characters that tell keys
// apart without disclosing them.
func newSiteKey(secret []byte) SiteKey {
	sum := sha256.Sum256(append([]byte("gatehouse site key id\x00"), secret...))
	return SiteKey{secret: secret, id: encode(sum[:5])}
}

func encode(b []byte) string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

// ID returns the key's id, which does not disclose the key.
func (k SiteKey) ID() string { return k.id }

// Pseudonym returns what replaces a credential everywhere outside the agent's
// memory: the key's id and 128 bits of HMAC-SHA256 over kind and code. Letter
// case and blanks around a code do not matter. The same code of another kind has
// another pseudonym.
func (k SiteKey) Pseudonym(kind, code string) string {
	mac := hmac.New(sha256.New, k.secret)
	mac.Write([]byte(kind + "\x00" + strings.ToUpper(strings.TrimSpace(code))))
	return k.id + "-" + encode(mac.Sum(nil)[:16])
}

// Others returns nothing: there is one key.
func (SiteKey) Others(string, string) []string { return nil }

// CreateSiteKey creates a key in a new file; it fails when the file exists.
func CreateSiteKey(path string) (SiteKey, error) {
	secret := make([]byte, keyBytes)
	rand.Read(secret) // never fails (crypto/rand)
	if err := Create(path, base64.StdEncoding.EncodeToString(secret)+"\n", 0o600); err != nil {
		return SiteKey{}, fmt.Errorf("create the site key: %w", err)
	}
	return newSiteKey(secret), nil
}

// LoadSiteKey reads a key. It fails when other accounts may read the file.
func LoadSiteKey(path string) (SiteKey, error) {
	secret, err := readKey(path, keyBytes)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w: copy site.key from the collector's folder", err)
	}
	if err != nil {
		return SiteKey{}, fmt.Errorf("load the site key: %w", err)
	}
	return newSiteKey(secret), nil
}

// readKey reads a base64 secret of size bytes from a file that other accounts may
// not read.
func readKey(path string, size int) ([]byte, error) {
	text, err := secret.Text(path)
	if err != nil {
		return nil, err
	}
	return parseKey(path, text, size)
}

// parseKey returns the size bytes that the text of a file holds in base64.
func parseKey(path string, text []byte, size int) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(b) != size {
		return nil, fmt.Errorf("%s does not hold a key of %d bytes in base64", path, size)
	}
	return b, nil
}

// Create writes a new file and makes it durable; it fails when the file exists.
func Create(path, text string, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}
