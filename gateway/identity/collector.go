package identity

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The collector's key files in its folder.
const (
	collectorPrivate = "collector.key" // 0600, the seed in base64
	collectorPublic  = "collector.pub" // for the agents, in base64
)

// CollectorKey signs acknowledgements.
type CollectorKey struct{ Private ed25519.PrivateKey }

// LoadOrCreateCollectorKey reads the key pair in dir; on the collector's first
// start it makes it. The public file is written again when it is missing or
// not the private key's, so that a crash in between heals.
func LoadOrCreateCollectorKey(dir string) (key CollectorKey, made bool, err error) {
	path := filepath.Join(dir, collectorPrivate)
	seed, err := readKey(path, ed25519.SeedSize)
	if errors.Is(err, os.ErrNotExist) {
		seed = make([]byte, ed25519.SeedSize)
		rand.Read(seed) // never fails (crypto/rand)
		made = true
		err = create(path, base64.StdEncoding.EncodeToString(seed)+"\n", 0o600)
	}
	if err != nil {
		return key, false, fmt.Errorf("collector's key: %w", err)
	}
	key.Private = ed25519.NewKeyFromSeed(seed)
	public := filepath.Join(dir, collectorPublic)
	want, _ := key.Private.Public().(ed25519.PublicKey)
	if have, err := LoadCollectorPublic(public); err == nil && have.Equal(want) {
		return key, made, nil
	}
	text := base64.StdEncoding.EncodeToString(want) + "\n"
	if err := os.WriteFile(public, []byte(text), 0o644); err != nil { //nolint:gosec // public
		return key, made, fmt.Errorf("collector's public key: %w", err)
	}
	return key, made, nil
}

// LoadCollectorPublic reads the key that agents believe.
func LoadCollectorPublic(path string) (ed25519.PublicKey, error) {
	b, err := readBase64(path, ed25519.PublicKeySize)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w: copy collector.pub from the collector's folder", err)
	}
	if err != nil {
		return nil, fmt.Errorf("load the collector's public key: %w", err)
	}
	return b, nil
}
