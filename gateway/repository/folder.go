// Package repository is the county's folder of packages: an apt repository with a signed
// index, which the desk serves and from which gates are upgraded. The files are the .deb
// packages, Packages, Packages.gz and InRelease, all in one folder.
package repository

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gatehouse/gateway/lockfile"
	"gatehouse/gateway/openpgp"
)

// The files of the index.
const (
	IndexFile   = "Packages"
	packedIndex = "Packages.gz"
	SignedFile  = "InRelease"
	lockFile    = ".lock"
)

// Bounds of what is read of an index, in bytes.
const (
	MostSigned = 64 << 10
	mostIndex  = 4 << 20
	// MostIndex bounds the file Packages.
	MostIndex = mostIndex
)

// ErrNone says that a folder holds no index.
var ErrNone = errors.New("the folder has no packages yet: gatehouse packages add FILE.deb")

// Folder is a folder of packages on this computer.
type Folder struct{ Dir string }

// Index returns the packages that the index lists. With a ring its signature is verified.
// The error wraps ErrNone when there is no index.
func (f Folder) Index(ring openpgp.Ring) ([]Package, error) {
	signed, err := f.read(SignedFile, MostSigned)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	index, err := f.read(IndexFile, mostIndex)
	if err != nil {
		return nil, err
	}
	return Open(ring, signed, index)
}

// Open returns the packages of an index whose signature is by a key of the ring.
func Open(ring openpgp.Ring, signed, index []byte) ([]Package, error) {
	sum, err := SumOf(ring, signed)
	if err != nil {
		return nil, err
	}
	if have := sha256.Sum256(index); int64(len(index)) != sum.Size || hex.EncodeToString(have[:]) != sum.SHA256 {
		return nil, fmt.Errorf("%s is not the one that %s signs: it was changed, or is being changed",
			IndexFile, SignedFile)
	}
	return parseIndex(index)
}

// Sum is what a signature says of the file Packages.
type Sum struct {
	SHA256 string
	Size   int64
}

// SumOf verifies InRelease and returns what it says of Packages.
func SumOf(ring openpgp.Ring, signed []byte) (s Sum, err error) {
	text, err := ring.Verify(signed)
	if err != nil {
		return s, fmt.Errorf("%s: %w", SignedFile, err)
	}
	list, err := parseStanzas(text, MostSigned)
	if err != nil || len(list) != 1 {
		return s, fmt.Errorf("%s: %d paragraphs (%w)", SignedFile, len(list), err)
	}
	for _, x := range list[0] {
		if x.name != "SHA256" {
			continue
		}
		for line := range strings.SplitSeq(x.value, "\n") {
			part := strings.Fields(line)
			if len(part) != 3 || part[2] != IndexFile {
				continue
			}
			s.SHA256 = part[0]
			if s.Size, err = strconv.ParseInt(part[1], 10, 64); err != nil || s.Size > mostIndex {
				return s, fmt.Errorf("%s: %q is no size of an index", SignedFile, part[1])
			}
			return s, nil
		}
	}
	return s, fmt.Errorf("%s says nothing of %s", SignedFile, IndexFile)
}

