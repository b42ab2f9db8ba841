package enrolment

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
)

// Fingerprint returns what is read out by telephone to tell keys apart: four groups of
// four digits of the SHA-256 of a public key (DER), 53 bits.
func Fingerprint(public []byte) string {
	sum := sha256.Sum256(public)
	n := binary.BigEndian.Uint64(sum[:8]) % 1e16
	return fmt.Sprintf("%04d %04d %04d %04d", n/1e12, n/1e8%1e4, n/1e4%1e4, n%1e4)
}

// errKey is wrapped when a public key is not one that an agent may have.
var errKey = errors.New("the key is no ECDSA key on P-256")

// ParseKey reads an agent's public key (DER).
func ParseKey(der []byte) (*ecdsa.PublicKey, error) {
	k, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKey, err)
	}
	public, ok := k.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, errKey
	}
	return public, nil
}
