package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/db"
)

// load is a table that makes a file large.
const load = "; CREATE TABLE load (x BLOB)"

// grow writes n KiB.
func grow(t *testing.T, f *db.File, n int) {
	t.Helper()
	if _, err := f.Exec(t.Context(), "INSERT INTO load VALUES (zeroblob(1024 * ?))", n); err != nil {
		t.Fatal(err)
	}
}

// copyOnto writes the content of one file into another, as cp does.
func copyOnto(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// mishap is something that happens to an open file.
type mishap struct {
	happens func(t *testing.T, path, backup string)
	undone  func(t *testing.T, path string) // nil: only a new start helps
	says    string
}

var mishaps = map[string]mishap{
	"moved away": {
		func(t *testing.T, path, _ string) { must(t, os.Rename(path, path+".old")) },
		func(t *testing.T, path string) { must(t, os.Rename(path+".old", path)) }, "put it back"},
	"its folder was moved": {
		func(t *testing.T, path, _ string) { must(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".old")) },
		func(t *testing.T, path string) { must(t, os.Rename(filepath.Dir(path)+".old", filepath.Dir(path))) },
		"put it back"},
	"removed": {func(t *testing.T, path, _ string) { must(t, os.Remove(path)) }, nil, "/proc/"},
	"a backup in its place": {
		func(t *testing.T, path, backup string) {
			must(t, os.Rename(path, path+".old"))
			copyOnto(t, backup, path)
		},
		func(t *testing.T, path string) { must(t, os.Rename(path+".old", path)) }, "another file"},
	"a backup renamed over it": {
		func(t *testing.T, path, backup string) { must(t, os.Rename(backup, path)) }, nil, "another file"},
	"a link in its place": {
		func(t *testing.T, path, backup string) { must(t, os.Remove(path), os.Symlink(backup, path)) },
		nil, "another file"},
	"its WAL removed": {
		func(t *testing.T, path, _ string) { must(t, os.Remove(path+"-wal")) }, nil, "ordinary way"},
	"its WAL moved": {
		func(t *testing.T, path, _ string) { must(t, os.Rename(path+"-wal", path+"-wal.old")) },
		func(t *testing.T, path string) { must(t, os.Rename(path+"-wal.old", path+"-wal")) }, "ordinary way"},
	"its WAL emptied": {
		func(t *testing.T, path, _ string) { must(t, os.Truncate(path+"-wal", 0)) }, nil, "emptied or written over"},
	"another WAL copied onto its own": {
		func(t *testing.T, path, backup string) { copyOnto(t, backup, path+"-wal") }, nil, "emptied or written over"},
	"its index emptied": {
		func(t *testing.T, path, _ string) { must(t, os.Truncate(path+"-shm", 0)) }, nil, "start it again"},
	"its folder removed": {
		func(t *testing.T, path, _ string) { must(t, os.RemoveAll(filepath.Dir(path))) }, nil, "/proc/"},
	"moved to another file system": { // as mv does
		func(t *testing.T, path, backup string) {
			copyOnto(t, path, backup)
			must(t, os.Remove(path), os.Symlink(backup, path))
		}, nil, "another file"},
	"something appended to it": {
		func(t *testing.T, path, _ string) { must(t, os.Truncate(path, 10<<20)) }, nil, "written over"},
	"a backup copied onto it": {
		func(t *testing.T, path, backup string) { copyOnto(t, backup, path) }, nil, "written over"},
	"emptied": {func(t *testing.T, path, _ string) { must(t, os.Truncate(path, 0)) }, nil, "written over"},
}

// A backup is made, the file grows beyond it, something happens to it, and after that
// nothing may be written.
func TestNothingIsWrittenToAFileThatIsNotAtItsPath(t *testing.T) {
	for name, c := range mishaps {
		t.Run(name, func(t *testing.T) {
			path, backup := filepath.Join(t.TempDir(), "county", "f.db"), filepath.Join(t.TempDir(), "backup.db")
			must(t, os.Mkdir(filepath.Dir(path), 0o700))
			f := open(t, path, first+load)
			must(t, f.Write(t.Context(), insert("backed up")))
			_, err := f.Writer().Exec("VACUUM INTO '" + backup + "'")
			must(t, err)
			grow(t, f, 4200) // more than the WAL holds: most of it goes into the file
			must(t, f.Write(t.Context(), insert("acknowledged")), f.Check())
			c.happens(t, path, backup)
			for range 2 {
				err := f.Write(t.Context(), insert("lost"))
				if !errors.Is(err, db.ErrMoved) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("a write: %v", err)
				}
				if err := f.Check(); !errors.Is(err, db.ErrMoved) {
					t.Errorf("a check: %v", err)
				}
			}
			if c.undone == nil {
				return
			}
			c.undone(t, path)
			must(t, f.Check(), f.Write(t.Context(), insert("afterwards")), f.Close())
			got := strings.Join(gates(t, open(t, path, first+load)), " ")
			if !strings.Contains(got, "acknowledged") || !strings.Contains(got, "afterwards") ||
				strings.Contains(got, "lost") {
				t.Errorf("the file holds %.100s", got)
			}
		})
	}
}

