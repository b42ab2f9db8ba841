package db_test

import (
	"os"
	"path/filepath"
	"testing"
)

// A reader that stays open makes the WAL grow by all that is committed meanwhile. When
// it has ended, the WAL is small again.
func TestTheWALShrinksWhenALongReaderHasEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	f := open(t, path, first+load)
	size := func() int64 {
		info, err := os.Stat(path + "-wal")
		must(t, err)
		return info.Size()
	}
	for range 20 {
		grow(t, f, 4200)
	}
	without := size()
	reading, err := f.Reader().BeginTx(t.Context(), nil)
	must(t, err)
	must(t, reading.QueryRow("SELECT count(*) FROM load").Scan(new(int)))
	for range 20 {
		grow(t, f, 4200)
	}
	with := size()
	must(t, reading.Rollback())
	for range 3 { // copied into the file, begun anew
		grow(t, f, 4)
	}
	after := size()
	t.Logf("%d MiB without a reader, %d with it, %d after it", without>>20, with>>20, after>>20)
	if without > 16<<20 || with < 80<<20 || after > 17<<20 {
		t.Errorf("%d MiB without a reader, %d with it, %d after it", without>>20, with>>20, after>>20)
	}
}
