// Package rulebook packs the rules of one gate, as files, into a set that the county
// publishes in signed parts, and opens such a set at the gate. It is pure.
package rulebook

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"gatehouse/gateway/sealed"
	"gatehouse/gateway/wire"
)

// Names of the files that a set may have.
const (
	PolicyFile   = "policy.yaml"
	RosterFile   = "roster.csv"
	GuardsFile   = "guards.csv"
	ContactsFile = "contacts.yaml"
	KeysFile     = "site.keys" // the gate's pseudonym keys
)

// MaxUnpacked bounds what is in a set, in bytes of its JSON: files are a quarter less.
const MaxUnpacked = 32 << 20

// Why a set is refused.
var (
	// ErrUnsigned means that the county's collector did not sign the manifest for this gate.
	ErrUnsigned = errors.New("it is not signed by the county's collector for this gate: somebody else published it, " +
		"or collector_key is another county's")
	ErrOlder     = errors.New("it is older than the set in force")
	ErrTooLarge  = errors.New("it is too large")
	ErrDamaged   = errors.New("it is not what the manifest says")
	ErrNotToOpen = errors.New("this gate can't decrypt it: the county has another recipient than that of agent.age")
	ErrUnknown   = errors.New("it has a file that this version does not know: update the agent")
)

// File is one file of a set.
type File struct {
	Name  string `json:"name"`
	Bytes []byte `json:"bytes"`
}

// Gate is whose set it is.
type Gate struct{ County, Agent string }

// Set is the rules of one gate.
type Set struct {
	No      uint64    // above that of the gate's former set; 1 to wire.MaxSeq
	Version string    // what people call it; see wire.CheckLabel
	At      time.Time // the county's clock
	Files   []File
}

// Sealed is a set as it is published: the parts first, each with the topic wire.PartTopic, then
// the manifest.
type Sealed struct {
	Manifest wire.Manifest
	Parts    [][]byte
}

// content is what is encrypted.
type content struct {
	Files []File `json:"files"`
}

// Seal encrypts s to the recipient of a gate, and signs it with the collector's key. An error
// says what is wrong with the set.
func (g Gate) Seal(s Set, recipient string, key ed25519.PrivateKey) (Sealed, error) {
	if err := checkNames(s.Files); err != nil {
		return Sealed{}, err
	}
	text, err := json.Marshal(content{s.Files})
	if err != nil {
		return Sealed{}, fmt.Errorf("pack the rules: %w", err)
	}
	if len(text) > MaxUnpacked {
		return Sealed{}, fmt.Errorf("%w: %d MB, at most %d MB fit into a set of rules", ErrTooLarge, len(text)>>20,
			MaxUnpacked>>20)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(text)
	if err := errors.Join(err, w.Close()); err != nil {
		return Sealed{}, fmt.Errorf("pack the rules: %w", err)
	}
	b, err := sealed.Seal(packed.Bytes(), recipient)
	if err != nil {
		return Sealed{}, fmt.Errorf("encrypt the rules to the gate: %w", err)
	}
	out := Sealed{Manifest: wire.Manifest{V: 1, No: s.No, Version: s.Version, At: wire.At(s.At), Size: len(b)},
		Parts: slices.Collect(slices.Chunk(b, wire.MaxPartBytes))}
	for _, part := range out.Parts {
		out.Manifest.Parts = append(out.Manifest.Parts, wire.SumPart(part))
	}
	if err := out.Manifest.Check(); err != nil {
		return Sealed{}, err
	}
	out.Manifest = wire.SignManifest(out.Manifest, g.County, g.Agent, key)
	return out, nil
}

// Read returns a manifest that was published for g, if key signed it and its number is not
// below inForce, that of the set which the gate has; 0: it has none. Equal numbers are no
// error: it is the set in force.
func (g Gate) Read(payload []byte, key ed25519.PublicKey, inForce uint64) (wire.Manifest, error) {
	if len(payload) > wire.MaxManifestBytes {
		return wire.Manifest{}, fmt.Errorf("%w: the manifest has %d bytes, and may have %d", ErrTooLarge, len(payload),
			wire.MaxManifestBytes)
	}
	m, err := wire.Decode[wire.Manifest](payload)
	if err != nil {
		return wire.Manifest{}, fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	if err := wire.VerifyManifest(m, g.County, g.Agent, key); err != nil {
		return wire.Manifest{}, ErrUnsigned
	}
	if err := m.Check(); err != nil {
		return wire.Manifest{}, err
	}
	if m.No < inForce {
		return wire.Manifest{}, fmt.Errorf("%w: set %d came, set %d is in force", ErrOlder, m.No, inForce)
	}
	return m, nil
}

// Open returns the files of a set from its parts, in their order, with the secret of the
// recipient that it was encrypted to.
func Open(m wire.Manifest, parts [][]byte, secret string) ([]File, error) {
	if len(parts) != len(m.Parts) {
		return nil, fmt.Errorf("%w: %d parts of %d are there", ErrDamaged, len(parts), len(m.Parts))
	}
	for n, part := range parts {
		if err := m.CheckPart(n, part); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	whole := bytes.Join(parts, nil)
	if len(whole) != m.Size {
		return nil, fmt.Errorf("%w: %d bytes, not %d", ErrDamaged, len(whole), m.Size)
	}
	packed, err := sealed.Open(whole, secret)
	if errors.Is(err, sealed.ErrNotFor) {
		return nil, ErrNotToOpen
	}
	if err != nil {
		return nil, fmt.Errorf("decrypt the rules: %w", err)
	}
	return unpack(packed)
}

// unpack reads files from gzip of JSON, of a bounded size.
func unpack(packed []byte) ([]File, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack the rules: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(r, MaxUnpacked+1))
	if len(text) > MaxUnpacked {
		return nil, fmt.Errorf("%w: more than %d MB are packed in it", ErrTooLarge, MaxUnpacked>>20)
	}
	var c content
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return nil, fmt.Errorf("unpack the rules: %w", err)
	}
	return c.Files, checkNames(c.Files)
}

// checkNames returns an error unless each file is one that a set may have, and is there once.
func checkNames(files []File) error {
	if len(files) == 0 {
		return errors.New("a set of rules without files")
	}
	known := []string{PolicyFile, RosterFile, GuardsFile, ContactsFile, KeysFile}
	for i, f := range files {
		if !slices.Contains(known, f.Name) {
			return fmt.Errorf("%w: %.40q", ErrUnknown, f.Name)
		}
		if slices.ContainsFunc(files[:i], func(x File) bool { return x.Name == f.Name }) {
			return fmt.Errorf("a set of rules has two files %s", f.Name)
		}
	}
	return nil
}