func TestWhatWasCommittedIsInTheMovedFileAfterTheEnd(t *testing.T) {
	for name, suffixes := range map[string][]string{
		"with its WAL": {"", "-wal", "-shm"}, "alone": {""}, "only its WAL was": {"-wal"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, moved := filepath.Join(dir, "f.db"), filepath.Join(dir, "moved.db")
			f := open(t, path, first+load)
			must(t, f.Write(t.Context(), insert("acknowledged")))
			for _, suffix := range suffixes {
				must(t, os.Rename(path+suffix, moved+suffix))
			}
			must(t, f.Close())
			if suffixes[0] == "-wal" {
				moved = path
			} else {
				other := open(t, path, first+load) // what comes to the place is not mixed with the old one
				if got := gates(t, other); len(got) != 1 {
					t.Errorf("the new file holds %v", got)
				}
			}
			if got := gates(t, open(t, moved, first+load)); len(got) != 2 || got[0] != "acknowledged" {
				t.Errorf("the moved file holds %v", got)
			}
		})
	}
}

func TestABackupThatWasCopiedOntoAnOpenFileStaysWhole(t *testing.T) {
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "f.db"), filepath.Join(dir, "backup.db")
	f := open(t, path, first+load)
	must(t, f.Write(t.Context(), insert("backed up")), f.Close())
	copyOnto(t, path, backup)
	f = open(t, path, first+load)
	grow(t, f, 4200)
	copyOnto(t, backup, path)
	if err := f.Check(); !errors.Is(err, db.ErrMoved) {
		t.Fatalf("error is %v", err)
	}
	must(t, f.Close())
	f = open(t, path, first+load)
	if got := gates(t, f); len(got) != 2 {
		t.Errorf("%v", got)
	}
	result, _, err := db.One(t.Context(), f.Reader(), db.Value[string], "PRAGMA integrity_check")
	if result != "ok" || err != nil {
		t.Errorf("%s, %v", result, err)
	}
	if aside, err := filepath.Glob(path + "-wal.aside-*"); len(aside) != 1 || err != nil {
		t.Errorf("set aside: %v, %v", aside, err)
	}
}

// An older copy of the WAL is copied onto it: what SQLite would find after its end is
// zeros. They are not copied into the file.
func TestAWALThatWasRestoredAloneSpoilsNothing(t *testing.T) {
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "f.db"), filepath.Join(dir, "backup")
	f := open(t, path, first+load)
	must(t, f.Write(t.Context(), insert("backed up")))
	copyOnto(t, path+"-wal", backup)
	grow(t, f, 300)
	must(t, f.Write(t.Context(), insert("acknowledged")))
	copyOnto(t, backup, path+"-wal")
	if err := f.Write(t.Context(), insert("lost")); !errors.Is(err, db.ErrMoved) {
		t.Errorf("error is %v", err)
	}
	must(t, f.Close())
	if aside, err := filepath.Glob(path + "-wal.aside-*"); len(aside) != 1 || err != nil {
		t.Errorf("set aside: %v, %v", aside, err)
	}
	b, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(b), "SQLite format 3") {
		t.Errorf("the file begins with %q, %v", b[:min(len(b), 16)], err)
	}
}

// What SQLite itself does to the file and its WAL is no reason to stop: here and in
// another process, while connections come and go.
func TestWhatSQLiteDoesToTheFileIsNoFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	f := open(t, path, first+load)
	ctx, cancel := context.WithCancel(t.Context())
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(200 * time.Microsecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			if err := f.Check(); err != nil {
				t.Error(err)
				return
			}
			<-tick.C
		}
	})
	for i := range 3 {
		grow(t, f, 4200) // the WAL is copied into the file
		other := open(t, path, first+load)
		grow(t, other, 4200)
		does := []string{"PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA wal_checkpoint(RESTART)",
			"VACUUM INTO '" + path + ".backup'; VACUUM"}[i]
		if _, err := other.Writer().Exec(does); err != nil {
			t.Error(err)
		}
		must(t, other.Close())
		ended, end := context.WithCancel(t.Context())
		err := f.Write(ended, func(tx *sql.Tx) error { // this connection is not used again
			end()
			return insert(fmt.Sprint("never ", i))(tx)
		})
		if err == nil {
			t.Error("no error")
		}
		now := time.Now().Add(time.Duration(i) * time.Hour)
		must(t, os.Chtimes(path, now, now))
	}
	cancel()
	looking.Wait()
	n, _, err := db.One(t.Context(), f.Reader(), db.Value[int], "SELECT count(*) FROM load")
	if n != 6 || err != nil || len(gates(t, f)) != 1 {
		t.Errorf("%d rows, %v, gates %v", n, err, gates(t, f))
	}
}
