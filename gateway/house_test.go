package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// storeys lists the folders from the bottom of the house up: a package imports
// only from its own storey or from one before it. gateway/fact, the domain's
// words, lies below them all and imports nothing of ours.
var storeys = []string{"gateway/fact", "devices", "firmware-bridge", "gateway", "simulator"}

// importers names the only package that imports an outside library (tests and
// the simulator aside), by the library's module path.
var importers = map[string]string{
	"github.com/tarm/serial":                      "gatehouse/devices/port",
	"periph.io/x/host/v3":                         "gatehouse/devices/port",
	"periph.io/x/devices/v3":                      "gatehouse/devices",
	"github.com/eclipse/paho.mqtt.golang":         "gatehouse/gateway/mqtt",
	"github.com/nats-io/nats-server/v2":           "gatehouse/gateway/county/broker",
	"github.com/nats-io/nats.go":                  "gatehouse/gateway/county/broker",
	"github.com/influxdata/influxdb-client-go/v2": "gatehouse/gateway/county/store/influx",
	"github.com/influxdata/line-protocol/v2":      "gatehouse/gateway/county/store/influx",
	"github.com/klauspost/compress":               "gatehouse/gateway/county/store/influx",
	"modernc.org/sqlite":                          "gatehouse/gateway/county/db",
	"github.com/goccy/go-yaml":                    "gatehouse/gateway/config",
	"github.com/spf13/cobra":                      "gatehouse/gateway/cli",
	"github.com/spf13/pflag":                      "gatehouse/gateway/cli",
	"github.com/boombuler/barcode":                "gatehouse/gateway/qr",
	"github.com/coder/websocket":                  "gatehouse/gateway/live",
	"github.com/VictoriaMetrics/metrics":          "gatehouse/gateway/probe",
	"github.com/bluenviron/gomavlib/v3":           "gatehouse/firmware-bridge/mavlink",
	"github.com/paulmach/orb":                     "gatehouse/firmware-bridge/geo",
	"github.com/gofrs/flock":                      "gatehouse/gateway/lockfile",
	"github.com/go-json-experiment/json":          "gatehouse/gateway/wire",
	"github.com/mattn/go-runewidth":               "gatehouse/gateway/term",
	"github.com/schollz/progressbar/v3":           "gatehouse/gateway/progress",
	"golang.org/x/term":                           "gatehouse/gateway/term",
	"github.com/ProtonMail/go-crypto":             "gatehouse/gateway/openpgp",
	"filippo.io/age":                              "gatehouse/gateway/sealed",
	"github.com/coreos/go-oidc/v3":                "gatehouse/gateway/county/oidc",
	"github.com/coreos/go-systemd/v22":            "gatehouse/gateway/systemd",
	"golang.org/x/oauth2":                         "gatehouse/gateway/county/oidc",
	"github.com/google/go-tpm":                    "gatehouse/gateway/tpm",
	"github.com/go-jose/go-jose/v4":               "gatehouse/gateway/testkit/idp", // tests only
}

// shared lists the outside libraries that any package may import.
var shared = []string{"github.com/google/uuid", "golang.org/x/crypto", "golang.org/x/net", "golang.org/x/sys",
	"golang.org/x/text", "periph.io/x/conn/v3"}

// pkg is a package of ours, without its tests.
type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "gatehouse/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 15 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}

