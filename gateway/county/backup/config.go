// Package backup copies what a county keeps into one encrypted file while the collector
// runs, tries that file, and brings a county back from it.
package backup

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"gatehouse/gateway/sealed"
)

// Config says where backups go and who can open them.
type Config struct {
	Dir        string        `yaml:"dir,omitempty"`        // folder of the backups, on another disk
	Recipients []string      `yaml:"recipients"`           // who can open them: age1..., as age-keygen -y prints
	Keep       int           `yaml:"keep,omitempty"`       // how many stay in dir, 1 to 1000; absent: all
	WarnAfter  time.Duration `yaml:"warn_after,omitempty"` // of the last good one, 1h to 2160h; absent: 48h
}

const (
	mostKept   = 1000
	warnAfter  = 48 * time.Hour
	warnLeast  = time.Hour
	warnMost   = 90 * 24 * time.Hour
	mostToSeal = 20 // recipients
)

// Check returns what is wrong, each fault with its key.
func (c Config) Check() error {
	var errs []error
	if len(c.Recipients) == 0 || len(c.Recipients) > mostToSeal {
		errs = append(errs, fmt.Errorf("recipients: name 1 to %d, as age-keygen -y prints them (age1...)", mostToSeal))
	}
	for _, to := range c.Recipients {
		if err := sealed.CheckRecipient(to); err != nil {
			errs = append(errs, fmt.Errorf("recipients: %q: write what age-keygen -y prints, age1...: %w", to, err))
		}
	}
	if c.Keep < 0 || c.Keep > mostKept {
		errs = append(errs, fmt.Errorf("keep %d: write 1 to %d", c.Keep, mostKept))
	}
	if c.WarnAfter != 0 && (c.WarnAfter < warnLeast || c.WarnAfter > warnMost) {
		errs = append(errs, fmt.Errorf("warn_after %s: write 1h to 2160h", c.WarnAfter))
	}
	return errors.Join(errs...)
}

// Late returns after how long without a good backup somebody is told.
func (c Config) Late() time.Duration {
	if c.WarnAfter == 0 {
		return warnAfter
	}
	return c.WarnAfter
}

// Names of files in the county's folder.
const (
	storeFile  = "gatehouse.db"
	lastFile   = "last-backup.json"
	lockFile   = "backup.lock"
	scratchDir = ".gatehouse-backup" // of copies that are not encrypted yet
)

// within reports whether path is dir or lies in it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
