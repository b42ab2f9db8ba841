package track

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
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
	"csv no column": {"csv", "time,x,y\n1,2,3\n", Options{}, 0, 0, 0, "no column lat"},
	"csv no number": {"csv", "time,lat,lon\n1581660000,north,1\n", Options{}, 0, 0, 0, "line 2"},
	"csv no time":   {"csv", "time,lat,lon\nyesterday,1,1\n", Options{}, 0, 0, 0, "yesterday"},
	"csv empty":     {"csv", "", Options{}, 0, 0, 0, ErrEmpty.Error()},
	"csv ragged":    {"csv", "time,lat,lon\n1581660000,1\n", Options{}, 0, 0, 0, "wrong number of fields"},
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
		spans, 0, 0, 0, "2 points and 1 times",
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
			`<gx:Track><gx:coord>1 2 3</gx:coord></gx:Track></Document></kml>`,
		spans, 0, 0, 0, "without its when",
	},
	"kml torn":    {"kml", kmlHead + `<LineString><coordinates>115.1,35.9`, spans, 0, 0, 0, "unexpected EOF"},
	"kml of text": {"kml", `hello`, spans, 0, 0, 0, "not KML"},
	"unknown":     {"gpx", ``, spans, 0, 0, 0, "csv, geojson, kml"},
}

func TestFilesAreReadOrRefusedWithAReason(t *testing.T) {
	for name, c := range files {
		s, bad, err := Read(c.format, strings.NewReader(c.text), c.opts)
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
	s, _, err := Read("csv", strings.NewReader("lat,lon\n35.900,115.1\n35.901,115.1\n35.904,115.1\n"), spans)
	if err != nil || !s[0].At.Equal(start) || s[1].T.Round(time.Second) != 150*time.Second || s[2].T != 10*time.Minute {
		t.Errorf("%+v %v", s, err)
	}
}

// endless is a file without an end: head, then what next returns, for ever.
type endless struct {
	buf  []byte
	next func(i int) string
	i    int
	read int // bytes
}

func (e *endless) Read(p []byte) (int, error) {
	for len(e.buf) < len(p) {
		e.buf = append(e.buf, e.next(e.i)...)
		e.i++
	}
	n := copy(p, e.buf)
	e.buf = e.buf[n:]
	e.read += n
	return n, nil
}

const (
	large = 1 << 20 // stands for maxBytes

	geojsonLine = `{"type":"LineString","coordinates":[[0,0]`
	kmlLine     = kmlHead + "<LineString><coordinates>"
	kmlEnd      = "</coordinates></LineString></Document></kml>"
)

// largeFiles are files that begin with head and go on with each for ever.
var largeFiles = map[string]struct {
	format, head, each string // each: 20 bytes a point at least
	want               error
	most               int // bytes read
}{
	"csv":                  {"csv", "time,lat,lon\n", "1581660000,35.9,115.1\n", ErrMany, 23 * MaxPoints},
	"csv, all wrong":       {"csv", "time,lat,lon\n", "1581660000,95.9,115.1\n", ErrMany, 23 * MaxPoints},
	"csv, one line":        {"csv", "time,lat,lon\n", "1581660000,", errLarge, large},
	"csv, one field":       {"csv", "time,lat,lon\n\"", "1581660000", errLarge, large},
	"geojson":              {"geojson", geojsonLine, ",[115.100001,35.90001]", ErrMany, 23 * MaxPoints},
	"geojson, with blanks": {"geojson", geojsonLine, ",\n[\n -115.1,\n35.9 ]", ErrMany, 23 * MaxPoints},
	"geojson, features": {
		"geojson", `{"features":[{}`, `,{"geometry":{"coordinates":[1.5,2.5]}}`, ErrMany, 42 * MaxPoints,
	},
	"geojson, a text": {"geojson", `{"name":"`, `[1,2] \"[1,2]`, errLarge, large},
	"kml":             {"kml", kmlLine, "115.1000001,35.9000001,0 ", ErrMany, 26 * MaxPoints},
	"kml, all wrong":  {"kml", kmlLine, "115.1000001,95.9000001,0\n", ErrMany, 26 * MaxPoints},
	"kml, many lines": {
		"kml", kmlHead, "<LineString><coordinates>115.1,35.9 115.1,35.91</coordinates></LineString>",
		ErrMany, 76 * MaxPoints / 2,
	},
	"kml, one number":  {"kml", kmlLine, "1151111111", errLarge, large},
	"kml, a text":      {"kml", kmlHead + "<description>", "some words that tell ", errLarge, large},
	"kml, times":       {"kml", kmlHead + "<gx:Track>", "<when>2020-02-14T06:00:00Z</when>", ErrMany, 34 * MaxPoints},
	"kml, one element": {"kml", kmlHead + "<a", ` b="c"`, errLarge, large},
}

// A file that is too large is refused when that much of it has been read.
func TestALargeFileIsRefusedAsSoonAsItIsTooLarge(t *testing.T) {
	const ahead = 256 << 10 // what buffers read ahead
	for name, c := range largeFiles {
		t.Run(name, func(t *testing.T) {
			e := &endless{buf: []byte(c.head), next: func(int) string { return c.each }}
			most := maxBytes
			if errors.Is(c.want, errLarge) {
				most = large // the same refusal, after fewer bytes
			}
			if _, _, err := read(c.format, e, spans, most); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if e.read > c.most+ahead {
				t.Errorf("%d bytes were read before it was refused, at most %d are enough", e.read, c.most)
			}
		})
	}
}

func TestAFileOfTheMostPointsIsRead(t *testing.T) {
	line := strings.Repeat("115.1,35.9 ", MaxPoints)
	arrays := strings.TrimSuffix(strings.Repeat("[115.1,35.9],", MaxPoints), ",")
	text := "<description>" + strings.Repeat("a ", 2*MaxPoints) + "</description>"
	for format, text := range map[string]string{
		"kml":     kmlHead + text + "<LineString><coordinates>" + line + kmlEnd,
		"geojson": `{"type":"LineString","coordinates":[` + arrays + `]}`,
		"csv":     "lon,lat\n" + strings.ReplaceAll(line, " ", "\n"),
	} {
		if s, bad, err := Read(format, strings.NewReader(text), spans); err != nil || len(s) != MaxPoints || bad != 0 {
			t.Errorf("%s: %d points, %d bad, %v", format, len(s), bad, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("csv", []byte("time,lat,lon\n1581660000,35.9,115.1\n1581660001,35.9,115.1\n"))
	f.Add("geojson", []byte(`{"type":"LineString","coordinates":[[115.1,35.9],[115.1,35.91]]}`))
	f.Add("kml", []byte(kmlLine+"115.1,35.9 115.1,35.91"+kmlEnd))
	f.Fuzz(func(t *testing.T, format string, text []byte) {
		s, _, err := Read(format, bytes.NewReader(text), spans)
		for i, x := range s {
			if err != nil || x.Lat == nil || x.At.IsZero() || i > 0 && x.T < s[i-1].T {
				t.Fatalf("%+v %v", x, err)
			}
		}
	})
}
