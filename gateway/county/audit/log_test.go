package audit

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/db"
)

func open(t *testing.T, path string) (*Log, *db.File) {
	t.Helper()
	file, err := db.Open(path, Schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return New(file, func() time.Time { return t0 }), file
}

// verify returns what is wrong with the chain in a log, and how many entries it has.
func verify(t *testing.T, l *Log) (faults []Fault, count int) {
	t.Helper()
	var c Check
	for e, err := range l.Entries(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		faults = append(faults, c.Next(e)...)
		count++
	}
	if h, err := l.Head(t.Context()); err != nil || count > 0 && len(faults) == 0 && h != c.End() {
		t.Errorf("the head is %v, %v; the last entry %v", h, err, c.End())
	}
	return faults, count
}

func TestEntriesOfManyProcessesAreOneChain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "desk.db")
	var all sync.WaitGroup
	for p := range 4 {
		l, _ := open(t, path)
		all.Go(func() {
			for i := range 25 {
				act := Act{LookGate, fmt.Sprintf("gate %d", i), "…\x00\xff"}
				if err := l.Write(t.Context(), By{Actor: fmt.Sprint(p)}, act); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	l, _ := open(t, path)
	if faults, n := verify(t, l); n != 100 || faults != nil {
		t.Errorf("%d entries, %v", n, faults)
	}
}

func TestAnEntryIsWrittenWithItsActOrNeither(t *testing.T) {
	l, file := open(t, filepath.Join(t.TempDir(), "desk.db"))
	fails := errors.New("the act fails")
	err := file.Write(t.Context(), func(tx *sql.Tx) error {
		return errors.Join(Append(t.Context(), tx, t0, By{}, Act{Action: LogIn}), fails)
	})
	if _, n := verify(t, l); !errors.Is(err, fails) || n != 0 {
		t.Errorf("%d entries, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Write(ctx, By{}, Act{Action: LogIn}); !errors.Is(err, ErrUnwritten) {
		t.Error(err)
	}
	if _, err := file.Exec(t.Context(), "DROP TABLE audit"); err != nil {
		t.Fatal(err)
	}
	if err := l.Look(t.Context(), By{}, Act{Action: LookGate}); !errors.Is(err, ErrUnwritten) {
		t.Error(err)
	}
}

// What somebody writes into the file with another program is found, and stops nobody from
// writing further entries.
func TestWhatIsDoneToTheFileIsFound(t *testing.T) {
	for name, statement := range map[string]string{
		"an actor":          "UPDATE audit SET actor = 'li' WHERE n = 3",
		"a time":            "UPDATE audit SET at = at + 1 WHERE n = 3",
		"a time as text":    "UPDATE audit SET at = 'yesterday' WHERE n = 3",
		"a text as a blob":  "UPDATE audit SET detail = x'ff00' WHERE n = 3",
		"a hash as text":    "UPDATE audit SET hash = 'x' WHERE n = 3",
		"the last hash":     "UPDATE audit SET hash = 'x' WHERE n = 5",
		"a short hash":      "UPDATE audit SET prev = x'00' WHERE n = 3",
		"a number":          "UPDATE audit SET n = -3 WHERE n = 3",
		"a high number":     "UPDATE audit SET n = 9000000000000000000 WHERE n = 5",
		"an entry":          "DELETE FROM audit WHERE n = 3",
		"the first entries": "DELETE FROM audit WHERE n < 4",
		"two actors":        "UPDATE audit SET actor = CASE n WHEN 2 THEN 'a' ELSE 'b' END WHERE n IN (2, 4)",
		"a copy": "INSERT INTO audit SELECT 6, at, actor, role, origin, action, object, detail, prev, hash" +
			" FROM audit WHERE n = 5",
	} {
		t.Run(name, func(t *testing.T) {
			l, file := open(t, filepath.Join(t.TempDir(), "desk.db"))
			for range 5 {
				if err := l.Write(t.Context(), By{Actor: "wang"}, Act{Action: LogIn}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := file.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
			if err := l.Write(t.Context(), By{Actor: "wang"}, Act{Action: LogOut}); err != nil {
				t.Error(err)
			}
			if faults, n := verify(t, l); len(faults) == 0 {
				t.Errorf("of %d entries none is wrong", n)
			}
		})
	}
}

func TestLooksAreOneForTenMinutes(t *testing.T) {
	l, _ := open(t, filepath.Join(t.TempDir(), "desk.db"))
	now := t0
	l.now = func() time.Time { return now }
	for range 20 * 60 / 5 { // a page that asks every 5 s for 20 minutes
		for _, who := range []By{{Actor: "wang", From: "10.0.0.1"}, {Actor: "wang", From: "10.0.0.2"}} {
			if err := l.Look(t.Context(), who, Act{LookGate, "gate gate-001", ""}); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(5 * time.Second)
	}
	if _, n := verify(t, l); n != 4 {
		t.Errorf("%d entries", n)
	}
}

func TestAnExportIsReadByOtherPrograms(t *testing.T) {
	l, _ := open(t, filepath.Join(t.TempDir(), "desk.db"))
	for _, actor := range []string{"王主任", "=1+1", `a "b", c`} {
		if err := l.Write(t.Context(), By{Actor: actor, From: "::1"}, Act{LookGate, "gate x", "a, b"}); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if n, err := WriteCSV(&out, l.Entries(t.Context(), Filter{})); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 4 || rows[1][2] != "王主任" || rows[2][2] != "'=1+1" || rows[3][2] != `a "b", c` {
		t.Errorf("%q, %v", rows, err)
	}
	out.Reset()
	if n, err := WriteJSONL(&out, l.Entries(t.Context(), Filter{From: t0, To: t0.Add(1)})); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var c Check
	for _, line := range lines {
		var e Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil || c.Next(e) != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if len(lines) != 3 || c.End().N != 3 {
		t.Errorf("%q", lines)
	}
}
