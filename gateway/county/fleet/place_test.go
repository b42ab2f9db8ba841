package fleet

import (
	"database/sql"
	"path/filepath"
	"testing"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/site"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

// square returns a compound of some 180 by 220 metres.
func square(name string, south, west float64) site.Compound {
	return site.Compound{Name: name, Polygon: []site.Point{
		{west, south}, {west + 0.002, south}, {west + 0.002, south + 0.002}, {west, south + 0.002}}}
}

// TestThePlaceOfARun lets a machine work for ten seconds, once a second, and go home.
func TestThePlaceOfARun(t *testing.T) {
	compounds := []site.Compound{square("丽景苑", 35, 115), square("东风里", 35, 115.003), {Name: "no outline"}}
	for name, c := range map[string]struct {
		at    func(i int) (lat, lon float64)
		place string
	}{
		"within":             {func(i int) (float64, float64) { return 35.001, 115.0005 + float64(i)*1e-5 }, "丽景苑"},
		"the other one":      {func(i int) (float64, float64) { return 35.001, 115.0035 + float64(i)*1e-5 }, "东风里"},
		"on the road beside": {func(int) (float64, float64) { return 35.001, 115.0059 }, "东风里"},
		"between, nearer to": {func(int) (float64, float64) { return 35.001, 115.0023 }, "丽景苑"},
		"most of it": {func(i int) (float64, float64) {
			return 35.001, 115.0012 + float64(i)*3e-4 // three of ten metres lie beyond the road
		}, "丽景苑"},
		"elsewhere": {func(int) (float64, float64) { return 35.1, 115.2 }, "35.10000, 115.20000"},
		"home is not where it worked": {func(i int) (float64, float64) {
			if i > 10 {
				return 35.001, 115.004
			}
			return 35.001, 115.001
		}, "丽景苑"},
	} {
		track := &wire.Track{Machine: "fogger-9", Source: wire.SourceModbus, At: wire.At(t0)}
		for i := range 21 {
			lat, lon := c.at(i)
			track.Points = append(track.Points, wire.TrackPoint{TMS: int64(i) * 1000,
				Values: fact.Values{Lat: &lat, Lon: &lon}})
		}
		run := openRun(t0, false)
		run.Start, run.End = wire.At(t0), wire.At(t0.Add(10e9))
		run.Since, run.Until, run.Work = &run.Start, new(wire.At(t0.Add(20e9))), [][2]int64{{0, 10_000}}
		county := open(t, filepath.Join(t.TempDir(), "f.db"))
		county.runs.compounds = compounds
		county.Commit(t0, committed.Batch(committed.Entry(t, 1, t0, track)))
		err := county.file.Write(t.Context(), func(tx *sql.Tx) error {
			if got, err := county.runs.Place(t.Context(), tx, run); got != c.place || err != nil {
				t.Errorf("%s: %q, %v; want %q", name, got, err, c.place)
			}
			run.Machine = "nobody"
			if got, err := county.runs.Place(t.Context(), tx, run); got != "" || err != nil {
				t.Errorf("%s: without a position %q, %v", name, got, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
