package track

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// fieldCase is what gateway/cases expects of a file; see there.
type fieldCase struct {
	Start, End, Date, Zone, Placemark string
	Error, Notes                      []string
	Track                             struct {
		Points      int
		First, Last time.Time
		North, East float64
		Metres      float64
	}
	Left map[string]int
}

func (c *fieldCase) options(t *testing.T) Options {
	t.Helper()
	o := Options{Placemark: c.Placemark, Zone: time.FixedZone("Asia/Shanghai", 8*3600), Forced: c.Zone != ""}
	if c.Zone == "UTC" {
		o.Zone = time.UTC
	}
	for text, to := range map[string]*time.Time{c.Start: &o.Start, c.End: &o.End, c.Date + " 00:00:00": &o.Date} {
		if len(text) == len(time.DateTime) {
			at, err := time.ParseInLocation(time.DateTime, text, o.Zone)
			if err != nil {
				t.Fatal(err)
			}
			*to = at
		}
	}
	return o
}

func TestFilesOfTheField(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fields, "*", "*.*"))
	if err != nil || len(files) < 100 {
		t.Fatal(len(files), err)
	}
	for _, path := range files {
		if filepath.Base(path) == "expected.yaml" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(filepath.Dir(path), "expected.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var want fieldCase
		if err := yaml.Unmarshal(raw, &want); err != nil {
			t.Fatal(path, err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(bytes.NewReader(b), int64(len(b)), filepath.Base(path), "", want.options(t))
		checkField(t, path, want, got, err)
	}
}

func checkField(t *testing.T, path string, want fieldCase, got *Track, err error) {
	t.Helper()
	for _, part := range want.Error {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %q", path, err, part)
		}
	}
	if len(want.Error) > 0 {
		return
	}
	w := want.Track
	if err != nil || got.Len() != w.Points || !got.From.Equal(w.First) || !got.To.Equal(w.Last) ||
		got.Max.Lat-w.North > 1e-6 || w.North-got.Max.Lat > 1e-6 || got.Max.Lon-w.East > 1e-6 ||
		w.East-got.Max.Lon > 1e-6 || got.Metres-w.Metres > 1 || w.Metres-got.Metres > 1 {
		t.Errorf("%s: %+v %v, want %+v", path, got.Report, err, w)
	}
	if len(got.Left) != len(want.Left) {
		t.Errorf("%s: %v left out, want %v", path, got.Left, want.Left)
	}
	for _, l := range got.Left {
		if want.Left[l.Reason] != l.Count {
			t.Errorf("%s: %v left out, want %v", path, got.Left, want.Left)
		}
	}
	for _, part := range want.Notes {
		if !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, part) }) {
			t.Errorf("%s: notes %q, want %q", path, got.Notes, part)
		}
	}
}
