package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const packs = "../../deploy/policy/"

// command runs a command line; it returns the exit code and both outputs.
func command(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var b bytes.Buffer
	code = Run(t.Context(), args, strings.NewReader(""), &b, &b)
	return code, b.String()
}

// changed returns a copy of a pack's policy in which a text is replaced.
func changed(t *testing.T, pack string, replace ...string) string {
	t.Helper()
	b, err := os.ReadFile(packs + pack + ".policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(replace...).Replace(string(b))
	path := filepath.Join(t.TempDir(), "new.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil || text == string(b) {
		t.Fatal("nothing is replaced", err)
	}
	return path
}

func TestPolicyTest(t *testing.T) {
	code, out := command(t, "policy", "test", packs+"closed-compound.cases.yaml", packs+"farm-biosecurity.cases.yaml")
	if code != exitOK || strings.Count(out, "all as written") != 2 {
		t.Errorf("%d: %s", code, out)
	}
	stricter := changed(t, "closed-compound", "exits: 1, days: 2", "exits: 1, days: 3")
	code, out = command(t, "policy", "test", "--policy", stricter, packs+"closed-compound.cases.yaml")
	if code != exitFailed || !strings.Contains(out, "WRONG: want pass") || !strings.Contains(out, "of 129 cases") {
		t.Errorf("%d: %s", code, out)
	}
	if code, out = command(t, "policy", "test", "-v", packs+"farm-biosecurity.cases.yaml"); code != exitOK ||
		!strings.Contains(out, "by classes.feed-truck.quota, again from 2020-02-15 00:00") {
		t.Errorf("%d: %s", code, out)
	}
	if code, out = command(t, "policy", "test"); code != exitUsage {
		t.Errorf("without a file: %d: %s", code, out)
	}
	if code, out = command(t, "policy", "test", "nofile"); code != exitFailed || !strings.Contains(out, "nofile") {
		t.Errorf("%d: %s", code, out)
	}
}

func TestPolicyDiff(t *testing.T) {
	old := packs + "closed-compound.policy.yaml"
	code, out := command(t, "policy", "diff", "--day", "2020-02-14", old,
		changed(t, "closed-compound", `until: "21:00"`, `until: "22:00"`))
	if code != exitOK || !strings.Contains(out, "stair-head, out, after: went out an hour ago, every day 21:00-22:00: "+
		"refused (outside-hours) → passes (anti-passback); 1 person (line 11)") || strings.Contains(out, "62000006") {
		t.Errorf("%d: %s", code, out)
	}
	shut := changed(t, "closed-compound", "directions: [in, out]", "directions: [in]", "    windows", "    #",
		"    quota", "    #", "      -", "      #")
	code, out = command(t, "policy", "diff", "--day", "2020-02-14", old, shut)
	if code != exitFailed || !strings.Contains(out, "WARNING: nobody can pass any more, out: 17 could before") ||
		!strings.Contains(out, "say --yes") {
		t.Errorf("%d: %s", code, out)
	}
	if code, out = command(t, "policy", "diff", "--yes", "--day", "2020-02-14", old, shut); code != exitOK {
		t.Errorf("--yes: %d: %s", code, out)
	}
	example := "../../deploy/policy.example.yaml"
	if code, out = command(t, "policy", "diff", example, example); code != exitOK ||
		!strings.Contains(out, "nobody is decided otherwise") {
		t.Errorf("without a roster: %d: %s", code, out)
	}
	if code, out = command(t, "policy", "diff", "--day", "today", old, old); code != exitUsage {
		t.Errorf("%d: %s", code, out)
	}
}
