package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/testkit/storetest"
)

// The bulk write is the plainest there is: one prepared INSERT of the same
// columns into a table of the same shape and durability, as many rows a
// transaction as a commit has.
func BenchmarkCommit(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "s.db"))
	file, err := db.Open(filepath.Join(b.TempDir(), "bulk.db"), `CREATE TABLE records (
		journal INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, received INTEGER NOT NULL,
		kind TEXT NOT NULL, raw BLOB NOT NULL, PRIMARY KEY (journal, seq)) WITHOUT ROWID`)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	journal := 0
	storetest.BenchmarkCommit(b, s, func(batches []store.Batch) error {
		return file.Write(context.Background(), func(tx *sql.Tx) error {
			insert, err := tx.Prepare("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)")
			if err != nil {
				return err
			}
			for _, x := range batches {
				journal++
				for _, e := range x.Entries {
					r := e.Record
					_, err := insert.Exec(journal, int64(r.Seq), r.At.UnixNano(), x.Received.UnixNano(),
						string(r.Kind), e.Raw)
					if err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
}
