package ruleset

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/wire"
)

// Set is a set of rules that the county has signed for this gate, and this gate has opened.
type Set struct {
	No      uint64
	Version string
	Files   []rulebook.File
	sig     string // of its manifest
}

// File returns the bytes of a file of the set, and nil when it has none of that name.
func (s Set) File(name string) []byte {
	for _, f := range s.Files {
		if f.Name == name {
			return f.Bytes
		}
	}
	return nil
}

// mostKept bounds the file of a set, in bytes: parts are in base64 there.
const mostKept = 2 * wire.MaxParts * wire.MaxPartBytes

// kept is the set in force as it lies on the disk: encrypted and signed, as it came.
type kept struct {
	Manifest wire.Manifest `json:"manifest"`
	Parts    [][]byte      `json:"parts"`
}

// Load returns the set that was kept in a file. The error wraps os.ErrNotExist when none was.
func Load(path string, gate rulebook.Gate, key ed25519.PublicKey, age string) (Set, error) {
	b, err := secret.ReadMost(path, mostKept)
	if err != nil {
		return Set{}, fmt.Errorf("read the county's rules: %w", err)
	}
	var k kept
	if err := json.Unmarshal(b, &k); err != nil {
		return Set{}, fmt.Errorf("read the county's rules, in %s: %w", path, err)
	}
	if err := wire.VerifyManifest(k.Manifest, gate.County, gate.Agent, key); err != nil {
		return Set{}, fmt.Errorf("the county's rules, in %s: %w", path, rulebook.ErrUnsigned)
	}
	files, err := rulebook.Open(k.Manifest, k.Parts, age)
	if err != nil {
		return Set{}, fmt.Errorf("the county's rules, in %s: %w", path, err)
	}
	return Set{No: k.Manifest.No, Version: k.Manifest.Version, Files: files, sig: k.Manifest.Sig}, nil
}

// save replaces the file, whole or not at all, and makes it durable.
func (k kept) save(path string) error {
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := identity.Create(fresh, string(b), 0o600); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return identity.SyncFolder(filepath.Dir(path))
}