func (f Folder) read(name string, most int64) ([]byte, error) {
	file, err := os.Open(filepath.Join(f.Dir, name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file.Name(), err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%s has more than %d bytes", file.Name(), most)
	}
	return b, nil
}

// Add checks packages, takes them into the folder and signs the new index. Of the same
// package, version and architecture there is one content only.
func (f Folder) Add(s Signer, files []string) (added []Package, err error) {
	err = f.change(s, func(list []Package) ([]Package, error) {
		for _, path := range files {
			p, err := readFile(path)
			if err != nil {
				return nil, err
			}
			i := slices.IndexFunc(list, p.same)
			if i >= 0 && list[i].SHA256 != p.SHA256 {
				return nil, fmt.Errorf("%s: the folder holds %s %s with another content: what gates have must not "+
					"change under the same version; give it a new one", path, p.Name, p.Version)
			}
			if j := slices.IndexFunc(list, func(q Package) bool { return q.File == p.File && !p.same(q) }); j >= 0 {
				return nil, fmt.Errorf("%s: the folder holds %s %s under the same name %s: versions that differ in "+
					"the number before the colon only don't go together; remove one", path, p.Name, list[j].Version,
					p.File)
			}
			if err := f.take(path, p); err != nil {
				return nil, err
			}
			if i < 0 {
				list = append(list, p)
			}
			added = append(added, p)
		}
		return list, nil
	})
	return added, err
}

// Remove takes a version out of the folder: all packages and architectures of it.
func (f Folder) Remove(s Signer, version string) (removed []Package, err error) {
	err = f.change(s, func(list []Package) ([]Package, error) {
		var kept []Package
		for _, p := range list {
			if p.Version == version {
				removed = append(removed, p)
			} else {
				kept = append(kept, p)
			}
		}
		if removed == nil {
			return nil, fmt.Errorf("the folder has no packages of version %q: gatehouse packages list", version)
		}
		return kept, nil
	})
	if err != nil {
		return nil, err
	}
	for _, p := range removed { // the index does not name them any more
		err = errors.Join(err, os.Remove(filepath.Join(f.Dir, p.File)))
	}
	return removed, err
}

// same reports whether q is of the same name, version and architecture.
func (p Package) same(q Package) bool {
	return p.Name == q.Name && Compare(p.Version, q.Version) == 0 && p.Architecture == q.Architecture
}

func readFile(path string) (Package, error) {
	file, err := os.Open(path)
	if err != nil {
		return Package{}, err
	}
	defer file.Close()
	p, err := ReadDeb(file)
	if err != nil {
		return p, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// take copies a package into the folder, whole or not at all.
func (f Folder) take(path string, p Package) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	return f.replace(p.File, func(w io.Writer) error {
		hash := sha256.New()
		n, err := io.Copy(io.MultiWriter(w, hash), from)
		if err == nil && (n != p.Size || hex.EncodeToString(hash.Sum(nil)) != p.SHA256) {
			err = errors.New("it changes while it is read")
		}
		if err != nil {
			return fmt.Errorf("copy %s: %w", path, err)
		}
		return nil
	})
}

// change rewrites the index under a lock: who reads meanwhile sees the one before or the
// next, or for an instant a signature that does not fit, and tries again.
func (f Folder) change(s Signer, edit func([]Package) ([]Package, error)) error {
	if err := os.MkdirAll(f.Dir, 0o755); err != nil { //nolint:gosec // it is served to everybody
		return fmt.Errorf("make the folder of packages: %w", err)
	}
	lock, err := lockfile.Take(filepath.Join(f.Dir, lockFile))
	if err != nil {
		return fmt.Errorf("somebody else changes the packages: %w", err)
	}
	defer lock.Close()
	list, err := f.standing(s.Key)
	if err != nil {
		return err
	}
	if list, err = edit(list); err != nil {
		return err
	}
	order(list)
	return f.write(s, list)
}

// standing returns what the index lists now. After a crash between its files the packages
// themselves say it.
func (f Folder) standing(key openpgp.Key) ([]Package, error) {
	public, err := key.Public()
	if err != nil {
		return nil, err
	}
	ring, err := openpgp.ParseRing(public)
	if err != nil {
		return nil, err
	}
	list, err := f.Index(ring)
	switch {
	case err == nil || errors.Is(err, ErrNone):
		return list, nil
	case errors.Is(err, openpgp.ErrForeign):
		return nil, fmt.Errorf("%w: bring back the key that has signed it, or empty the folder %s and add the "+
			"packages again: gates then need the new key", err, f.Dir)
	}
	index, err := f.read(IndexFile, mostIndex)
	if err != nil {
		return nil, err
	}
	return f.whole(index)
}

// whole returns those packages of an unsigned index that lie in the folder as it says.
func (f Folder) whole(index []byte) (out []Package, err error) {
	list, err := parseIndex(index)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if q, err := readFile(filepath.Join(f.Dir, p.File)); err == nil && q.SHA256 == p.SHA256 && p.same(q) {
			out = append(out, q)
		}
	}
	return out, nil
}
