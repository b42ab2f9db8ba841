package wire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// coded are the folders and the beginnings of the names of constants that
// stand on the wire as codes.
var coded = map[string]string{
	".": "Kind Leaf Source",
	"../fact": "Reading HandHeld Direction Verdict Instruct Alarm Reason Device Online Offline Run " +
		"Role Call Answer Command MachineIdle MachineWorking MachinePaused MachineFault MachineGone",
	"../../firmware-bridge/runs": "Reason",
	"../edge/journal":            "Reason",
}

func TestEveryCodeOnTheWireIsExplainedInWIRE(t *testing.T) {
	text := document(t)
	for dir, prefixes := range coded {
		n := 0
		for name, value := range constants(t, dir) {
			if !slices.ContainsFunc(strings.Fields(prefixes),
				func(p string) bool { return strings.HasPrefix(name, p) }) || value == "" {
				continue
			}
			n++
			if !strings.Contains(text, "`"+value+"`") && !strings.Contains(text, "/"+value+"`") {
				t.Errorf("WIRE.md does not explain %q (%s in %s)", value, name, dir)
			}
		}
		if n == 0 {
			t.Errorf("%s has no constants that begin with %s: this test is out of date", dir, prefixes)
		}
	}
}

// constants reads the exported string constants of a folder's files.
func constants(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 || !spec.Names[0].IsExported() {
				return true
			}
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				found[spec.Names[0].Name], _ = strconv.Unquote(lit.Value)
			}
			return true
		})
	}
	return found
}

func TestTheLinksWithinWIRELeadToHeadings(t *testing.T) {
	text := document(t)
	headings := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		headings[strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(m[1]), ",", ""), " ", "-")] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		if !headings[m[1]] {
			t.Errorf("#%s leads nowhere", m[1])
		}
	}
}
