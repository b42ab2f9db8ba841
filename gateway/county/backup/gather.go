package backup

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
	"strings"

	"golang.org/x/sys/unix"
)

// mostSmall bounds a file that is no database, in bytes.
const mostSmall = 64 << 20

// entry is a file on its way into a backup.
type entry struct {
	File

	text []byte // of a small file
	path string // of another one
}

func (e entry) open() (io.ReadCloser, error) {
	if e.path == "" {
		return io.NopCloser(strings.NewReader(string(e.text))), nil
	}
	return os.Open(e.path)
}

// small reads a file that is no database. It does not wait for one that is a pipe.
func small(path, name string) (e entry, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return e, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() > mostSmall) {
		err = fmt.Errorf("%s is no file of a county: it is no plain file, or larger than %d MiB", path, mostSmall>>20)
	}
	if err != nil {
		return e, err
	}
	if e.text, err = io.ReadAll(f); err != nil {
		return e, err
	}
	e.File = describe(info, name)
	e.Size = int64(len(e.text))
	sum := sha256.Sum256(e.text)
	e.SHA256 = hex.EncodeToString(sum[:])
	return e, nil
}

func describe(info fs.FileInfo, name string) File {
	f := File{Name: name, Size: info.Size(), Mode: info.Mode().Perm()}
	f.Owner, f.Group = ownerOf(info)
	return f
}

// large describes a file that stays where it is until it is written.
func large(path, name string) (e entry, err error) {
	f, err := os.Open(path)
	if err != nil {
		return e, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return e, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return e, err
	}
	e = entry{File: describe(info, name), path: path}
	e.SHA256 = hex.EncodeToString(h.Sum(nil))
	return e, nil
}

// passing reports whether a file of the county's folder belongs to a program that runs, or
// is made again: locks, the databases, which are copied otherwise, and what was set aside.
func passing(name string) bool {
	switch name {
	case "lock", lockFile, lastFile, "setup-link":
		return true
	}
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".new") || strings.Contains(name, ".db")
}

// below returns the small files of a folder and of those in it, but those that skip names.
func below(dir, top string, skip func(path string, d fs.DirEntry) bool) (list []entry, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != dir:
			return nil // a file that was there a moment ago
		case err != nil:
			return err
		case path != dir && skip(path, d) && d.IsDir():
			return fs.SkipDir
		case d.IsDir() || skip(path, d):
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		e, err := small(path, top+"/"+filepath.ToSlash(rel))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			list = append(list, e)
		}
		return err
	})
	return list, err
}

// databases returns the SQLite files of the county's folder in the order in which their
// states are taken: the desk's before the store's, which it follows (deploy/BACKUP.md).
func databases(dir string) (paths []string, err error) {
	paths, err = filepath.Glob(filepath.Join(escape(dir), "*.db"))
	rank := func(path string) int { return slices.Index([]string{storeFile}, filepath.Base(path)) }
	slices.SortFunc(paths, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	if err == nil && (len(paths) == 0 || rank(paths[len(paths)-1]) < 0) {
		err = fmt.Errorf("there is no store (gatehouse.db) in %s: is it the collector's folder?", dir)
	}
	return paths, err
}

// escape makes a pattern of a path.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// files returns the small files of the plan.
func (p Plan) files() (list []entry, err error) {
	list, err = below(p.Paths.County, inCounty, func(path string, d fs.DirEntry) bool {
		return passing(d.Name()) || slices.ContainsFunc(p.Skip, func(s string) bool { return within(path, s) })
	})
	if err != nil {
		return nil, fmt.Errorf("read the county's folder: %w", err)
	}
	config, err := p.configured()
	if err != nil {
		return nil, fmt.Errorf("read what the configuration names: %w", err)
	}
	list = append(list, config...)
	if !p.Authority {
		return list, nil
	}
	authority, err := below(p.Paths.Authority, inAuthority, func(_ string, d fs.DirEntry) bool {
		return strings.HasSuffix(d.Name(), ".new")
	})
	if err == nil && !slices.ContainsFunc(authority, func(e entry) bool { return e.Name == inAuthority+"/ca.key" }) {
		err = fmt.Errorf("there is no ca.key in %s: is its disk mounted?", p.Paths.Authority)
	}
	if err != nil {
		return nil, fmt.Errorf("read the folder of the county's authority: %w", err)
	}
	return append(list, authority...), nil
}

// configured returns the configuration and the files that it names.
func (p Plan) configured() (list []entry, err error) {
	seen := map[string]bool{}
	base := filepath.Dir(p.Paths.Config)
	for _, path := range append([]string{p.Paths.Config}, p.Named...) {
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		if seen[path] || within(path, p.Paths.County) || p.apart(path) {
			continue
		}
		seen[path] = true
		name := inElsewhere + path
		if rel, err := filepath.Rel(base, path); err == nil && filepath.IsLocal(rel) {
			name = inConfig + "/" + filepath.ToSlash(rel)
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, err
		case info.IsDir():
			hidden := func(_ string, d fs.DirEntry) bool { return strings.HasPrefix(d.Name(), ".") }
			more, err := below(path, name, hidden)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
			continue
		}
		e, err := small(path, name)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return once(list), nil
}

// once leaves out what is in the list already: a file may be named by itself, and lie in a
// folder that is named.
func once(list []entry) []entry {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(e entry) bool {
		before := seen[e.Name]
		seen[e.Name] = true
		return before
	})
}

// apart reports whether a path is of the authority, which only Authority names.
func (p Plan) apart(path string) bool { return within(path, p.Paths.Authority) }
