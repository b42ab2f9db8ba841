package threats

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// gateway/THREATS.md has every row, with what was measured.
func TestTHREATSmdHasEveryRow(t *testing.T) {
	page, err := os.ReadFile("../../gateway/THREATS.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]string{}
	for line := range strings.Lines(string(page)) {
		if id, _, is := strings.Cut(strings.TrimPrefix(line, "| "), " | "); is && strings.HasPrefix(line, "| T") {
			lines[id] = strings.TrimSpace(line)
		}
	}
	rows := Rows()
	if len(rows) < 40 || len(lines) != len(rows) {
		t.Errorf("%d rows, the page has %d", len(rows), len(lines))
	}
	names := map[string]bool{}
	for _, r := range rows {
		want := fmt.Sprintf("| %s | `%s` | %s | %s | ", r.ID, r.Name, r.Title, r.Control)
		if line := lines[r.ID]; !strings.HasPrefix(line, want) || len(line) < len(want)+8 {
			t.Errorf("the page says\n%s\ninstead of\n%s", line, want)
		}
		if r.try == nil || names[r.Name] || lines[r.ID] == "" {
			t.Errorf("%s %s is incomplete or there twice", r.ID, r.Name)
		}
		names[r.Name] = true
	}
}

func TestChooseByNameOrNumber(t *testing.T) {
	chosen, err := Choose([]string{"id-theft-agent", "T02"})
	if err != nil || len(chosen) != 2 || chosen[0].ID != "T07" || chosen[1].Name != "foreign-certificate" {
		t.Errorf("%v, %v", chosen, err)
	}
	if all, err := Choose(nil); err != nil || len(all) != len(Rows()) {
		t.Errorf("%d rows, %v", len(all), err)
	}
	if _, err := Choose([]string{"flood"}); err == nil || !strings.Contains(err.Error(), "--list") {
		t.Errorf("an unknown row: %v", err)
	}
}

// What is taken out of the product for make threats-bite stands in the source, once.
func TestLossesFitTheSource(t *testing.T) {
	rows := map[string]int{}
	for _, l := range Losses() {
		for _, e := range l.Edits {
			text, err := os.ReadFile("../../" + e.File)
			if err != nil {
				t.Fatal(err)
			}
			if edited, err := e.apply(string(text)); err != nil || edited == string(text) {
				t.Errorf("%s: %v", l.Name, err)
			}
		}
		if _, err := Choose(l.Rows); err != nil || len(l.Rows) == 0 {
			t.Errorf("%s: %v", l.Name, err)
		}
		for _, id := range l.Rows {
			rows[id]++
		}
	}
	if len(rows) < 12 {
		t.Errorf("%d rows are shown to fail", len(rows))
	}
}
