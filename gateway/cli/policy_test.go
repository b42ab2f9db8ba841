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
	if code != exitFailed || !strings.Contains(out, "WRONG: want pass") || !strings.Contains(out, "of 92 cases") {
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
