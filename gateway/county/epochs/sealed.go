package epochs

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/secret"
)

// Ends of the names of an epoch's files.
const (
	plainEnd  = ".key"    // the secret
	sealedEnd = ".sealed" // the same, encrypted
)

// mostSealed bounds the file of an encrypted secret, in bytes.
const mostSealed = 1 << 20

// Sealed is the secret of an epoch, encrypted so that any two of the people open it. Its
// file may be carried away and copied.
type Sealed struct {
	From  time.Time         `json:"from"`
	Until time.Time         `json:"until"`
	IDs   map[string]string `json:"ids"` // of the gates' keys, by gate: they open nothing
	Pairs []pair            `json:"pairs"`
}

// pair is the secret for two people: the bytes of both shares, one with the other by
// exclusive or, are the secret. Neither share says anything of it.
type pair struct {
	A      string `json:"a"`       // names
	B      string `json:"b"`       //
	ShareA []byte `json:"share_a"` // encrypted to A
	ShareB []byte `json:"share_b"` // encrypted to B
}

// Epoch returns when the secret is in force.
func (s Sealed) Epoch() Epoch { return Epoch{s.From.UTC(), s.Until.UTC()} }

// Read reads the file of an encrypted secret.
func Read(path string) (s Sealed, err error) {
	b, err := secret.ReadMost(path, mostSealed)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err == nil && (!s.From.Before(s.Until) || len(s.Pairs) == 0) {
		err = errors.New("it holds no secret of an epoch")
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// ReadAll reads the encrypted secrets in a folder, the oldest first.
func ReadAll(dir string) (list []Sealed, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "epoch-*"+sealedEnd))
	for _, path := range files {
		s, err := Read(path)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Sealed) int { return a.From.Compare(b.From) })
	return list, err
}

// seal encrypts the secret of an epoch, unless its file is there.
func (e *Epochs) seal(x Epoch, b []byte) error {
	path := filepath.Join(e.dir, x.name()+sealedEnd)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s := Sealed{From: x.From, Until: x.Until, IDs: map[string]string{}}
	for _, agent := range e.agents {
		s.IDs[agent] = identity.GateKey(b, agent, x.From, x.Until).ID()
	}
	names := slices.Sorted(maps.Keys(e.cfg.People))
	for i, a := range names {
		for _, b2 := range names[i+1:] {
			p, err := share(b, a, e.cfg.People[a], b2, e.cfg.People[b2])
			if err != nil {
				return fmt.Errorf("encrypt the secret of an epoch: %w", err)
			}
			s.Pairs = append(s.Pairs, p)
		}
	}
	text, err := json.MarshalIndent(s, "", " ")
	if err == nil {
		err = write(path, text)
	}
	if err != nil {
		return fmt.Errorf("encrypt the secret of an epoch: %w", err)
	}
	e.note(s)
	return nil
}

// share divides a secret between two people.
func share(b []byte, nameA, toA, nameB, toB string) (p pair, err error) {
	p = pair{A: nameA, B: nameB}
	one := make([]byte, len(b))
	rand.Read(one) // never fails (crypto/rand)
	if p.ShareA, err = sealed.Seal(one, toA); err == nil {
		p.ShareB, err = sealed.Seal(xor(one, b), toB)
	}
	return p, err
}

func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}

// ErrTwo is wrapped when not two of an epoch's people have given their identities.
var ErrTwo = errors.New("the identities of two of the people are needed, for whom this epoch was encrypted")

// Open returns the secret, with the identities (AGE-SECRET-KEY-1...) of two people.
func (s Sealed) Open(first, second string) ([]byte, error) {
	for _, p := range s.Pairs {
		for _, ids := range [][2]string{{first, second}, {second, first}} {
			a, err := sealed.Open(p.ShareA, ids[0])
			if errors.Is(err, sealed.ErrNotFor) {
				continue
			}
			if err != nil {
				return nil, err
			}
			b, err := sealed.Open(p.ShareB, ids[1])
			if errors.Is(err, sealed.ErrNotFor) {
				continue
			}
			if err == nil && (len(a) != secretSize || len(b) != secretSize) {
				err = errors.New("the encrypted secret is damaged")
			}
			if err != nil {
				return nil, err
			}
			return xor(a, b), nil
		}
	}
	return nil, fmt.Errorf("%w: %s to %s", ErrTwo, s.From.Format(time.DateOnly), s.Until.Format(time.DateOnly))
}
