package prove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// storeFiles are faults of the SQLite file that the collector has open.
func storeFiles() []Fault {
	return []Fault{{
		Row:          45,
		Name:         "store-file-replaced",
		What:         "the store's file is moved away and a backup is put in its place while the collector runs",
		Expect:       "nothing is acknowledged until the file is back; then the collector goes on by itself",
		storeForgets: true, // the backup does, for as long as it is there
		inject:       replaceStoreFile,
	}}
}

// replaceStoreFile puts a backup in the place of the store's file for a while.
func replaceStoreFile(ctx context.Context, r *rig) error {
	file := storeFile(r.countyDir())
	aside, backup := filepath.Join(r.Dir, "moved.db"), filepath.Join(r.Dir, "backup.db")
	r.collector.end(syscall.SIGTERM, 10*time.Second)
	if err := copyFile(backup, file); err != nil {
		return err
	}
	if err := r.collector.start(); err != nil {
		return err
	}
	r.wait(ctx, 4*time.Second)
	if err := moveStore(file, aside); err != nil {
		return err
	}
	if err := copyFile(file, backup); err != nil {
		return err
	}
	if _, err := r.awaitOutput(ctx, r.collector, "nothing is acknowledged until it does", 15*time.Second); err != nil {
		return err
	}
	before, _ := r.claims()
	r.wait(ctx, 4*time.Second)
	after, _ := r.claims()
	for jid, through := range after {
		if through > before[jid] {
			return fmt.Errorf("journal %s was acknowledged up to %d, later up to %d, into a file that is not there",
				jid, before[jid], through)
		}
	}
	r.note("%d records waited", r.backlog(ctx))
	return moveStore(aside, file)
}

// moveStore renames a store's file with the files that SQLite keeps beside it.
func moveStore(from, to string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(from+suffix, to+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func copyFile(to, from string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}
