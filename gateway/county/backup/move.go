package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// move gives what was unpacked its places: the configuration first, the county's folder
// last and at once. Interrupted, it is begun again.
func (r Restore) move(files string, done *Restored) error {
	if err := r.clear(done); err != nil {
		return err
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

// clear moves files aside whose places others take.
func (r Restore) clear(done *Restored) error {
	old, err := r.conflicts(done.Manifest)
	if err != nil {
		return err
	}
	for _, path := range old {
		aside := r.aside(path)
		if err := r.setAside(path, aside); err != nil {
			return fmt.Errorf("move %s aside: %w", path, err)
		}
		done.Aside[path] = aside
	}
	return nil
}

// place gives a file its owner and its rights, and one that is not of the county's folder
// its place.
func (r Restore) place(f File, files string, done *Restored) error {
	from := filepath.Join(files, filepath.FromSlash(f.Name))
	to, apart := r.to(f.Name)
	if !apart {
		return done.hand(from, f)
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if strings.HasPrefix(f.Name, inElsewhere+"/") {
		done.Elsewhere[strings.TrimPrefix(f.Name, inElsewhere)] = to
	}
	return r.put(to, b, f, done)
}

// hand gives what was unpacked its owner and its rights. Nobody else can reach it yet.
func (d *Restored) hand(path string, f File) error {
	err := d.give(f, func(uid, gid int) error { return os.Lchown(path, uid, gid) })
	if err != nil {
		return err
	}
	return os.Chmod(path, f.Mode.Perm())
}

// give gives a file its owner by chown, as far as this computer has the account.
func (d *Restored) give(f File, chown func(uid, gid int) error) error {
	if os.Geteuid() != 0 || f.Owner == "" {
		return nil
	}
	uid, gid := ids(f.Owner, f.Group)
	if uid < 0 && !slices.Contains(d.Nobody, f.Owner) {
		d.Nobody = append(d.Nobody, f.Owner)
	}
	return chown(uid, gid)
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
			return done.hand(path, File{Owner: f.Owner, Group: f.Group, Mode: 0o700})
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
