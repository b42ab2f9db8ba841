package identity

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// HostID returns this computer's id, by which a journal on a copied disk detects
// that it is on another computer. It is /etc/machine-id; on a system without one,
// a random id that is kept in dir.
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
			err = Create(path, string(b), 0o600)
		}
	}
	if err != nil {
		return "", fmt.Errorf("this computer's id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
