package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// newCounty returns the folder of a county that has stored a passage, a head of its audit
// that a gate has journalled, one that nobody has signed, and two messages in quarantine.
func newCounty(t *testing.T, head audit.Head) string {
	t.Helper()
	dir := t.TempDir()
	key, _, err := identity.LoadOrCreateCollectorKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := archive.OpenSQLite(filepath.Join(dir, centre.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	signed := wire.SignAuditHead(wire.AuditHead{County: "qinghe", Store: "s", N: head.N, Hash: head.Hash.String(),
		At: wire.At(time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC))}, key.Private)
	forged := signed
	forged.N++
	bodies := []wire.Body{storetest.Passage(fact.VerdictPass, 1)}
	for _, h := range []wire.AuditHead{signed, forged} {
		bodies = append(bodies, &wire.Audit{Actor: "county", Action: wire.ActionCountyHead, Head: &h})
	}
	b := storetest.Empty(1, 1, uint64(len(bodies)))
	for i, body := range bodies {
		b.Entries = append(b.Entries, storetest.Entry(uint64(i+1), body))
	}
	if _, err := s.Commit(t.Context(), []store.Batch{b}); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		raw := []byte("110101199001011234 " + strconv.Itoa(i))
		p := store.Poison{At: time.Now(), Agent: "gate-009", Reason: "no JSON", Raw: raw}
		if err := s.Quarantine(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// firstEntry writes an entry into the audit in a folder, and returns its head.
func firstEntry(t *testing.T, dir string) audit.Head {
	t.Helper()
	file, err := desk.OpenFile(filepath.Join(dir, centre.DeskFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	log := audit.New(file, time.Now)
	if err := log.Write(t.Context(), audit.By{Actor: "root"}, audit.Act{Action: audit.Start}); err != nil {
		t.Fatal(err)
	}
	h, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// change changes the desk's file as sqlite3 would.
func change(t *testing.T, dir, statement string) {
	t.Helper()
	file, err := desk.OpenFile(filepath.Join(dir, centre.DeskFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestCommandsThatShowOrDoSomethingAreInTheAudit(t *testing.T) {
	dir := newCounty(t, audit.Head{})
	for _, c := range []struct {
		args   string
		code   int
		action audit.Action
		object string
	}{
		{"export --kind passage", 0, audit.LookExport, "kind passage"},
		{"export --format jsonl --from 2020-02-14", 0, audit.LookExport, "kind all"},
		{"explain gate-001 1", 0, audit.LookPassage, "passage gate-001/1"},
		{"quarantine show 1", 0, audit.LookQuarantine, "quarantine 1"},
		{"quarantine list -o json", 0, audit.LookQuarantine, ""},
		{"quarantine drop 1", 0, audit.DropQuarantine, "quarantine 1"},
		{"quarantine retry 2", 1, audit.NotDone, "quarantine 2"},
		{"invite", 0, audit.Invite, ""},
		{"pass issue --county qinghe --gate gate-001", 0, audit.IssuePass, ""},
		{"audit export", 0, audit.LookAudit, ""},
	} {
		out, code := run(t, append(strings.Fields(c.args), "--dir", dir)...)
		if code != c.code {
			t.Errorf("%s: %d\n%s", c.args, code, out)
		}
		text, _ := run(t, "audit", "export", "--dir", dir, "--format", "jsonl")
		lines := strings.Split(strings.TrimSpace(text), "\n")
		var e audit.Entry
		if err := json.Unmarshal([]byte(lines[len(lines)-3]), &e); err != nil { // then export and count
			t.Fatal(err, text)
		}
		if e.Action != c.action || c.object != "" && e.Object != c.object || e.From != audit.Terminal || e.Actor == "" {
			t.Errorf("%s: %+v", c.args, e)
		}
		if strings.Contains(text, "1101011990") {
			t.Errorf("%s: what a message held is in the audit", c.args)
		}
	}
	if out, code := run(t, "audit", "verify", "--dir", dir); code != 0 {
		t.Errorf("%d %s", code, out)
	}
}

func TestNothingIsShownInATerminalThatCantBeWritten(t *testing.T) {
	dir := newCounty(t, audit.Head{})
	firstEntry(t, dir)
	change(t, dir, "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END")
	for _, args := range []string{
		"export --kind passage", "explain gate-001 1", "quarantine show 1", "quarantine drop 1", "audit export",
		"pass issue --county qinghe --gate gate-001", "quarantine list -o json", "invite",
	} {
		out, code := run(t, append(strings.Fields(args), "--dir", dir)...)
		if code != 1 || !strings.Contains(out, "the audit can't be written") || strings.Contains(out, "credential") ||
			strings.Contains(out, "GATEHOUSE1") || strings.Contains(out, "MTEwMTAx") ||
			strings.Contains(out, "setup#") {
			t.Errorf("%s: %d %s", args, code, out)
		}
	}
	if out, _ := run(t, "quarantine", "list", "--dir", dir); strings.Count(out, "gate-009") != 2 {
		t.Errorf("a row was dropped, and that is not in the audit:\n%s", out)
	}
}

func TestVerifyFindsWhatWasDoneToTheAudit(t *testing.T) {
	for name, c := range map[string]struct{ statement, want string }{
		"nothing":    {"SELECT 1", ""},
		"an actor":   {"UPDATE audit SET actor = 'li' WHERE n = 2", "entry 2 was changed"},
		"an entry":   {"DELETE FROM audit WHERE n = 2", "entries 2 to 2 are missing"},
		"the end":    {"DELETE FROM audit", "entry 0: entry 1 is missing, which gate-001 has journalled"},
		"the begin":  {"DELETE FROM audit WHERE n = 1", "entries 1 to 1 are missing"},
		"the table":  {"DROP TABLE audit", "no such table"},
		"a new hash": {"UPDATE audit SET hash = zeroblob(32) WHERE n = 1", "entry 1 is another one than gate-001"},
	} {
		t.Run(name, func(t *testing.T) {
			other := t.TempDir()
			head := firstEntry(t, other)
			dir := newCounty(t, head)
			copyFile(t, filepath.Join(other, centre.DeskFile), filepath.Join(dir, centre.DeskFile))
			for i := range 3 {
				run(t, "explain", "--dir", dir, "gate-001", strconv.Itoa(i+1))
			}
			change(t, dir, c.statement)
			out, code := run(t, "audit", "verify", "--gates", "--dir", dir)
			if (code == 0) != (c.want == "") || !strings.Contains(out, c.want) {
				t.Errorf("%d\n%s", code, out)
			}
			if c.want == "" && (!strings.Contains(out, "1 heads, journalled by 1 gates") ||
				!strings.Contains(out, "gate-001 has journalled 1 heads that the county's key has not signed")) {
				t.Errorf("%s", out)
			}
		})
	}
}

func TestWrongUsageOfTheAudit(t *testing.T) {
	for _, args := range []string{
		"audit nonsense", "audit export --format xml --dir /", "audit export --dir / --from yesterday",
	} {
		if out, code := run(t, strings.Fields(args)...); code != 2 {
			t.Errorf("%s: %d %s", args, code, out)
		}
	}
	for _, args := range []string{"audit export", "audit verify"} {
		if out, code := run(t, append(strings.Fields(args), "--dir", t.TempDir())...); code != 1 {
			t.Errorf("%s of an empty folder: %d %s", args, code, out)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
