package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// floors lists the packages of edge and of county from the bottom up. A package
// imports only from the floors below its own. Who adds a package puts it on the
// floor where it belongs.
var floors = map[string][][]string{
	"gatehouse/gateway/edge": {
		{"journal", "status"},
		{"station", "bridge", "command", "enrol", "help", "recorder", "retire", "ruleset", "ship", "kiosk",
			"upgrade"},
		{"panel", "welcome"},
		{"agent"},
	},
	"gatehouse/gateway/county": {
		{"broker", "brokers", "calls", "commits", "db", "epochs", "health", "mapping", "provision", "reckon", "rollup",
			"store"},
		{"audit", "backup", "store/books"},
		{"store/sqlite", "store/influx"},
		{"store/archive"},
		{"collect", "follow", "notices", "presence", "profiles", "refused", "registry", "retention", "rules", "speak",
			"homeassistant", "export", "history", "lookup"},
		{"alerts", "checks", "command", "end", "passages", "fleet", "people", "export/parquet"},
		{"consent", "held", "versions"},
		{"desk", "oidc", "report"},
		{"pages"},
		{"centre"},
	},
}

// misplaced returns what is wrong with the floors of the packages under root:
// imports that run up, packages on no floor, and names that no package has.
func misplaced(root string, floors [][]string, all []pkg) (faults []string) {
	floor, exists := map[string]int{}, map[string]bool{}
	for i, names := range floors {
		for _, name := range names {
			floor[root+"/"+name] = i
		}
	}
	for _, p := range all {
		if !under(p.ImportPath, root) {
			continue
		}
		exists[p.ImportPath] = true
		mine, known := floor[p.ImportPath]
		if !known {
			faults = append(faults, p.ImportPath+" is on no floor: add it in floors_test.go")
			continue
		}
		for _, i := range p.Imports {
			if theirs, inside := floor[i]; inside && theirs >= mine {
				faults = append(faults,
					fmt.Sprintf("%s (floor %d) imports %s (floor %d)", p.ImportPath, mine, i, theirs))
			}
		}
	}
	for path := range floor {
		if !exists[path] {
			faults = append(faults, path+" is not there: remove it in floors_test.go")
		}
	}
	return faults
}

func TestNoImportRunsUpInEdgeAndCounty(t *testing.T) {
	all := packages(t)
	for root, f := range floors {
		for _, fault := range misplaced(root, f, all) {
			t.Error(fault)
		}
	}
}

func TestMisplacedImportsAreFound(t *testing.T) {
	floors := [][]string{{"a", "b"}, {"c"}}
	all := []pkg{{ImportPath: "r/a"}, {ImportPath: "r/b"}, {ImportPath: "r/c"}}
	if got := misplaced("r", floors, all[1:]); len(got) != 1 {
		t.Errorf("a name that no package has: %q", got)
	}
	for name, c := range map[string]struct {
		pkg    pkg
		faults int
	}{
		"down":         {pkg{"r/c", []string{"r/a", "r/b", "fmt"}}, 0},
		"outside":      {pkg{"other/x", []string{"r/c"}}, 0},
		"up":           {pkg{"r/a", []string{"r/c"}}, 1},
		"same floor":   {pkg{"r/a", []string{"r/b"}}, 1},
		"on no floor":  {pkg{"r/d", nil}, 1},
		"below a name": {pkg{"r/a/x", nil}, 1},
	} {
		if got := misplaced("r", floors, append(all, c.pkg)); len(got) != c.faults {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// folders returns the imports between the entries of dir: its own package, which
// is ".", and its subfolders, each with all that it holds.
func folders(dir string, all []pkg) map[string]map[string]bool {
	entry := func(path string) string {
		rest, inside := strings.CutPrefix(path, dir+"/")
		if !inside {
			return "."
		}
		first, _, _ := strings.Cut(rest, "/")
		return first
	}
	out := map[string]map[string]bool{}
	for _, p := range all {
		if !under(p.ImportPath, dir) {
			continue
		}
		from := entry(p.ImportPath)
		for _, i := range p.Imports {
			if to := entry(i); under(i, dir) && to != from {
				if out[from] == nil {
					out[from] = map[string]bool{}
				}
				out[from][to] = true
			}
		}
	}
	return out
}

// circle returns the entries of a graph that import each other in a circle, in
// that order; nil: there is none.
func circle(graph map[string]map[string]bool) []string {
	done := map[string]bool{}
	var walk func(path []string, at string) []string
	walk = func(path []string, at string) []string {
		if i := slices.Index(path, at); i >= 0 {
			return append(path[i:], at)
		}
		if done[at] {
			return nil
		}
		for _, next := range slices.Sorted(maps.Keys(graph[at])) {
			if found := walk(append(slices.Clone(path), at), next); found != nil {
				return found
			}
		}
		done[at] = true
		return nil
	}
	for _, at := range slices.Sorted(maps.Keys(graph)) {
		if found := walk(nil, at); found != nil {
			return found
		}
	}
	return nil
}

// bent returns a subfolder that imports its parent although the parent imports
// another subfolder: a package is either below all of its subfolders or above.
func bent(graph map[string]map[string]bool) (child string, is bool) {
	if len(graph["."]) == 0 {
		return "", false
	}
	for _, child := range slices.Sorted(maps.Keys(graph)) {
		if graph[child]["."] {
			return child, true
		}
	}
	return "", false
}

// Go forbids circles of packages. Folders can still form one, when two import
// from each other's subfolders.
func TestNoFoldersImportEachOtherInACircle(t *testing.T) {
	all := packages(t)
	dirs := map[string]bool{}
	for _, p := range all {
		if storey(p.ImportPath) == 0 { // the domain's words are below the gateway, not in it
			continue
		}
		for dir := p.ImportPath; dir != "gatehouse"; dir = dir[:strings.LastIndex(dir, "/")] {
			dirs[dir] = true
		}
	}
	for dir := range dirs {
		graph := folders(dir, all)
		if c := circle(graph); c != nil {
			t.Errorf("the folders of %s import each other: %s", dir, strings.Join(c, " → "))
		}
		if child, is := bent(graph); is {
			t.Errorf("%s imports from its subfolders, and its subfolder %s imports it", dir, child)
		}
	}
}

func TestCirclesOfFoldersAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		packages []pkg
		circle   string
		bent     bool
	}{
		"none":             {[]pkg{{"r/a", []string{"r/b/x"}}, {"r/b/y", []string{"r/c"}}}, "", false},
		"a parent below":   {[]pkg{{"r/a", []string{"r"}}, {"r/b", []string{"r", "r/a"}}}, "", false},
		"a parent above":   {[]pkg{{"r", []string{"r/a", "r/b"}}, {"r/b", []string{"r/a"}}}, "", false},
		"a parent between": {[]pkg{{"r", []string{"r/a"}}, {"r/b", []string{"r"}}}, "", true},
		"a subfolder":      {[]pkg{{"r", []string{"r/a/x"}}, {"r/a/y", []string{"r"}}}, ". a .", true},
		"two folders":      {[]pkg{{"r/a/x", []string{"r/b/x"}}, {"r/b/y", []string{"r/a/y"}}}, "a b a", false},
	} {
		graph := folders("r", c.packages)
		_, bent := bent(graph)
		if got := strings.Join(circle(graph), " "); got != c.circle || bent != c.bent {
			t.Errorf("%s: circle %q, want %q; bent %v", name, got, c.circle, bent)
		}
	}
}
