// Package leak searches what programs have written, sent and shown for secrets, in every
// form in which one could stand there.
package leak

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Secret is a text that must not stand anywhere, and what people call it.
type Secret struct{ Name, Text string }

// Found is a secret that was found.
type Found struct {
	Secret string // its name
	Form   string // how it stands there
	Where  string // in what is packed in the data; empty: in the data itself
	At     int    // offset in bytes
}

func (f Found) String() string {
	return fmt.Sprintf("%s %s%s at byte %d", f.Secret, f.Form, f.Where, f.At)
}

// form is bytes that must not stand anywhere.
type form struct {
	bytes        []byte
	number       bool // in decimal: it counts where no digit stands beside it
	secret, name string
}

// head is how many bytes of a form are looked up; each form has more.
const head = 4

// tableBits is the size of the table by which most places are passed over.
const tableBits = 20

// Search searches for secrets. It is not changed by searching, and may be used by several
// goroutines.
type Search struct {
	may   [1 << (tableBits - 6)]uint64 // by the hash of their heads: are there forms?
	forms map[[head]byte][]form
}

// New returns a search for secrets, a hundred at most: short forms of thousands would be
// found by chance.
func New(secrets ...Secret) *Search { return newSearch(secrets, 0) }

// NewMany returns a search for thousands of secrets, in the forms that are not found by
// chance: of ten bytes or more, and no numbers in decimal.
func NewMany(secrets []Secret) *Search { return newSearch(secrets, 10) }

// newSearch returns a search for forms of some length, in bytes; 0: all.
func newSearch(secrets []Secret, least int) *Search {
	s := &Search{forms: map[[head]byte][]form{}}
	for _, x := range secrets {
		all := forms(x.Text)
		var before [][]byte
		for _, name := range slices.Sorted(maps.Keys(all)) {
			b := all[name]
			if slices.ContainsFunc(before, func(y []byte) bool { return bytes.Equal(b, y) }) {
				continue
			}
			before = append(before, b)
			number := !bytes.ContainsFunc(b, func(c rune) bool { return c < '0' || c > '9' })
			if len(b) < least || number && least > 0 && string(b) != x.Text {
				continue
			}
			at := [head]byte(b)
			h := hash(at)
			s.may[h>>6] |= 1 << (h & 63)
			s.forms[at] = append(s.forms[at], form{b, number, x.Name, name})
		}
	}
	return s
}

// isAt reports whether a form stands at a place in data.
func (f form) isAt(data []byte, i int) bool {
	if !bytes.HasPrefix(data[i:], f.bytes) {
		return false
	}
	digit := func(at int) bool { return at >= 0 && at < len(data) && data[at] >= '0' && data[at] <= '9' }
	return !f.number || !digit(i-1) && !digit(i+len(f.bytes))
}

// hash returns the place of a head in the table.
func hash(b [head]byte) uint32 {
	x := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	return x * 2654435761 >> (32 - tableBits)
}

// In returns what is found in data, and in what is packed in it by gzip, zstd or zip: each
// form of each secret once for each place of packing.
func (s *Search) In(data []byte) []Found { return s.in(data, "", 0) }

// deepest is how often data may be packed.
const deepest = 3

func (s *Search) in(data []byte, where string, depth int) (out []Found) {
	for i := 0; i+head <= len(data); i++ {
		at := [head]byte(data[i:])
		if h := hash(at); s.may[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for _, f := range s.forms[at] {
			if !f.isAt(data, i) {
				continue
			}
			if !slices.ContainsFunc(out, func(x Found) bool { return x.Secret == f.secret && x.Form == f.name }) {
				out = append(out, Found{f.secret, f.name, where, i})
			}
		}
	}
	if depth == deepest {
		return out
	}
	for _, p := range unpack(data) {
		out = append(out, s.in(p.data, fmt.Sprintf("%s in %s at byte %d", where, p.kind, p.at), depth+1)...)
	}
	return out
}

// Files is what a search through folders has seen.
type Files struct {
	Files, Bytes int
	Allowed      int      // places where a secret stands and may
	Leaks        []string // what was found where nobody allows it
}

// Dir searches all files below a folder, and their names. allowed reports whether a secret
// may stand in a file, by the file's path below dir. Files that go meanwhile are passed over.
func (s *Search) Dir(dir string, allowed func(path, secret string) bool) (out Files, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if path != dir && errors.Is(err, fs.ErrNotExist) {
			return nil // files go while programs run
		}
		if err != nil || path == dir {
			return err
		}
		rel := strings.TrimPrefix(path, dir+string(filepath.Separator))
		found := s.In([]byte(filepath.Base(path)))
		if d.Type().IsRegular() {
			b, err := os.ReadFile(path) //nolint:gosec // nobody else writes there
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			out.Files++
			out.Bytes += len(b)
			found = append(found, s.In(b)...)
		}
		for _, f := range found {
			if allowed(rel, f.Secret) {
				out.Allowed++
			} else {
				out.Leaks = append(out.Leaks, fmt.Sprintf("%s: %v", rel, f))
			}
		}
		return nil
	})
	return out, err
}
