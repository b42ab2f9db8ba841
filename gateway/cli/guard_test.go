package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse/gateway/policy"
)

func TestTheListOfGuardsIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "guards.csv")
	run := func(want int, input string, args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		args = append([]string{"guard", "--file", file}, args...)
		if code := Run(t.Context(), args, strings.NewReader(input), &out, &errOut); code != want {
			t.Fatalf("%v: exit code %d, %s", args, code, errOut.String())
		}
		return out.String() + errOut.String()
	}
	hash := func(guard string) string {
		t.Helper()
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := policy.ParseGuards(b)
		if err != nil {
			t.Fatal(err)
		}
		return list[slices.IndexFunc(list, func(g policy.Guard) bool { return g.ID == guard })].Hash
	}
	run(exitOK, "", "add", "east-1", "--card", "62E3086CED")
	run(exitOK, "8053\n", "add", "east-2")
	first := hash("east-2")
	if run(exitOK, "70316", "pin", "east-2"); hash("east-2") == first || strings.Contains(hash("east-2"), "70316") {
		t.Errorf("before %s, after %s", first, hash("east-2"))
	}
	run(exitOK, "9274\n", "pin", "east-1")
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	before := run(exitOK, "", "list")
	if got := strings.Join(strings.Fields(before), " "); got != "ID SIGNS IN BY east-1 card and PIN east-2 PIN" {
		t.Errorf("lists %s", got)
	}
	for want, c := range map[string]struct {
		input string
		args  []string
	}{
		"4 to 8 digits":      {"12\n", []string{"pin", "east-2"}},
		"take another one":   {"1234\n", []string{"pin", "east-2"}},
		"read the PIN":       {"", []string{"add", "east-3"}},
		"no person's name":   {"8053\n", []string{"add", "王大爷"}},
		"east-2":             {"8053\n", []string{"add", "east-2"}},
		"is not on the list": {"", []string{"remove", "west-1"}},
	} {
		if got := run(exitFailed, c.input, c.args...); !strings.Contains(got, want) {
			t.Errorf("%v says %s, want %q", c.args, got, want)
		}
	}
	if after := run(exitOK, "", "list"); after != before {
		t.Errorf("what was refused has changed the list to %s", after)
	}
	run(exitOK, "", "remove", "east-1")
	if got := run(exitOK, "", "list"); strings.Contains(got, "east-1") {
		t.Errorf("lists %s", got)
	}
}
