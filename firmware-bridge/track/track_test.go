package track

import (
	"strings"
	"testing"
	"time"

	"gatehouse/firmware-bridge/runs"
)

var (
	start = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	spans = Options{Start: start, End: start.Add(10 * time.Minute)}
)

const kmlHead = `<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"` +
	` xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>`

// files are files with what is read of them.
var files = map[string]struct {
	format, text string
	opts         Options
	points, bad  int
	last         time.Duration
	err          string // part of the error, empty: none
}{
	"csv": {
		"csv",
		"time,lat,lon,flow_lpm\n2020-02-14T06:00:00Z,35.9,115.1,5\n" +
			"2020-02-14T06:00:10Z,35.901,115.1,\n",
		Options{}, 2, 0, 10 * time.Second, "",
	},
	"csv of excel": {
		"csv",
		"\ufeff时间;纬度;经度\r\n2020/02/14 14:00:00;35.9;115.1\r\n" +
			"2020/2/14 14:01:00;35.901;115.1\r\n",
		Options{Zone: time.FixedZone("", 8*3600)}, 2, 0, time.Minute, "",
	},
	"csv no times": {
		"csv",
		"lat,lon\n35.9,115.1\n35.901,115.1\n35.902,115.1\n",
		spans, 3, 0, 10 * time.Minute, "",
	},
	"csv bad points": {
		"csv",
		"time,lat,lon\n1581660000,35.9,115.1\n1581660001,0,0\n1581660002,91,115\n" +
			"1581660003,NaN,115\n1581660004,35.9,115.1\n",
		Options{}, 2, 3, 4 * time.Second, "",
	},
	"csv disordered": {
		"csv",
		"time,lat,lon\n1581660009,35.9,115.1\n1581660000,35.9,115.2\n",
		Options{}, 2, 0, 9 * time.Second, "",
	},
	"csv swapped": {
		"csv",
		"time,lat,lon\n1581660000,115.1,35.9\n1581660001,115.1,35.9\n",
		Options{}, 0, 2, 0, "latitude before longitude",
	},
	"csv no column": {"csv", "time,x,y\n1,2,3\n", Options{}, 0, 0, 0, "no header line has a column of latitude"},
	"csv no number": {"csv", "time,lat,lon\n1581660000,north,1\n", Options{}, 0, 0, 0, "line 2"},
	"csv no time":   {"csv", "time,lat,lon\nyesterday,1,1\n", Options{}, 0, 0, 0, "yesterday"},
	"csv empty":     {"csv", "", Options{}, 0, 0, 0, ErrEmpty.Error()},
	"csv ragged":    {"csv", "time,lat,lon\n1581660000,1\n", Options{}, 0, 0, 0, "2 fields, the header line has 3"},
	"needs times":   {"csv", "lat,lon\n35.9,115.1\n35.901,115.1\n", Options{}, 0, 0, 0, ErrTimes.Error()},
	"days": {
		"csv",
		"time,lat,lon\n1581660000,35.9,115.1\n1581960000,35.9,115.1\n",
		Options{}, 0, 0, 0, "one run a file",
	},
	"geojson": {
		"geojson",
		`{"type":"FeatureCollection","features":[{"type":"Feature",` +
			`"properties":{"coordTimes":["2020-02-14T06:00:00Z","2020-02-14T06:00:05Z"]},` +
			`"geometry":{"type":"LineString","coordinates":[[115.1,35.9],[115.1,35.91,` +
			`40]]}}]}`,
		Options{}, 2, 0, 5 * time.Second, "",
	},
	"geojson points": {
		"geojson",
		`{"type":"FeatureCollection","features":[{"type":"Feature",` +
			`"properties":{"time":"2020-02-14T06:00:00Z"},"geometry":{"type":"Point",` +
			`"coordinates":[115.1,35.9]}},{"type":"Feature",` +
			`"properties":{"time":"2020-02-14T06:00:07Z"},"geometry":{"type":"Point",` +
			`"coordinates":[115.1,35.91]}}]}`,
		Options{}, 2, 0, 7 * time.Second, "",
	},
	"geojson lines": {
		"geojson",
		`{"type":"MultiLineString","coordinates":[[[115.1,35.9],[115.1,35.91]],[[115.2,` +
			`35.9],[115.2,35.91]]]}`,
		spans, 4, 0, 10 * time.Minute, "",
	},
	"geojson polygon": {"geojson", `{"type":"Polygon","coordinates":[[[1,2]]]}`, spans, 0, 0, 0, ErrEmpty.Error()},
	"geojson broken":  {"geojson", `{"type":`, spans, 0, 0, 0, "not GeoJSON"},
	"geojson counts": {
		"geojson",
		`{"type":"Feature","properties":{"times":["2020-02-14T06:00:00Z"]},` +
			`"geometry":{"type":"LineString","coordinates":[[1,2],[3,4]]}}`,
		Options{}, 0, 0, 0, "2 points and 1 times",
	},
	"kml line": {
		"kml",
		kmlHead +
			`<Placemark><LineString><coordinates>115.1,35.9,0 115.1,35.901,0` +
			"\n" +
			`115.1,35.902</coordinates></LineString></Placemark></Document></kml>`,
		spans, 3, 0, 10 * time.Minute, "",
	},
	"kml track": {
		"kml",
		kmlHead +
			`<Placemark><gx:Track><when>2020-02-14T06:00:00Z</when><when>` +
			`2020-02-14T06:00:03Z</when><gx:coord>115.1 35.9 10</gx:coord><gx:coord>` +
			`115.1 35.91 10</gx:coord></gx:Track></Placemark></Document></kml>`,
		Options{}, 2, 0, 3 * time.Second, "",
	},
	"kml polygon": {
		"kml",
		kmlHead +
			`<Polygon><outerBoundaryIs><LinearRing><coordinates>1,2 3,4</coordinates>` +
			`</LinearRing></outerBoundaryIs></Polygon></Document></kml>`,
		spans, 0, 0, 0, ErrEmpty.Error(),
	},
	"kml no when": {
		"kml",
		kmlHead +
			`<gx:Track><when>2020-02-14T06:00:00Z</when><gx:coord>1 2 3</gx:coord><gx:coord>1 2 3</gx:coord>` +
			`</gx:Track></Document></kml>`,
		Options{}, 0, 0, 0, "2 points and 1 times",
	},
	"kml torn": {
		"kml", kmlHead + `<LineString><coordinates>115.1,35.9`, spans, 0, 0, 0,
		"the file ends within <coordinates>",
	},
	"kml of text": {"kml", `hello`, spans, 0, 0, 0, "not kml"},
	"unknown":     {"nmea", ``, spans, 0, 0, 0, "csv, geojson, gpx, kml, kmz"},
}

// readText reads a text as Read does, and returns its samples and how many points
// can't be true.
func readText(format, text string, opts Options) (s []runs.Sample, bad int, err error) {
	t, err := Read(strings.NewReader(text), int64(len(text)), "track."+format, format, opts)
	if err == nil {
		for i := range t.Len() {
			s = append(s, t.Sample(i))
		}
	}
	return s, t.Bad(), err
}

func TestFilesAreReadOrRefusedWithAReason(t *testing.T) {
	for name, c := range files {
		s, bad, err := readText(c.format, c.text, c.opts)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", name, err, c.err)
			}
			continue
		}
		if err != nil || len(s) != c.points || bad != c.bad || s[len(s)-1].T != c.last {
			t.Errorf("%s: %d points (%d bad), %v: %+v", name, len(s), bad, err, s)
		}
	}
}

func TestTimesInBetweenAreByDistance(t *testing.T) {
	s, _, err := readText("csv", "lat,lon\n35.900,115.1\n35.901,115.1\n35.904,115.1\n", spans)
	if err != nil || !s[0].At.Equal(start) || s[1].T.Round(time.Second) != 150*time.Second || s[2].T != 10*time.Minute {
		t.Errorf("%+v %v", s, err)
	}
}
