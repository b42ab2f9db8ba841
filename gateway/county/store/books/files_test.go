package books_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/testkit/storetest"
)

func open(t *testing.T, path string) *books.Books {
	t.Helper()
	b, err := books.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func newBooks(t *testing.T) *books.Books { return open(t, filepath.Join(t.TempDir(), "books.db")) }

// released makes a file as an earlier program left it: a dump of one.
func released(t *testing.T) (path string) {
	t.Helper()
	text, err := os.ReadFile("testdata/version4.sql")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "books.db")
	execute(t, path, string(text))
	return path
}

func execute(t *testing.T, path, statements string) {
	t.Helper()
	f, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}

func TestAFileOfAnEarlierProgramOpensUnchanged(t *testing.T) {
	b := open(t, released(t))
	ctx := t.Context()
	id, term, err := b.Identity(ctx)
	if id != "3e8f5878-4bd6-44de-a018-b7f6769e781c" || term != 7 || err != nil {
		t.Errorf("store %s at term %d, %v", id, term, err)
	}
	if marker, err := b.Marker(ctx); marker != "0190b1c2-0000-7000-8000-00000000abcd" || err != nil {
		t.Errorf("marker %s, %v", marker, err)
	}
	want := store.Position{JID: storetest.JID(1), Agent: "gate-001", Through: 4,
		Place: store.Place{Community: "c1", Grid: "g1", Compound: "k1"}}
	if p, err := b.Position(ctx, want.JID); p != want || err != nil {
		t.Errorf("position %+v, %v", p, err)
	}
	if quarantined, lost, err := b.Losses(ctx); quarantined != 2 || lost != 1 || err != nil {
		t.Errorf("%d in quarantine, %d lost, %v", quarantined, lost, err)
	}
	if q, err := b.Quarantined(ctx, 1); err != nil || len(q) != 1 || string(q[0].Raw) != "\xff\x00" {
		t.Errorf("quarantine %+v, %v", q, err)
	}
	entries := storetest.Batch(2, 1, 2).Entries
	known, err := b.Digests(ctx, storetest.JID(2), 1, 9)
	if err != nil || len(known) != 2 || known[2] != books.DigestOf(entries[1].Raw) {
		t.Errorf("digests %v, %v", known, err)
	}
}

var comment = regexp.MustCompile(`--.*|\s+`)

// schema returns the statements that make the tables of a file, without their
// comments.
func schema(t *testing.T, path string) []string {
	t.Helper()
	f, err := db.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := db.All(t.Context(), f.Reader(), db.Value[string],
		"SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range all {
		all[i] = comment.ReplaceAllString(s, "")
	}
	return all
}

func TestANewFileHasTheSchemaOfAReleasedOneThatWasBroughtUp(t *testing.T) {
	path, old := filepath.Join(t.TempDir(), "books.db"), released(t)
	open(t, path)
	open(t, old)
	if got, want := schema(t, path), schema(t, old); !slices.Equal(got, want) {
		t.Errorf("schema:\n%s\nreleased:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A file of version 3 knows what is in quarantine, and not whose share that is.
func TestTheQuarantineOfAnEarlierVersionCountsForItsAgents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	b := open(t, path)
	half := store.Poison{Agent: "gate-001", Topic: "t", Reason: "r", Raw: make([]byte, store.ShareBytes/2)}
	if err := b.Quarantine(t.Context(), half); err != nil {
		t.Fatal(err)
	}
	b.Close()
	execute(t, path, `DROP TRIGGER quarantine_in; DROP TRIGGER quarantine_out; DROP TABLE shares; DROP TABLE expired;
		DROP TABLE rollups; PRAGMA user_version = 3`)
	b = open(t, path)
	half.Raw = append([]byte("x"), half.Raw...)
	if err := b.Quarantine(t.Context(), half); !errors.Is(err, store.ErrShare) {
		t.Errorf("the second half: %v", err)
	}
	if err := b.Quarantine(t.Context(), store.Poison{Agent: "gate-001", Raw: []byte("{")}); err != nil {
		t.Errorf("a little more: %v", err)
	}
}
