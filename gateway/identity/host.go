package identity

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// HostID names this computer, so that a journal on a copied disk can tell. It
// is /etc/machine-id, or where a system has none an id kept in dir.
func HostID(dir string) (string, error) {
	if b, err := os.ReadFile("/etc/machine-id"); err == nil {
		if id := strings.TrimSpace(string(b)); id != "" {
			return id, nil
		}
	}
	path := filepath.Join(dir, "host-id")
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(dir, 0o700); err == nil {
			b = []byte(rand.Text() + "\n")
			err = create(path, string(b), 0o600)
		}
	}
	if err != nil {
		return "", fmt.Errorf("this computer's id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
