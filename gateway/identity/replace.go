package identity

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace writes a file (0600) anew, durable when it returns, and whole or not at all.
func Replace(path string, b []byte) error {
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := Create(fresh, string(b), 0o600); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}
