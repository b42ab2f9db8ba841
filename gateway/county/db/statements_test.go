package db_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"gatehouse/gateway/county/db"
)

func TestPreparedStatementsRunOnThePoolAndInATransaction(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "f.db"), first)
	const (
		add   = "INSERT INTO gates (name) VALUES (?)"
		count = "SELECT count(*) FROM gates"
		other = "SELECT 1 + count(*) FROM gates"
	)
	s, err := db.Prepare(t.Context(), f.Writer(), add, count)
	if err != nil {
		t.Fatal(err)
	}
	number := func(s db.Statements, query string) int {
		n, _, err := db.One(t.Context(), s, db.Value[int], query)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	err = f.Write(t.Context(), func(tx *sql.Tx) error {
		if _, err := s.In(tx).ExecContext(t.Context(), add, "west"); err != nil {
			return err
		}
		if n, m := number(s.In(tx), count), number(s.In(tx), other); n != 2 || m != 3 {
			t.Errorf("%d and %d within the transaction", n, m)
		}
		return sql.ErrNoRows // undoes it
	})
	if err == nil {
		t.Error("the transaction did not fail")
	}
	if n := number(s, count); n != 1 {
		t.Errorf("%d gates after a transaction that failed", n)
	}
	if _, err := s.ExecContext(t.Context(), add, "west"); err != nil || number(s, other) != 3 {
		t.Errorf("%v, %d", err, number(s, other))
	}
	if _, err := db.Prepare(t.Context(), f.Writer(), "no SQL"); err == nil {
		t.Error("what is no SQL was prepared")
	}
}