func under(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// storey returns the index in storeys of the folder that holds the package at
// path; -1: it is not one of ours.
func storey(path string) int {
	return slices.IndexFunc(storeys, func(dir string) bool { return under(path, "gatehouse/"+dir) })
}

func TestAFolderImportsOnlyFromItsStoreyAndTheOnesBelow(t *testing.T) {
	for _, p := range packages(t) {
		mine := storey(p.ImportPath)
		if mine < 0 {
			t.Errorf("%s is in no storey of the house", p.ImportPath)
		}
		for _, i := range p.Imports {
			if theirs := storey(i); theirs > mine || mine == 0 && theirs == 0 {
				t.Errorf("%s imports %s, which is above it", p.ImportPath, i)
			}
		}
	}
}

func TestWireImportsOnlyFact(t *testing.T) {
	for _, p := range packages(t) {
		for _, i := range p.Imports {
			if p.ImportPath == "gatehouse/gateway/wire" && storey(i) > 0 {
				t.Errorf("wire imports %s", i)
			}
		}
	}
}

// walls names the only folders that import from a folder of the gateway, besides
// itself and the simulator.
var walls = map[string][]string{
	// Edge and county meet in wire. The shared suites of stores and followers are
	// in testkit.
	"gatehouse/gateway/edge":   {"gatehouse/gateway/cli"},
	"gatehouse/gateway/county": {"gatehouse/gateway/cli", "gatehouse/gateway/testkit"},

	"gatehouse/gateway/proof":   {"gatehouse/gateway/cli"}, // what the program offers to proofs
	"gatehouse/gateway/testkit": {},                        // test furniture does not ship
	"gatehouse/gateway/cli":     {"gatehouse/gateway"},
}

// breaches returns the imports of p that the walls forbid.
func breaches(p pkg) (forbidden []string) {
	for _, i := range p.Imports {
		for dir, importers := range walls {
			if under(i, dir) && !under(p.ImportPath, dir) && !under(p.ImportPath, "gatehouse/simulator") &&
				!slices.ContainsFunc(importers, func(from string) bool { return fits(p.ImportPath, from) }) {
				forbidden = append(forbidden, i)
			}
		}
	}
	return forbidden
}

// fits reports whether path is in the folder from; the folder of the program
// itself stands for its main package alone.
func fits(path, from string) bool {
	return path == from || from != "gatehouse/gateway" && under(path, from)
}

func TestNobodyImportsThroughAWall(t *testing.T) {
	for _, p := range packages(t) {
		for _, i := range breaches(p) {
			t.Errorf("%s imports %s, which is behind a wall", p.ImportPath, i)
		}
	}
	for _, p := range []pkg{
		{"gatehouse/gateway/edge/agent", []string{"gatehouse/gateway/county/store"}},
		{"gatehouse/gateway/county/collect", []string{"gatehouse/gateway/edge/journal"}},
		{"gatehouse/gateway/machine", []string{"gatehouse/gateway/county/store"}},
		{"gatehouse/gateway/edge/agent", []string{"gatehouse/gateway/proof/ledger"}},
		{"gatehouse/gateway/cli", []string{"gatehouse/gateway/testkit/loopback"}},
		{"gatehouse/gateway/live", []string{"gatehouse/gateway/cli"}},
	} {
		if len(breaches(p)) != 1 {
			t.Errorf("%s may import %s", p.ImportPath, p.Imports)
		}
	}
}

// library returns the outside library that an import belongs to: its path in
// importers or in shared. outside is false for the standard library and for ours.
func library(path string) (lib string, outside bool) {
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") {
		return "", false
	}
	for lib := range importers {
		if under(path, lib) {
			return lib, true
		}
	}
	for _, lib := range shared {
		if under(path, lib) {
			return lib, true
		}
	}
	return "", true
}

func TestEachOutsideLibraryHasOneImporter(t *testing.T) {
	found := map[string]bool{}
	for _, p := range packages(t) {
		if under(p.ImportPath, "gatehouse/simulator") {
			continue
		}
		for _, i := range p.Imports {
			lib, outside := library(i)
			importer := importers[lib]
			found[lib] = true
			switch {
			case outside && lib == "":
				t.Errorf("%s imports %s: name its importer in house_test.go", p.ImportPath, i)
			case importer != "" && p.ImportPath != importer:
				t.Errorf("%s imports %s, which belongs to %s", p.ImportPath, i, importer)
			}
		}
	}
	for lib := range importers {
		if !found[lib] {
			t.Errorf("nobody imports %s: the rule is out of date", lib)
		}
	}
	for _, lib := range shared {
		if !found[lib] {
			t.Errorf("nobody imports %s: the rule is out of date", lib)
		}
	}
}
