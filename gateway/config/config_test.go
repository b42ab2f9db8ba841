package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// Anchors that contain themselves overflowed the stack, and with it ended the program.
func TestAliasesWithoutEndAreErrors(t *testing.T) {
	bomb := "a0: &a0 [x, x]\n"
	for i := range 40 {
		bomb += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	for name, c := range map[string]struct{ text, want string }{
		"a circle":      {"a: &x\n  t: *x\n", "line 2: *x stands inside &x itself"},
		"a long one":    {"a: &x\n  b: &y\n    c: *x\n", "line 3: *x"},
		"a bomb":        {bomb, "stand for too much"},
		"not a circle":  {"a: &x {b: c}\nd: *x\n", ""},
		"one in itself": {"a: &x [1]\nb: &y [*x]\nc: [*x, *y]\n", ""},
	} {
		_, err := Parse[map[string]any]([]byte(c.text))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestTheLineOfAKeyIsFound(t *testing.T) {
	text := []byte("classes:\n  stair-head:\n    windows:\n      - {from: a}\n      - {from: b}\n  楼长: {fever: x}\n")
	for _, c := range []struct {
		keys []string
		want int
	}{
		{[]string{"classes", "stair-head", "windows[1]", "from"}, 5},
		{[]string{"classes", "楼长", "fever"}, 6},
		{[]string{"classes", "nobody"}, 0},
		{[]string{"it's"}, 0},
	} {
		if got := Line(text, c.keys...); got != c.want {
			t.Errorf("%q: line %d, want %d", c.keys, got, c.want)
		}
	}
}

func TestTheLinesOfAListAreFound(t *testing.T) {
	text := []byte("a: 1\ncases:\n  # words\n  - name: x\n    b: 2\n  - {name: y}\n")
	if got := Lines(text, "cases"); !slices.Equal(got, []int{4, 6}) {
		t.Errorf("%v", got)
	}
	if got := Lines(text, "a"); got != nil {
		t.Errorf("of no list: %v", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a: &x\n  t: *x\n"))
	f.Add([]byte("name: a\ncount: 1\n"))
	f.Add([]byte("&a [*a]"))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = Parse[sample](b) })
}
