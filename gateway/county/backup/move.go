package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse/gateway/identity"
)

// move gives what was unpacked its places: the configuration first, the county's folder
// last and at once. Interrupted, it is begun again.
func (r Restore) move(files string, done *Restored) error {
	old, err := r.conflicts(done.Manifest)
	if err != nil {
		return err
	}
	for _, path := range old {
		aside := r.aside(path)
		if err := os.Rename(path, aside); err != nil {
			return fmt.Errorf("move %s aside: %w", path, err)
		}
		done.Aside[path] = aside
	}
	for _, f := range done.Files {
		if err := r.place(f, files, done); err != nil {
			return fmt.Errorf("restore %s: %w", f.Name, err)
		}
	}
	done.Config = filepath.Join(r.ConfigDir, filepath.Base(done.Paths.Config))
	if err := r.moveInflux(files, done); err != nil {
		return err
	}
	return r.moveCounty(filepath.Join(files, inCounty), done)
}

// place gives a file its owner and its rights, and one that is not of the county's folder
// its place.
func (r Restore) place(f File, files string, done *Restored) error {
	from := filepath.Join(files, filepath.FromSlash(f.Name))
	to, apart := r.to(f.Name)
	if !apart {
		return r.own(from, f, done)
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := r.folder(filepath.Dir(to), f, done); err != nil {
		return err
	}
	if strings.HasPrefix(f.Name, inElsewhere+"/") {
		done.Elsewhere[strings.TrimPrefix(f.Name, inElsewhere)] = to
	}
	if err := identity.Replace(to, b); err != nil {
		return err
	}
	return r.own(to, f, done)
}

// folder makes a folder for a file, and those above it, for whom the file belongs to.
func (r Restore) folder(dir string, f File, done *Restored) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := r.folder(filepath.Dir(dir), f, done); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	f.Mode = 0o750
	if strings.HasPrefix(f.Name, inAuthority+"/") {
		f.Mode = 0o700
	}
	return r.own(dir, f, done)
}

// own gives a file its owner, as far as this computer has the account, and its rights.
func (r Restore) own(path string, f File, done *Restored) error {
	err := give(path, f.Owner, f.Group)
	if errors.Is(err, ErrNobody) {
		if !slices.Contains(done.Nobody, f.Owner) {
			done.Nobody = append(done.Nobody, f.Owner)
		}
		err = nil
	}
	if err != nil {
		return err
	}
	return os.Chmod(path, f.Mode.Perm())
}

// moveInflux puts InfluxDB's own backup beside the county's folder.
func (r Restore) moveInflux(files string, done *Restored) error {
	from := filepath.Join(files, inInflux)
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	done.Influx = r.Dir + "-influx-" + r.Now.UTC().Format(nameTime)
	if err := os.Rename(from, done.Influx); err != nil {
		return fmt.Errorf("move InfluxDB's backup: %w", err)
	}
	return nil
}

// moveCounty moves what is in the county's place aside, and the restored folder there.
func (r Restore) moveCounty(from string, done *Restored) error {
	for _, f := range done.Files { // folders belong to whom the store belongs to
		if f.Name != inCounty+"/"+storeFile {
			continue
		}
		err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			return r.own(path, File{Owner: f.Owner, Group: f.Group, Mode: 0o700}, done)
		})
		if err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(r.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case len(entries) == 0:
		if err := os.Remove(r.Dir); err != nil {
			return fmt.Errorf("put the county's folder to %s: %w: if a disk is mounted there, give --dir a folder "+
				"on it", r.Dir, err)
		}
	default:
		aside := r.aside(r.Dir)
		if err := os.Rename(r.Dir, aside); err != nil {
			return fmt.Errorf("move %s aside: %w: if a disk is mounted there, give --dir a folder on it", r.Dir, err)
		}
		done.Aside[r.Dir] = aside
	}
	if err := os.Rename(from, r.Dir); err != nil {
		return fmt.Errorf("put the county's folder to its place: %w", err)
	}
	return syncFolder(filepath.Dir(r.Dir))
}

// aside returns where what was at a path goes.
func (r Restore) aside(path string) string { return path + ".before-" + r.Now.UTC().Format(nameTime) }
