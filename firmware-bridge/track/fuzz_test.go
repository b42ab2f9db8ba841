package track

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// fields are the files of the field, which the fuzz targets begin with.
const fields = "../../gateway/cases/testdata/track"

func seeds(f *testing.F, extensions ...string) {
	f.Helper()
	for _, ext := range extensions {
		files, err := filepath.Glob(filepath.Join(fields, "*", "*."+ext))
		if err != nil || len(files) == 0 {
			f.Fatal("no files of ", ext, err)
		}
		for _, path := range files {
			b, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
}

// fuzz checks that what is read of any text is a track.
func fuzz(f *testing.F, format string) {
	f.Helper()
	options := []Options{
		{},
		{Start: time.Unix(1581660000, 0), End: time.Unix(1581669000, 0)},
		{Start: time.Unix(1581660000, 0)},
		{Date: time.Unix(1581660000, 0), Placemark: "#1"},
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, o := range options {
			got, err := Read(bytes.NewReader(text), int64(len(text)), "a", format, o)
			if err != nil {
				continue
			}
			if got.Len() < 2 || got.To.Before(got.From) || got.To.Sub(got.From) > longest || !(got.Metres >= 0) {
				t.Fatalf("%+v", got.Report)
			}
			for i := range got.Len() {
				s := got.Sample(i)
				back := i > 0 && s.T < got.Sample(i-1).T
				if s.Lat == nil || s.Lon == nil || s.At.IsZero() || len(s.Clean()) > 0 || back {
					t.Fatalf("%+v", s)
				}
			}
		}
	})
}

func FuzzCSV(f *testing.F) {
	seeds(f, "csv", "txt")
	fuzz(f, "csv")
}

func FuzzGeoJSON(f *testing.F) {
	seeds(f, "geojson", "json")
	fuzz(f, "geojson")
}

func FuzzGPX(f *testing.F) {
	seeds(f, "gpx")
	fuzz(f, "gpx")
}

func FuzzKML(f *testing.F) {
	seeds(f, "kml")
	fuzz(f, "kml")
}

func FuzzKMZ(f *testing.F) {
	seeds(f, "kmz")
	fuzz(f, "kmz")
}

func FuzzAnyFile(f *testing.F) {
	seeds(f, "csv", "txt", "geojson", "json", "gpx", "kml", "kmz")
	fuzz(f, "")
}
