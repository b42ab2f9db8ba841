package cases

import (
	"bytes"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/firmware-bridge/track"
)

// trackCase is what is expected of a track file, the only other file of its folder.
// Either an error (a part of its text), or points, first and last time, corners (of
// the box around it) and metres along it. left counts what is left out, by
// reason; notes are parts of notes. start, end, date, zone, placemark and format
// are the flags of `gatehouse import run`.
type trackCase struct {
	Field     string         `yaml:"field,omitempty"`
	Start     string         `yaml:"start,omitempty"`
	End       string         `yaml:"end,omitempty"`
	Date      string         `yaml:"date,omitempty"`
	Zone      string         `yaml:"zone,omitempty"` // default Asia/Shanghai
	Placemark string         `yaml:"placemark,omitempty"`
	Error     []string       `yaml:"error,omitempty"`
	Track     trackTruth     `yaml:"track,omitempty"`
	Left      map[string]int `yaml:"left,omitempty"`
	Notes     []string       `yaml:"notes,omitempty"`
}

// trackTruth is the track that a file holds.
type trackTruth struct {
	Points      int        `yaml:"points"`
	First, Last time.Time  //
	South, West float64    // degrees
	North, East float64    //
	Metres      float64    `yaml:"metres"`
	At          []trackRow `yaml:"at,omitempty"` // some of the points
}

// trackRow is a point of a track.
type trackRow struct {
	Index    int
	Time     time.Time
	Lat, Lon float64
}

func TestTrackFilesAreReadAsTheyAre(t *testing.T) { each(t, "track", playTrack) }

// trackFile returns the path of the file that is no expected.yaml.
func trackFile(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Name() != "expected.yaml" {
			return filepath.Join(dir, e.Name())
		}
	}
	t.Fatal("there is no file")
	return ""
}

func (c *trackCase) options(t *testing.T) track.Options {
	t.Helper()
	opts := track.Options{Placemark: c.Placemark, Forced: c.Zone != ""}
	if c.Zone == "" {
		c.Zone = "Asia/Shanghai"
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		t.Fatal(err)
	}
	opts.Zone = zone
	for _, x := range []struct {
		text, layout string
		to           *time.Time
	}{{c.Start, time.DateTime, &opts.Start}, {c.End, time.DateTime, &opts.End}, {c.Date, time.DateOnly, &opts.Date}} {
		if x.text == "" {
			continue
		}
		if *x.to, err = time.ParseInLocation(x.layout, x.text, zone); err != nil {
			t.Fatal(err)
		}
	}
	return opts
}

func playTrack(t *testing.T, dir string) {
	want, path := expected[trackCase](t, dir), trackFile(t, dir)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := track.Read(bytes.NewReader(b), int64(len(b)), filepath.Base(path), "", want.options(t))
	if len(want.Error) > 0 {
		for _, part := range want.Error {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("error %v, want %q", err, part)
			}
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]int{}
	for _, l := range got.Left {
		left[l.Reason] = l.Count
	}
	if !maps.Equal(left, want.Left) {
		t.Errorf("left out %v, want %v", left, want.Left)
	}
	for _, part := range want.Notes {
		if !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, part) }) {
			t.Errorf("notes %q, want %q", got.Notes, part)
		}
	}
	sameTrack(t, got, want.Track)
}

func sameTrack(t *testing.T, got *track.Track, want trackTruth) {
	t.Helper()
	if got.Len() != want.Points || !got.From.Equal(want.First) || !got.To.Equal(want.Last) {
		t.Errorf("%d points from %s to %s, want %d from %s to %s",
			got.Len(), got.From, got.To, want.Points, want.First, want.Last)
	}
	for _, x := range []struct {
		name               string
		got, want, epsilon float64
	}{
		{"south", got.Min.Lat, want.South, 1e-6},
		{"west", got.Min.Lon, want.West, 1e-6},
		{"north", got.Max.Lat, want.North, 1e-6},
		{"east", got.Max.Lon, want.East, 1e-6},
		{"metres", got.Metres, want.Metres, 0.5 + 0.001*want.Metres},
	} {
		if !(math.Abs(x.got-x.want) <= x.epsilon) {
			t.Errorf("%s %f, want %f", x.name, x.got, x.want)
		}
	}
	for _, row := range want.At {
		s := got.Sample(row.Index)
		if !s.At.Equal(row.Time) || math.Abs(*s.Lat-row.Lat) > 1e-6 || math.Abs(*s.Lon-row.Lon) > 1e-6 {
			t.Errorf("point %d: %s %f %f, want %+v", row.Index, s.At, *s.Lat, *s.Lon, row)
		}
	}
}
