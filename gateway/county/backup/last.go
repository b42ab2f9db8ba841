package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/secret"
)

// Last is the last good backup of a county, as the collector is told.
type Last struct {
	At       time.Time `json:"at"` // of its content
	File     string    `json:"file"`
	Size     int64     `json:"size"`   // bytes
	SHA256   string    `json:"sha256"` // of the file
	Verified bool      `json:"verified"`
}

// ReadLast returns the last good backup of the county in dir; ok is false when none was
// made yet.
func ReadLast(dir string) (last Last, ok bool, err error) {
	b, err := secret.Read(filepath.Join(dir, lastFile))
	if errors.Is(err, os.ErrNotExist) {
		return last, false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &last)
	}
	if err != nil {
		return last, false, fmt.Errorf("read when the last backup was made: %w", err)
	}
	return last, true, nil
}

func (l Last) write(dir string) error {
	b, err := json.Marshal(l)
	if err == nil {
		path := filepath.Join(dir, lastFile)
		err = errors.Join(identity.Replace(path, append(b, '\n')), like(path, dir))
	}
	if err != nil {
		return fmt.Errorf("note that a backup was made: %w", err)
	}
	return nil
}
