package prove

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// formerFailures are seeds with which a fault failed once, and what was wrong.
var formerFailures = []struct {
	name string
	seed uint64
	why  string
}{
	{"reconnect-storm", 621009000,
		"277 of 1,000 agents came back within 100 ms: half of the wait between attempts was not random"},
	{"agent-cloned", 376194000,
		"the row itself ended a gate while two of its records waited, on a busy computer"},
}

func TestSeedsThatOnceFailed(t *testing.T) {
	program := filepath.Join(t.TempDir(), "gatehouse")
	if out, err := exec.Command("go", "build", "-o", program, "gatehouse/gateway").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range formerFailures {
		t.Run(fmt.Sprint(c.name, " ", c.seed), func(t *testing.T) {
			m := Matrix{Gatehouse: program, Names: []string{c.name}, Seed: c.seed, Dir: t.TempDir()}
			if err := m.Run(t.Context(), func(o Outcome) {
				if o.Failed {
					t.Errorf("once: %s\n%s", c.why, o.Line())
				}
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestChooseByNameOrNumber(t *testing.T) {
	chosen, err := Choose([]string{"bit-rot", "1", "20", "agent-killed"})
	if err != nil || len(chosen) != 2 || chosen[0].Row != 20 || chosen[1].Row != 1 {
		t.Errorf("%d faults, %v", len(chosen), err)
	}
	for _, names := range [][]string{nil, {"all"}} {
		if all, err := Choose(names); err != nil || len(all) != len(Faults()) {
			t.Errorf("%q: %d faults, %v", names, len(all), err)
		}
	}
	if _, err := Choose([]string{"bit-rot", "flood"}); err == nil || !strings.Contains(err.Error(), "--list") {
		t.Errorf("an unknown fault: %v", err)
	}
}

func TestTheMatrixHasEveryRow(t *testing.T) {
	names := map[string]bool{}
	var rows []int
	for _, f := range Faults() {
		if f.What == "" || f.Expect == "" || f.inject == nil || names[f.Name] {
			t.Errorf("row %d, %q, is incomplete or a duplicate", f.Row, f.Name)
		}
		names[f.Name] = true
		rows = append(rows, f.Row)
	}
	var want []int
	for row := 1; row <= 73; row++ {
		want = append(want, row)
	}
	if !slices.Equal(rows, want) {
		t.Errorf("rows %v", rows)
	}
}

// GUARANTEE.md has the figures of the last run of every row.
func TestGUARANTEEmdHasEveryRow(t *testing.T) {
	page, err := os.ReadFile("../../gateway/GUARANTEE.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Faults() {
		i := bytes.Index(page, fmt.Appendf(nil, "\n%2d %-22s parsed ", f.Row, f.Name))
		if i < 0 {
			t.Errorf("row %d, %s, is not in GUARANTEE.md", f.Row, f.Name)
			continue
		}
		line, _, _ := bytes.Cut(page[i+1:], []byte("\n"))
		for _, word := range []string{"  lost 0  ", "  duplicated 0  ", "  ok"} {
			if !bytes.Contains(line, []byte(word)) {
				t.Errorf("GUARANTEE.md lacks %q: %s", word, line)
			}
		}
	}
}
