package site

import (
	"strings"
	"testing"

	"gatehouse/gateway/config"
)

const good = `county: qinghe
name: 清和县
crs: WGS-84
communities:
  - id: community-1
    name: 东城社区
    grids:
      - id: grid-01
        name: 第一网格
        compounds:
          - id: compound-001
            name: 丽景苑
            households: 89
            residents: 304
            polygon: [[115.110, 35.900], [115.112, 35.900], [115.112, 35.902], [115.110, 35.902]]
            gates: [gate-001]
          - id: compound-002
            name: 安泰里
            polygon: [[115.120, 35.900], [115.122, 35.900], [115.122, 35.902]]
            gates: [gate-002, gate-003]
`

func TestPlaceOfAGate(t *testing.T) {
	c, err := Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	community, grid, compound, ok := c.Place("gate-003")
	if !ok || community != "community-1" || grid != "grid-01" || compound != "compound-002" || c.Gates() != 3 {
		t.Fatalf("got %s %s %s %v, %d gates", community, grid, compound, ok, c.Gates())
	}
	if _, _, _, ok := c.Place("gate-999"); ok {
		t.Fatal("an unknown gate has a place")
	}
	text, err := config.Write(*c)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse(text); err != nil || again.Gates() != 3 {
		t.Fatalf("written and read back: %v\n%s", err, text)
	}
}

func TestErrorsOfAFile(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":        {"name: 丽景苑", "nmae: 丽景苑", "nmae"},
		"swapped coordinate": {"[115.120, 35.900]", "[35.900, 115.120]", "not [longitude, latitude]"},
		"foreign coordinate": {"[115.120, 35.900]", "[15.120, 35.900]", "is far from"},
		"zero coordinate":    {"[115.120, 35.900]", "[0, 0]", "Atlantic"},
		"not a number":       {"[115.120, 35.900]", "[.nan, 35.900]", "not [longitude, latitude]"},
		"a line": {", [115.122, 35.902]]\n            gates: [gate-002", "]\n            gates: [gate-002",
			"encloses nothing"},
		"other datum":      {"WGS-84", "GCJ-02", "converting"},
		"gate twice":       {"gate-003", "gate-001", "already"},
		"id twice":         {"compound-002", "compound-001", "used twice"},
		"bad gate id":      {"gate-003", "Gate_3", "a-z"},
		"collector's name": {"gate-003", "collector", "own name"},
		"bad county":       {"county: qinghe", "county: 清和", "county"},
		"no gates":         {"gates:", "#gates:", "no gate"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.ReplaceAll(good, c.old, c.new)
			if text == good {
				t.Fatal("nothing was replaced")
			}
			if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error is %v, want it to contain %q", err, c.want)
			}
		})
	}
}

func TestTheExampleFileIsValid(t *testing.T) {
	if _, err := Load("../../deploy/sites.example.yaml"); err != nil {
		t.Fatal(err)
	}
}

// Who has no map needs to know nothing of coordinate systems.
func TestASitesFileWithoutPointsNeedsNoCoordinateSystem(t *testing.T) {
	plain := "county: qinghe\nname: 清和县\ncommunities:\n- id: c\n  name: 东\n  grids:\n  - id: g\n    name: 一\n" +
		"    compounds: [{id: p, name: 苑, gates: [gate-001]}]\n"
	if _, err := Parse([]byte(plain)); err != nil {
		t.Error(err)
	}
	if _, err := Parse([]byte(strings.Replace(good, "crs: WGS-84\n", "", 1))); err == nil ||
		!strings.Contains(err.Error(), "write WGS-84") {
		t.Errorf("points of an unknown system: %v", err)
	}
	if _, err := Parse([]byte(plain + "crs: GCJ-02\n")); err == nil {
		t.Error("another system is taken")
	}
}
