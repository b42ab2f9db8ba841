package rulebook

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/sealed"
	"gatehouse/gateway/wire"
)

var (
	gate = Gate{"yuncheng", "gate-017"}
	at   = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)
)

func keyOf(seed string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(seed, ed25519.SeedSize)))
}

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(key[ed25519.SeedSize:])
}

func newKey(t testing.TB) (secret, recipient string) {
	t.Helper()
	secret, recipient, err := sealed.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return secret, recipient
}

// noise returns n bytes that can't be packed.
func noise(n int) []byte {
	out := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(out) // it never fails
	return out
}

func seal(t testing.TB, s Set, recipient string) Sealed {
	t.Helper()
	out, err := gate.Seal(s, recipient, keyOf("k"))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func payload(t testing.TB, m wire.Manifest) []byte {
	t.Helper()
	b, err := wire.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatIsSealedIsOpenedAtItsGate(t *testing.T) {
	secret, recipient := newKey(t)
	rapid.Check(t, func(rt *rapid.T) {
		names := []string{PolicyFile, RosterFile, GuardsFile, ContactsFile, KeysFile}
		names = names[:rapid.IntRange(1, len(names)).Draw(rt, "files")]
		s := Set{No: rapid.Uint64Range(1, wire.MaxSeq).Draw(rt, "no"), Version: "v1", At: at}
		for _, name := range names {
			s.Files = append(s.Files, File{name, rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(rt, name)})
		}
		if rapid.IntRange(0, 9).Draw(rt, "large") == 0 {
			s.Files[0].Bytes = noise(3 * wire.MaxPartBytes)
		}
		got := seal(t, s, recipient)
		m, err := gate.Read(payload(t, got.Manifest), publicOf(keyOf("k")), s.No)
		if err != nil || m.No != s.No || m.Version != "v1" || !m.At.Equal(at) {
			rt.Fatalf("%+v, %v", m, err)
		}
		files, err := Open(m, got.Parts, secret)
		if err != nil || !reflect.DeepEqual(files, s.Files) {
			rt.Fatalf("%v, %v", files, err)
		}
	})
}

func TestAManifestThatIsRefused(t *testing.T) {
	_, recipient := newKey(t)
	s := Set{No: 7, Version: "v1", At: at, Files: []File{{PolicyFile, []byte("x")}}}
	good := seal(t, s, recipient).Manifest
	unsigned, changed, odd := good, good, good
	unsigned.Sig = ""
	changed.No++
	odd.Version = "a\u202eb"
	odd = wire.SignManifest(odd, gate.County, gate.Agent, keyOf("k"))
	for what, c := range map[string]struct {
		gate    Gate
		key     string
		inForce uint64
		payload []byte
		want    error
	}{
		"another county": {Gate{"qinghe", "gate-017"}, "k", 0, payload(t, good), ErrUnsigned},
		"another gate":   {Gate{"yuncheng", "gate-018"}, "k", 0, payload(t, good), ErrUnsigned},
		"another key":    {gate, "o", 0, payload(t, good), ErrUnsigned},
		"unsigned":       {gate, "k", 0, payload(t, unsigned), ErrUnsigned},
		"changed":        {gate, "k", 0, payload(t, changed), ErrUnsigned},
		"no manifest":    {gate, "k", 0, []byte("hello"), ErrUnsigned},
		"nothing":        {gate, "k", 0, nil, ErrUnsigned},
		"older":          {gate, "k", 8, payload(t, good), ErrOlder},
		"too large":      {gate, "k", 0, bytes.Repeat([]byte(" "), wire.MaxManifestBytes+1), ErrTooLarge},
		"odd":            {gate, "k", 0, payload(t, odd), nil},
	} {
		_, err := c.gate.Read(c.payload, publicOf(keyOf(c.key)), c.inForce)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
}

func TestPartsThatAreRefused(t *testing.T) {
	secret, recipient := newKey(t)
	other, _ := newKey(t)
	s := Set{No: 7, Version: "v1", At: at, Files: []File{{PolicyFile, noise(2 * wire.MaxPartBytes)}}}
	good := seal(t, s, recipient)
	next := s
	next.No, next.Files = 8, []File{{PolicyFile, noise(2*wire.MaxPartBytes - 1)}}
	with := func(b []byte) func(*Sealed) {
		return func(s *Sealed) { reseal(t, s, b, recipient) }
	}
	whole := zip(t, named(PolicyFile), 1)
	for what, c := range map[string]struct {
		secret string
		edit   func(*Sealed)
		want   error
	}{
		"another secret":     {other, func(*Sealed) {}, ErrNotToOpen},
		"a part is missing":  {secret, func(s *Sealed) { s.Parts = s.Parts[:2] }, ErrDamaged},
		"an empty part":      {secret, func(s *Sealed) { s.Parts[1] = nil }, ErrDamaged},
		"another order":      {secret, func(s *Sealed) { slices.Reverse(s.Parts) }, ErrDamaged},
		"a part comes twice": {secret, func(s *Sealed) { s.Parts[1] = s.Parts[0] }, ErrDamaged},
		"a part of another":  {secret, func(s *Sealed) { s.Parts[0] = seal(t, next, recipient).Parts[0] }, ErrDamaged},
		"a bit":              {secret, func(s *Sealed) { s.Parts[0] = flip(s.Parts[0], 300) }, ErrDamaged},
		"another size":       {secret, func(s *Sealed) { s.Manifest.Size-- }, ErrDamaged},
		"no secret":          {"", func(*Sealed) {}, nil},
		"a bit that fits":    {secret, func(s *Sealed) { s.Parts[0] = flip(s.Parts[0], 300); resum(s) }, nil},
		"a header that fits": {secret, func(s *Sealed) { s.Parts[0] = flip(s.Parts[0], 3); resum(s) }, nil},
		"no gzip":            {secret, with([]byte("hello")), nil},
		"no JSON":            {secret, with(zip(t, "hello", 1)), nil},
		"nothing in it":      {secret, with(zip(t, `{"files":[]}`, 1)), nil},
		"something after it": {secret, with(zip(t, `{"files":[]}`, 2)), nil},
		"a bomb":             {secret, with(bomb(t, `{"files":[{"name":"`)), ErrTooLarge},
		"a bomb after it":    {secret, with(bomb(t, `{"files":[]}`)), ErrTooLarge},
		"an unknown file":    {secret, with(zip(t, named("x"), 1)), ErrUnknown},
		"a path":             {secret, with(zip(t, named("../policy.yaml"), 1)), ErrUnknown},
		"a file comes twice": {secret, with(zip(t, named(PolicyFile, PolicyFile), 1)), nil},
		"gzip that is cut off": {secret, func(s *Sealed) {
			reseal(t, s, whole[:len(whole)-9], recipient)
		}, nil},
	} {
		set := Sealed{Manifest: good.Manifest, Parts: slices.Clone(good.Parts)}
		set.Manifest.Parts = slices.Clone(good.Manifest.Parts)
		c.edit(&set)
		files, err := Open(set.Manifest, set.Parts, c.secret)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %d files, %v, want %v", what, len(files), err, c.want)
		}
	}
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

// resum lets the manifest name the parts as they are.
func resum(s *Sealed) {
	s.Manifest.Parts, s.Manifest.Size = nil, 0
	for _, part := range s.Parts {
		s.Manifest.Parts = append(s.Manifest.Parts, wire.SumPart(part))
		s.Manifest.Size += len(part)
	}
}

// reseal encrypts b in place of what is in the set.
func reseal(t *testing.T, s *Sealed, b []byte, recipient string) {
	t.Helper()
	whole, err := sealed.Seal(b, recipient)
	if err != nil {
		t.Fatal(err)
	}
	s.Parts = slices.Collect(slices.Chunk(whole, wire.MaxPartBytes))
	resum(s)
}

func named(names ...string) string {
	c := content{}
	for _, name := range names {
		c.Files = append(c.Files, File{Name: name, Bytes: []byte("x")})
	}
	b, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// zip packs text a few times.
func zip(t *testing.T, text string, times int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for range times {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb packs much more than a set may have: text, and then blanks.
func bomb(t *testing.T, text string) []byte {
	t.Helper()
	return zip(t, text+strings.Repeat(" ", MaxUnpacked), 2)
}

func TestWhatCantBeSealed(t *testing.T) {
	_, recipient := newKey(t)
	large := []File{{PolicyFile, make([]byte, MaxUnpacked)}}
	for what, c := range map[string]struct {
		set Set
		to  string
	}{
		"no 0":         {Set{Version: "v1", At: at, Files: []File{{PolicyFile, nil}}}, recipient},
		"no version":   {Set{No: 1, At: at, Files: []File{{PolicyFile, nil}}}, recipient},
		"no files":     {Set{No: 1, Version: "v1", At: at}, recipient},
		"too large":    {Set{No: 1, Version: "v1", At: at, Files: large}, recipient},
		"another file": {Set{No: 1, Version: "v1", At: at, Files: []File{{"agent.yaml", nil}}}, recipient},
		"no recipient": {Set{No: 1, Version: "v1", At: at, Files: []File{{PolicyFile, nil}}}, "age1"},
	} {
		if _, err := gate.Seal(c.set, c.to, keyOf("k")); err == nil {
			t.Errorf("%s is sealed", what)
		}
	}
}

// FuzzUnpack reads what a gate finds after decryption.
func FuzzUnpack(f *testing.F) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, named(PolicyFile, RosterFile)); err != nil || w.Close() != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, packed []byte) {
		files, err := unpack(packed)
		if err == nil && checkNames(files) != nil {
			t.Errorf("%v are taken", files)
		}
	})
}
