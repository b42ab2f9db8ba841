package db_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gatehouse/gateway/county/db"
)

const (
	first  = `CREATE TABLE gates (name TEXT PRIMARY KEY); INSERT INTO gates VALUES ('east')`
	second = `ALTER TABLE gates ADD COLUMN lanes INTEGER NOT NULL DEFAULT 1`
)

func open(t *testing.T, path string, steps ...string) *db.File {
	t.Helper()
	f, err := db.Open(path, steps...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func insert(name string) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO gates (name) VALUES (?)", name)
		return err
	}
}

func gates(t *testing.T, f *db.File) []string {
	t.Helper()
	names, err := db.All(t.Context(), f.Reader(), db.Value[string], "SELECT name FROM gates ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestAnOlderFileIsBroughtUpToTheLastVersionAndKeepsItsRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a file?#.db")
	f := open(t, path, first)
	if err := f.Write(t.Context(), insert("west")); err != nil {
		t.Fatal(err)
	}
	f.Close()
	for range 2 { // the second time there is nothing to do
		f = open(t, path, first, second)
		if got := gates(t, f); !slices.Equal(got, []string{"east", "west"}) {
			t.Errorf("gates %v", got)
		}
		lanes, found, err := db.One(t.Context(), f.Reader(), db.Value[int],
			"SELECT lanes FROM gates WHERE name = 'west'")
		if lanes != 1 || !found || err != nil {
			t.Errorf("lanes %d, %v, %v", lanes, found, err)
		}
		f.Close()
	}
}

func TestAFileOfALaterVersionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	open(t, path, first, second).Close()
	if _, err := db.Open(path, first); err == nil || !strings.Contains(err.Error(), "later version") {
		t.Errorf("error is %v", err)
	}
}

func TestAStepThatFailsChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	open(t, path, first).Close()
	if _, err := db.Open(path, first, second, "no SQL"); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error is %v", err)
	}
	open(t, path, first, second) // the column is not there yet: it can be added
}

func TestSeveralProcessesMayCreateTheSameFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			f, err := db.Open(path, first, second)
			if err != nil {
				t.Error(err)
				return
			}
			f.Close()
		})
	}
	all.Wait()
}

func TestTheFileBelongsToItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	open(t, path, first)
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestWhatIsNoDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Open(path, first); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error is %v", err)
	}
	if _, err := db.OpenReadOnly(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

func TestAFileOpenedReadOnlySeesWhatIsCommittedAndCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	f := open(t, path, first)
	r, err := db.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := f.Write(t.Context(), insert("west")); err != nil {
		t.Fatal(err)
	}
	if got := gates(t, r); len(got) != 2 {
		t.Errorf("gates %v", got)
	}
	if _, err := r.Reader().ExecContext(t.Context(), "DELETE FROM gates"); err == nil {
		t.Error("it could be written to")
	}
}

func TestATransactionThatFailsChangesNothing(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "f.db"), first)
	failed := errors.New("failed")
	ended, cancel := context.WithCancel(t.Context())
	for name, err := range map[string]error{
		"an error": f.Write(t.Context(), func(tx *sql.Tx) error { return errors.Join(insert("west")(tx), failed) }),
		"the context ends": f.Write(ended, func(tx *sql.Tx) error {
			defer cancel()
			return insert("west")(tx)
		}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got := gates(t, f); !slices.Equal(got, []string{"east"}) {
		t.Errorf("gates %v", got)
	}
}

func TestRowsOfAQuery(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "f.db"), first)
	q := f.Reader()
	ctx := t.Context()
	const byName = "SELECT name FROM gates WHERE name = ?"
	if all, err := db.All(ctx, q, db.Value[string], byName, "north"); all == nil || len(all) != 0 || err != nil {
		t.Errorf("no row: %v, %v", all, err)
	}
	if v, found, err := db.One(ctx, q, db.Value[string], byName, "north"); v != "" || found || err != nil {
		t.Errorf("no row: %q, %v, %v", v, found, err)
	}
	for name, query := range map[string]string{
		"a wrong type":  "SELECT name FROM gates",
		"no such table": "SELECT 1 FROM doors",
		"fails at the second row": `SELECT 1 UNION ALL
			SELECT json_extract('no JSON', '$')`,
	} {
		if all, err := db.All(ctx, q, db.Value[int], query); all != nil || err == nil {
			t.Errorf("%s: %v, %v", name, all, err)
		}
	}
	if v, found, err := db.One(ctx, q, db.Value[int], "SELECT name FROM gates"); found || err == nil {
		t.Errorf("a wrong type: %v, %v, %v", v, found, err)
	}
	var seen []int
	for v, err := range db.Rows(ctx, q, db.Value[int], "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3") {
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, v); v == 2 {
			break
		}
	}
	if !slices.Equal(seen, []int{1, 2}) {
		t.Errorf("rows %v", seen)
	}
}
