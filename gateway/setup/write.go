package setup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/identity"
)

// Owner are the ids that files for the services get; -1: they stay as they are.
type Owner struct{ UID, GID int }

// ErrThere means that the folder has a configuration already.
var ErrThere = errors.New("there is a configuration already")

// Written says what Write did with a file.
type Written struct {
	Path string `json:"path"`
	// Done is new, replaced, kept (people may have changed it), or same.
	Done string `json:"done"`
	Copy string `json:"copy,omitempty"` // of the file that was replaced
}

// Write writes the files into a folder, the last one last, each whole or not at all, and durable. A
// configuration that is there is replaced only if again is set: the error wraps ErrThere.
// Of what it replaces it keeps copies with the time in their names.
func Write(
	dir string,
	files []File,
	again bool,
	to Owner,
	now time.Time,
) (out []Written, err error) {
	if _, err := os.Stat(filepath.Join(dir, ConfigFile)); err == nil && !again {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, ConfigFile), ErrThere)
	}
	for _, f := range files {
		w, err := write(dir, f, to, now)
		if err != nil {
			return out, fmt.Errorf("write %s: %w", filepath.Join(dir, f.Name), err)
		}
		out = append(out, w)
	}
	return out, nil
}

func write(dir string, f File, to Owner, now time.Time) (w Written, err error) {
	at := filepath.Join(dir, filepath.FromSlash(f.Name))
	w = Written{Path: at, Done: "new"}
	if err := folders(dir, filepath.Dir(at), to); err != nil {
		return w, err
	}
	switch old, err := os.ReadFile(at); {
	case err == nil && bytes.Equal(old, f.Text):
		w.Done = "same"
		return w, own(at, f, to)
	case err == nil && f.Keep:
		w.Done = "kept"
		return w, nil
	case err == nil:
		w.Done, w.Copy = "replaced", at+"."+now.UTC().Format("20060102T150405Z")
		if err := os.Link(at, w.Copy); err != nil && !errors.Is(err, fs.ErrExist) {
			return w, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return w, err
	}
	fresh := at + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return w, err
	}
	if err := identity.Create(fresh, string(f.Text), 0o600); err != nil {
		return w, err
	}
	if err := own(fresh, f, to); err != nil {
		return w, err
	}
	return w, errors.Join(os.Rename(fresh, at), identity.SyncFolder(filepath.Dir(at)))
}

// folders makes the folders from dir down to at.
func folders(dir, at string, to Owner) error {
	if _, err := os.Stat(at); err == nil {
		return nil
	}
	if at != dir {
		if err := folders(dir, filepath.Dir(at), to); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(at, 0o750); err != nil { //nolint:gosec // the service's group reads it
		return err
	}
	if to.GID < 0 {
		return nil
	}
	return os.Chown(at, -1, to.GID)
}

// own sets who may read a file.
func own(at string, f File, to Owner) error {
	mode := fs.FileMode(0o640)
	if f.Secret {
		mode = 0o600
	}
	if err := os.Chmod(at, mode); err != nil {
		return err
	}
	switch {
	case to.UID < 0 || f.Root:
		return nil
	case f.Secret:
		return os.Chown(at, to.UID, to.GID)
	}
	return os.Chown(at, -1, to.GID)
}
