package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type sample struct {
	Name  string `yaml:"name"`
	Count int    `yaml:"count"`
}

func TestErrorsShowLineAndSnippet(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key": {"name: a\nnmae: b\n", "2 | nmae: b"},
		"wrong type":  {"name: a\ncount: many\n", "2 | count: many"},
		"twice":       {"name: a\nname: b\n", "2 | name: b"},
		"not YAML":    {"name: [a\n", "1 | name: [a"},
		"empty":       {"", "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse[sample]([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error is %v, want it to contain %q", err, c.want)
			}
		})
	}
}

func TestATextAtWhichTheLibraryPanicsIsAnError(t *testing.T) {
	type list struct {
		Values []sample `yaml:"values"`
	}
	_, err := Parse[list]([]byte("values:\n !- "))
	if err == nil || !strings.Contains(err.Error(), "this is no YAML") {
		t.Errorf("error is %v", err)
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(path, []byte("nmae: b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load[sample](path); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("error is %v, want it to name %s", err, path)
	}
	if _, err := Load[sample](path + "x"); err == nil || !strings.Contains(err.Error(), path+"x") {
		t.Fatalf("error is %v, want it to name the missing file", err)
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	want := sample{Name: "东门", Count: 3}
	b, err := Write(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse[sample](b)
	if err != nil || got != want {
		t.Fatalf("got %+v, %v; want %+v", got, err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("name: a\ncount: 1\n"))
	f.Add([]byte("&a [*a]"))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = Parse[sample](b) })
}
