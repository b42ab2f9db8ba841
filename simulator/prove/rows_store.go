package prove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/retention"
	"gatehouse/gateway/county/store/archive"
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
	}, {
		Row:          58,
		Name:         "store-wal-emptied",
		What:         "somebody empties the WAL of the store's file, to free space, while the collector runs",
		Expect:       "nothing is acknowledged; after a restart the file is whole, and agents send what it lacks",
		storeForgets: true, // what was in the WAL
		inject:       emptyWAL,
	}, {
		Row:  46,
		Name: "records-expire",
		What: "what the store has is two weeks older all at once, and readings are kept for a week; then an agent " +
			"sends all of them again",
		storeForgets: true, // its watermarks are taken back
		Expect:       "old readings are removed while new ones are stored, and none comes back",
		prepare: func(_ context.Context, r *rig) error {
			r.retention = &retention.Config{Readings: retention.Age(7 * 24 * time.Hour)}
			return nil
		},
		inject: expireRecords,
		verify: func(r *rig, result Result) error {
			if result.Expired == 0 || result.Stored == 0 {
				return fmt.Errorf("%d readings have expired, %d are stored", result.Expired, result.Stored)
			}
			r.note("%d readings have expired", result.Expired)
			return nil
		},
	}}
}

// expireRecords makes the store's records older while the collector is stopped, waits
// until the next one has removed readings, and lets agents send again.
func expireRecords(ctx context.Context, r *rig) error {
	r.wait(ctx, 2*time.Second)
	r.collector.end(syscall.SIGTERM, 10*time.Second)
	file, err := db.OpenReadOnly(storeFile(r.countyDir()))
	if err != nil {
		return err
	}
	before, _, err := db.One(ctx, file.Reader(), db.Value[int], "SELECT count(*) FROM records WHERE kind = 'reading'")
	file.Close()
	if err != nil {
		return err
	}
	if err := r.change(ctx, "UPDATE records SET received = received - ?", int64(14*24*time.Hour)); err != nil {
		return err
	}
	if err := r.collector.start(); err != nil {
		return err
	}
	if _, err := r.awaitOutput(ctx, r.collector, "old records were removed", 20*time.Second); err != nil {
		return fmt.Errorf("of %d readings: %w", before, err)
	}
	r.wait(ctx, 2*time.Second)
	r.collector.end(syscall.SIGTERM, 10*time.Second)
	if err := r.change(ctx, "UPDATE journals SET through = 0"); err != nil {
		return err
	}
	return r.collector.start()
}

// change changes the store's file while the collector is stopped.
func (r *rig) change(ctx context.Context, statement string, args ...any) error {
	a, err := archive.OpenSQLite(storeFile(r.countyDir()))
	if err != nil {
		return err
	}
	defer a.Close()
	_, err = a.File().Exec(ctx, statement, args...)
	return err
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
	if err := r.nothingAcknowledged(ctx); err != nil {
		return err
	}
	r.note("%d records waited", r.backlog(ctx))
	return moveStore(aside, file)
}

// nothingAcknowledged waits a while and fails if an agent's records were acknowledged.
func (r *rig) nothingAcknowledged(ctx context.Context) error {
	before, _ := r.claims()
	r.wait(ctx, 4*time.Second)
	after, _ := r.claims()
	for jid, through := range after {
		if through > before[jid] {
			return fmt.Errorf("journal %s was acknowledged up to %d, later up to %d, into a file that is not there",
				jid, before[jid], through)
		}
	}
	return nil
}

// emptyWAL empties the WAL, and restarts the collector after a while.
func emptyWAL(ctx context.Context, r *rig) error {
	r.wait(ctx, 4*time.Second)
	if err := os.Truncate(storeFile(r.countyDir())+"-wal", 0); err != nil {
		return err
	}
	if _, err := r.awaitOutput(ctx, r.collector, "emptied or written over", 15*time.Second); err != nil {
		return err
	}
	if err := r.nothingAcknowledged(ctx); err != nil {
		return err
	}
	r.collector.end(syscall.SIGTERM, 10*time.Second)
	return r.collector.start()
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
