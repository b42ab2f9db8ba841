package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link   = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`) // to a file, not to an address
	quoted = regexp.MustCompile("`([^`\\s]+)`")
)

// broken returns the targets of the links of a page in dir that are not there.
func broken(dir, text string) (targets []string) {
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(dir, m[1])); err != nil {
			targets = append(targets, m[1])
		}
	}
	return targets
}

// unknown returns the quoted paths of a page in dir, but addresses, that begin with a folder that
// is there, and are not there themselves.
func unknown(dir, text string) (paths []string) {
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		first, _, inside := strings.Cut(m[1], "/")
		if info, err := os.Stat(filepath.Join(dir, first)); !inside || first == "" || err != nil || !info.IsDir() ||
			strings.Contains(m[1], "<") {
			continue
		}
		if found, err := filepath.Glob(filepath.Join(dir, m[1])); err != nil || len(found) == 0 {
			paths = append(paths, m[1])
		}
	}
	return paths
}

func TestThePagesNameWhatExists(t *testing.T) {
	for _, page := range []string{"README.md", "../README.md", "../CHANGELOG.md", "GUARANTEE.md", "wire/WIRE.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		names := broken(filepath.Dir(page), string(text))
		if page == "README.md" {
			names = append(names, unknown(".", string(text))...)
		}
		for _, name := range names {
			t.Errorf("%s names %s, which is not there", page, name)
		}
	}
}

func TestTheReadmeNamesEveryPackageOfEdgeAndCounty(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for root, f := range floors {
		for _, floor := range f {
			for _, name := range floor {
				short := strings.TrimPrefix(root, "gatehouse/gateway/") + "/" + name
				if _, err := os.Stat(short); err != nil {
					continue
				}
				if !strings.Contains(string(text), "`"+short+"`") && !strings.Contains(string(text), "`"+name+"`") {
					t.Errorf("README.md does not name %s", short)
				}
			}
		}
	}
}

func TestMissingNamesAreFound(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/b", "c"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	links := "[a](a/b#c) [web](https://a.b/c) [here](#c) [c](d.md) [d](a/x.md#y)"
	if got := strings.Join(broken(dir, links), " "); got != "d.md a/x.md" {
		t.Errorf("%q is broken", got)
	}
	paths := "`/a` `a/b` `a/*` `a/<model>.go` `x/y` `km/h` `a/z.go` `c/` `a`"
	if got := strings.Join(unknown(dir, paths), " "); got != "a/z.go" {
		t.Errorf("%q is unknown", got)
	}
}
