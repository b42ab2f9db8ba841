package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// mostFields is how many fields a struct may have before they are likely to
// belong to different concerns.
const mostFields = 12

// wide lists the structs with more fields, as folder.Name, with the one concern
// that their fields share.
var wide = map[string]string{
	"gateway/wire.Beat":               "the message of a heartbeat",
	"gateway/wire.Audit":              "the message of what was done at a gate",
	"gateway/wire.Passage":            "the message of a passage",
	"gateway/wire.Run":                "the message of a machine's run",
	"gateway/wire.Temperature":        "what is known of a measurement",
	"gateway/county/alerts.Alert":     "a row of the alerts page",
	"gateway/county/fleet.Machine":    "a row of the machines page",
	"gateway/county/backup.Restore":   "options of a restore",
	"gateway/county/fleet.RunSummary": "a row of the runs page",
	"gateway/edge/kiosk.View":         "the message that the kiosk's page draws",
	"gateway/edge/kiosk.item":         "one thing that the screen shows",
	"gateway/edge/ship.Options":       "what a shipper is made of",
	"gateway/edge/ship.delivery":      "the state of a delivery",
	"gateway/edge/station.Options":    "what a station is made of",
	"gateway/edge/status.Snapshot":    "the state of an agent at one moment",
	"gateway/edge/agent.Agent":        "the parts of one agent",
	"gateway/edge/agent.Config":       "the agent's configuration file",
	"gateway/mqtt.Config":             "options of a client",
	"gateway/county/centre.county":    "what the county's start makes, step by step",
	"gateway/county/collect.Config":   "what a collector is made of",
	"gateway/county/desk.Desk":        "the parts of the desk, which its pages show",
	"gateway/county/desk.Options":     "what the desk is made of",
	"gateway/county/centre.Config":    "the collector's configuration file",
	"gateway/county/pages.Parts":      "what the pages show and act on",
	"gateway/county/presence.Agent":   "a row of gatehouse status",
	"devices.Model":                   "a row of the catalogue",
	"firmware-bridge/modbus.Value":    "a row of a register map",
	"firmware-bridge/runs.Run":        "what is known of one run",
	"firmware-bridge/runs.judged":     "a row of the table of grades",
	"simulator/prove.Fault":           "a row of the fault matrix",
	"simulator/prove.Outcome":         "the report of a row",
	"simulator/prove.Result":          "the report of a proof",
	"simulator/fleet.model":           "the state of one simulated machine",
	"simulator/dashboards.chart":      "the source of one panel",
}

// fields counts the fields of each struct in the source, by folder.Name; a
// struct without a name counts for the type or function that it is in.
func fields(fset *token.FileSet, folder, file string, source any) (map[string]int, error) {
	f, err := parser.ParseFile(fset, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	name := ""
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			name = n.Name.Name
		case *ast.TypeSpec:
			name = n.Name.Name
		case *ast.StructType:
			count := 0
			for _, field := range n.Fields.List {
				count += max(1, len(field.Names)) // an embedded one has no name
			}
			out[folder+"."+name] = max(out[folder+"."+name], count)
		}
		return true
	})
	return out, nil
}

func TestNoStructServesTwoMasters(t *testing.T) {
	found := map[string]int{} // fields
	fset := token.NewFileSet()
	for _, top := range []string{"devices", "firmware-bridge", "gateway", "simulator"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "node_modules":
				return fs.SkipDir
			case d.IsDir() || path.Ext(file) != ".go":
				return nil
			}
			folder, err := filepath.Rel("..", filepath.Dir(file))
			if err != nil {
				return err
			}
			counts, err := fields(fset, filepath.ToSlash(folder), file, nil)
			for name, n := range counts {
				if found[name] = max(found[name], n); n > mostFields && wide[name] == "" {
					t.Errorf("%s has %d fields, more than %d: divide it, or name its one concern in fields_test.go",
						name, n, mostFields)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range wide {
		if found[name] <= mostFields {
			t.Errorf("%s has %d fields: remove it from the list in fields_test.go", name, found[name])
		}
	}
	if len(found) < 200 {
		t.Errorf("only %d structs were found", len(found))
	}
}

func TestFieldsAreCounted(t *testing.T) {
	var b strings.Builder
	b.WriteString("package p\ntype Wide struct { sync.Mutex; a, b int\n")
	for i := range 10 {
		fmt.Fprintf(&b, "f%d int\n", i)
	}
	b.WriteString("}\nfunc f() { var _ []struct { x, y int } }\n")
	got, err := fields(token.NewFileSet(), "p", "p.go", b.String())
	if err != nil || got["p.Wide"] != 13 || got["p.f"] != 2 {
		t.Fatalf("%v, %v", got, err)
	}
}
