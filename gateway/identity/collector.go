package identity

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse/gateway/config"
)

// The collector's key files in its folder.
const (
	collectorPrivate = "collector.key" // 0600, the seed in base64
	collectorPublic  = "collector.pub" // in base64; agents have a copy
)

// CollectorKey signs what the collector publishes.
type CollectorKey struct{ Private ed25519.PrivateKey }

// LoadOrCreateCollectorKey reads the key pair in dir, or creates it on the
// collector's first start and reports that. It writes the public file again when
// that is missing or belongs to another key, as after a crash between the two
// files.
func LoadOrCreateCollectorKey(dir string) (key CollectorKey, created bool, err error) {
	path := filepath.Join(dir, collectorPrivate)
	seed, err := readKey(path, ed25519.SeedSize)
	if errors.Is(err, os.ErrNotExist) {
		seed = make([]byte, ed25519.SeedSize)
		rand.Read(seed) // never fails (crypto/rand)
		created = true
		err = Create(path, base64.StdEncoding.EncodeToString(seed)+"\n", 0o600)
	}
	if err != nil {
		return key, false, fmt.Errorf("collector's key: %w", err)
	}
	key.Private = ed25519.NewKeyFromSeed(seed)
	public := filepath.Join(dir, collectorPublic)
	want, _ := key.Private.Public().(ed25519.PublicKey)
	if have, err := LoadCollectorPublic(public); err == nil && have.Equal(want) {
		return key, created, nil
	}
	text := base64.StdEncoding.EncodeToString(want) + "\n"
	if err := os.WriteFile(public, []byte(text), 0o644); err != nil { //nolint:gosec // public
		return key, created, fmt.Errorf("collector's public key: %w", err)
	}
	return key, created, nil
}

// LoadCollectorKey reads the private key in the collector's folder.
func LoadCollectorKey(dir string) (CollectorKey, error) {
	seed, err := readKey(filepath.Join(dir, collectorPrivate), ed25519.SeedSize)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w: this is the collector's folder only after its first start", err)
	}
	if err != nil {
		return CollectorKey{}, fmt.Errorf("collector's key: %w", err)
	}
	return CollectorKey{ed25519.NewKeyFromSeed(seed)}, nil
}

// LoadCollectorPublic reads the public key with which agents verify the
// collector's signatures.
func LoadCollectorPublic(path string) (ed25519.PublicKey, error) {
	var key []byte
	text, err := os.ReadFile(path)
	if err == nil {
		text, err = config.Text(text)
	}
	if err == nil {
		key, err = parseKey(path, text, ed25519.PublicKeySize)
	}
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w: copy collector.pub from the collector's folder", err)
	}
	if err != nil {
		return nil, fmt.Errorf("load the collector's public key: %w", err)
	}
	return key, nil
}
