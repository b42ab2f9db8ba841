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

// ground is below all storeys: everybody may import it, and it imports nothing.
const ground = "gatehouse/gateway/fact"

// storeys lists the folders from the ground up: a package imports only from its
// own storey or one before it.
var storeys = []string{"devices", "firmware-bridge", "gateway", "simulator"}

// importers names the only package that imports an outside library (tests and
// the simulator aside), by the library's module path.
var importers = map[string]string{
	"github.com/tarm/serial":                      "gatehouse/devices/port",
	"periph.io/x/host/v3":                         "gatehouse/devices/port",
	"github.com/eclipse/paho.mqtt.golang":         "gatehouse/gateway/mqtt",
	"github.com/nats-io/nats-server/v2":           "gatehouse/gateway/county/broker",
	"github.com/influxdata/influxdb-client-go/v2": "gatehouse/gateway/county/store/influx",
	"modernc.org/sqlite":                          "gatehouse/gateway/county/db",
	"github.com/goccy/go-yaml":                    "gatehouse/gateway/config",
	"github.com/spf13/cobra":                      "gatehouse/gateway/cli",
	"github.com/coder/websocket":                  "gatehouse/gateway/live",
	"github.com/prometheus/client_golang":         "gatehouse/gateway/probe",
	"github.com/bluenviron/gomavlib/v3":           "gatehouse/firmware-bridge/mavlink",
	"github.com/simonvetter/modbus":               "gatehouse/firmware-bridge/modbus",
	"github.com/adrianmo/go-nmea":                 "gatehouse/firmware-bridge/nmea",
	"github.com/gofrs/flock":                      "gatehouse/gateway/lockfile",
}

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
		t.Fatalf("go list found %d packages only", len(all))
	}
	return all
}

func under(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

func storey(path string) int {
	rest, ours := strings.CutPrefix(path, "gatehouse/")
	if !ours {
		return -1
	}
	top, _, _ := strings.Cut(rest, "/")
	return slices.Index(storeys, top)
}

func TestAFolderImportsOnlyFromStoreysBelow(t *testing.T) {
	for _, p := range packages(t) {
		mine := storey(p.ImportPath)
		if mine < 0 {
			t.Errorf("%s stands in no storey of the house", p.ImportPath)
		}
		for _, i := range p.Imports {
			if theirs := storey(i); theirs > mine && i != ground {
				t.Errorf("%s imports %s, which stands above it", p.ImportPath, i)
			}
		}
	}
}

func TestEdgeAndCountyMeetOnlyInWire(t *testing.T) {
	for _, p := range packages(t) {
		for _, i := range p.Imports {
			if under(p.ImportPath, "gatehouse/gateway/edge") && under(i, "gatehouse/gateway/county") ||
				under(p.ImportPath, "gatehouse/gateway/county") && under(i, "gatehouse/gateway/edge") {
				t.Errorf("%s imports %s: they meet in wire", p.ImportPath, i)
			}
		}
	}
}

func TestFactImportsNothingOfOursAndWireOnlyFact(t *testing.T) {
	for _, p := range packages(t) {
		for _, i := range p.Imports {
			if p.ImportPath == ground && storey(i) >= 0 {
				t.Errorf("fact imports %s", i)
			}
			if p.ImportPath == "gatehouse/gateway/wire" && storey(i) >= 0 && i != ground {
				t.Errorf("wire imports %s", i)
			}
		}
	}
}

func TestEachOutsideLibraryHasOneImporter(t *testing.T) {
	found := map[string]bool{}
	for _, p := range packages(t) {
		if under(p.ImportPath, "gatehouse/simulator") {
			continue
		}
		for _, i := range p.Imports {
			for lib, importer := range importers {
				if !under(i, lib) {
					continue
				}
				found[lib] = true
				if p.ImportPath != importer {
					t.Errorf("%s imports %s, which belongs to %s", p.ImportPath, i, importer)
				}
			}
		}
	}
	for lib := range importers {
		if !found[lib] {
			t.Errorf("nobody imports %s: the rule is out of date", lib)
		}
	}
}
