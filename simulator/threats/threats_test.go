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

// A card's number is found however it is written.
func TestASecretIsFoundInEveryForm(t *testing.T) {
	const card, name = "62E3086CED", "张三"
	for _, held := range []string{"62e3086ced", "62:E3:08:6C:ED", "424715775213", "e3086ced", "3808980205", "008,27885",
		"00827885", "Y2FyZD02MkUzMDg2Q0VE", "IDYyRTMwODZDRUQ=", "NjJFMzA4NkNFRA==",
		"6\x002\x00E\x003\x000\x008\x006\x00C\x00E\x00D\x00",
		"\x62\xe3\x08\x6c\xed", "36324533303836434544"} {
		if find([]byte("before "+held+" after"), card) == "" {
			t.Errorf("%q is not found", held)
		}
	}
	for _, held := range []string{"张三", `\u5f20\u4e09`, "5byg5LiJ", "e5bca0e4b889"} {
		if find([]byte(held), name) == "" {
			t.Errorf("%q is not found", held)
		}
	}
	if form := find([]byte("62E3086CEE 1808980205 008,27886"), card); form != "" {
		t.Errorf("another card is taken for it: %s", form)
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
