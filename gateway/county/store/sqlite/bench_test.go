package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/testkit/storetest"
)

// The bulk write is the plainest there is: one prepared INSERT of the same
// columns into a table of the same shape and durability, as many rows a
// transaction as a commit has.
func BenchmarkCommit(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "s.db"))
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bulk.db")+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE records (journal INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
		received INTEGER NOT NULL, kind TEXT NOT NULL, raw BLOB NOT NULL, PRIMARY KEY (journal, seq)) WITHOUT ROWID`); err != nil {
		b.Fatal(err)
	}
	journal := 0
	storetest.BenchmarkCommit(b, s, func(batches []store.Batch) error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		insert, err := tx.Prepare("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)")
		if err != nil {
			return err
		}
		for _, x := range batches {
			journal++
			for _, e := range x.Entries {
				if _, err := insert.Exec(journal, int64(e.Record.Seq), e.Record.At.UnixNano(), x.Received.UnixNano(), string(e.Record.Kind), e.Raw); err != nil {
					return err
				}
			}
		}
		return tx.Commit()
	})
}
