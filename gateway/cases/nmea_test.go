package cases

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/firmware-bridge/geo"
	"gatehouse/firmware-bridge/nmea"
	"gatehouse/firmware-bridge/runs"
)

// nmeaCase is expected.yaml of a case of what receivers of positions send; the
// bytes are in line.nmea.
type nmeaCase struct {
	Field    string     `yaml:"field"`
	Fixes    int        `yaml:"fixes"`      // samples with a position
	Bad      int        `yaml:"bad"`        // bad frames
	First    [2]float64 `yaml:"first"`      // latitude and longitude of the first fix
	Last     [2]float64 `yaml:"last"`       // of the last one
	Speed    *float64   `yaml:"speed_ms"`   // the last one that came; absent: none may come
	Distance float64    `yaml:"distance_m"` // from fix to fix, within 5 % or 0.1 m
	Try      string     `yaml:"try"`        // what is advised where nothing is understood
}

func TestNMEA(t *testing.T) {
	each(t, "nmea", func(t *testing.T, dir string) {
		want := expected[nmeaCase](t, dir)
		line, err := os.ReadFile(filepath.Join(dir, "line.nmea"))
		if err != nil {
			t.Fatal(err)
		}
		var r nmea.Reader
		var fixes []geo.Point
		var speed *float64
		bad := 0
		for begin := 0; begin < len(line); begin += 37 { // as a serial port gives them
			r.Take(line[begin:min(begin+37, len(line))], func(s runs.Sample, err error) {
				switch {
				case err != nil:
					bad++
					return
				case s.Lat != nil:
					fixes = append(fixes, geo.Point{Lat: *s.Lat, Lon: *s.Lon})
				}
				if s.Speed != nil {
					speed = s.Speed
				}
			})
		}
		if len(fixes) != want.Fixes || bad != want.Bad {
			t.Fatalf("%d fixes and %d bad frames, want %d and %d", len(fixes), bad, want.Fixes, want.Bad)
		}
		if want.Fixes > 0 {
			checkPoint(t, "first", fixes[0], want.First)
			checkPoint(t, "last", fixes[len(fixes)-1], want.Last)
		}
		if (speed == nil) != (want.Speed == nil) || speed != nil && math.Abs(*speed-*want.Speed) > 0.001 {
			t.Errorf("the last speed is %v, want %v", speed, want.Speed)
		}
		distance := 0.0
		for i := 1; i < len(fixes); i++ {
			distance += geo.Distance(fixes[i-1], fixes[i])
		}
		if math.Abs(distance-want.Distance) > max(0.05*want.Distance, 0.1) {
			t.Errorf("%.2f m, want %.2f", distance, want.Distance)
		}
		if (want.Try != "") == r.Understood() || !strings.Contains(r.Try(), want.Try) {
			t.Errorf("advice %q, want %q", r.Try(), want.Try)
		}
	})
}

func checkPoint(t *testing.T, what string, got geo.Point, want [2]float64) {
	t.Helper()
	if math.Abs(got.Lat-want[0]) > 1e-6 || math.Abs(got.Lon-want[1]) > 1e-6 {
		t.Errorf("the %s fix is %.7f, %.7f, want %v", what, got.Lat, got.Lon, want)
	}
}
