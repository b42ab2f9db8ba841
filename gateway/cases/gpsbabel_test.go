package cases

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/firmware-bridge/track"
)

// babel are formats that GPSBabel writes, with times or without.
var babel = []struct {
	format, file string
	timed        bool
}{
	{"gpx,gpxver=1.0", "a.gpx", true},
	{"gpx,gpxver=1.1", "b.gpx", true},
	{"kml", "points.kml", true},
	{"kml,points=0,track=1", "track.kml", true},
	{"unicsv", "unicsv.csv", true}, // in the computer's zone
	{"iblue747", "iblue747.csv", true},
	{"iblue757", "iblue757.csv", true},
	{"geojson", "a.geojson", false},
	{"kml,points=0", "line.kml", false},
}

// babelTrack is a track of n points, 10 s apart, across the equator and Greenwich.
func babelTrack(n int) (lat, lon []float64, at []time.Time) {
	for i := range n {
		lat = append(lat, float64(i-n/2)*0.00123+0.0001)
		lon = append(lon, float64(i-n/3)*0.00117+0.0002)
		at = append(at, time.Date(2020, 2, 14, 6, 0, 10*i, 0, time.UTC))
	}
	return lat, lon, at
}

// GPSBabel converts a track into other formats: each is read to the same points.
func TestFilesOfGPSBabelAreReadToTheSamePoints(t *testing.T) {
	lat, lon, at := babelTrack(300)
	var gpx strings.Builder
	gpx.WriteString(`<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>`)
	for i := range lat {
		fmt.Fprintf(&gpx, `<trkpt lat="%f" lon="%f"><time>%s</time></trkpt>`,
			lat[i], lon[i], at[i].Format(time.RFC3339))
	}
	gpx.WriteString("</trkseg></trk></gpx>")
	dir := t.TempDir()
	source := filepath.Join(dir, "source.gpx")
	if err := os.WriteFile(source, []byte(gpx.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, x := range babel {
		path := filepath.Join(dir, x.file)
		cmd := exec.CommandContext(t.Context(), "gpsbabel", "-t", "-i", "gpx", "-f", source, "-o", x.format, "-F", path)
		cmd.Env = append(os.Environ(), "TZ=Asia/Shanghai")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("gpsbabel (make tools installs it): %v %s", err, out)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		opts := track.Options{Zone: time.FixedZone("", 8*3600)}
		if !x.timed {
			opts.Start, opts.End = at[0], at[len(at)-1]
		}
		got, err := track.Read(bytes.NewReader(b), int64(len(b)), x.file, "", opts)
		if err != nil || got.Len() != len(lat) || len(got.Left) > 0 {
			t.Errorf("%s: %d points, %v, left out %v", x.format, got.Len(), err, got.Left)
			continue
		}
		for i := range lat {
			s := got.Sample(i)
			late := s.At.Sub(at[i]).Abs()
			if x.timed && late > 0 || late > time.Second ||
				math.Abs(*s.Lat-lat[i]) > 1e-6 || math.Abs(*s.Lon-lon[i]) > 1e-6 {
				t.Errorf("%s: point %d is %s %f %f, want %s %f %f",
					x.format, i, s.At, *s.Lat, *s.Lon, at[i], lat[i], lon[i])
				break
			}
		}
	}
}
