package track

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
)

// endless is a file without an end: head, then what each says, for ever.
type endless struct {
	head, each string
	read       int64 // bytes, up to the last that was asked for
}

func (e *endless) ReadAt(p []byte, off int64) (int, error) {
	e.read = max(e.read, off+int64(len(p)))
	n := 0
	if off < int64(len(e.head)) {
		n = copy(p, e.head[off:])
	}
	for n < len(p) {
		at := (off + int64(n) - int64(len(e.head))) % int64(len(e.each))
		n += copy(p[n:], e.each[at:])
	}
	return n, nil
}

const (
	large = 1 << 20 // stands for MaxBytes
	token = 1 << 14 // for maxToken
	many  = 2000    // for MaxPoints

	geojsonLine = `{"type":"LineString","coordinates":[[0,0]`
	kmlLine     = kmlHead + "<LineString><coordinates>"
	kmlEnd      = "</coordinates></LineString></Document></kml>"
	gpxHead     = `<?xml version="1.0"?><gpx version="1.1"><trk><trkseg>`
)

// largeFiles are files that begin with head and go on with each for ever.
var largeFiles = map[string]struct {
	format, head, each string
	want               error
	most               int // bytes read
}{
	"csv":                 {"csv", "time,lat,lon\n", "1581660000,35.9,115.1\n", ErrMany, 23 * many},
	"csv, all wrong":      {"csv", "time,lat,lon\n", "1581660000,95.9,115.1\n", ErrMany, 23 * many},
	"csv, no positions":   {"csv", "time,lat,lon\n", "1581660000,,\n", ErrMany, 23 * many},
	"csv, one line":       {"csv", "time,lat,lon\n", "1581660000,", errText, 2 * token},
	"csv, one field":      {"csv", "time,lat,lon\n\"", "1581660000\n", errText, 2 * token},
	"csv, header":         {"csv", "time,lat,lon", "a", errText, 2 * token},
	"csv, blank lines":    {"csv", "time,lat,lon\n", "\n", errText, 2 * token},
	"csv, bad rows":       {"csv", "time,lat,lon\n", "a,b,c\n", ErrMany, 6 * many},
	"csv, short rows":     {"csv", "time,lat,lon\n", "a\n", ErrMany, 2 * many},
	"csv, headers":        {"csv", "time,lat,lon\n", "time,lat,lon\n", ErrMany, 13 * many},
	"geojson, empty":      {"geojson", `{"features":[{}`, `,{}`, ErrMany, 3 * many},
	"geojson, members":    {"geojson", `{"b":1`, `,"a":1`, errMembers, 1 << 20},
	"gpx, small elements": {"gpx", gpxHead, `<a/>`, errElements, 4 * perPoint * many},
	"geojson":             {"geojson", geojsonLine, ",[115.100001,35.90001]", ErrMany, 23 * many},
	"geojson, blanks":     {"geojson", geojsonLine, ",\n[\n -115.1,\n35.9 ]", ErrMany, 23 * many},
	"geojson, nested":     {"geojson", geojsonLine, ",[[", errDeep, 1000},
	"geojson, a text":     {"geojson", `{"name":"`, `[1,2] \"[1,2]`, errLarge, large},
	"geojson, features":   {"geojson", `{"features":[{}`, `,{"geometry":{"coordinates":[1.5,2.5]}}`, errLarge, large},
	"kml":                 {"kml", kmlLine, "115.1000001,35.9000001,0 ", errLarge, large},
	"kml, one number":     {"kml", kmlLine, "1151111111", errLarge, large},
	"kml, a text":         {"kml", kmlHead + "<description>", "some words that tell ", errText, 2 * token},
	"kml, a comment":      {"kml", kmlHead + "<!-- ", "some words that tell ", errText, 2 * token},
	"kml, times":          {"kml", kmlHead + "<gx:Track>", "<when>2020-02-14T06:00:00Z</when>", errLarge, large},
	"kml, one element":    {"kml", kmlHead + "<a", ` b="c"`, errText, 2 * token},
	"kml, within a line":  {"kml", kmlLine + "<a", ` b="c"`, errText, 2 * token},
	"kml, nested":         {"kml", kmlHead, "<a>", errDeep, 1000},
	"kml, empty elements": {"kml", kmlHead, "<LineString></LineString>", errLarge, large},
	"gpx":                 {"gpx", gpxHead, `<trkpt lat="35.9" lon="115.1"/>`, errLarge, large},
	"gpx, no positions":   {"gpx", gpxHead, `<trkpt/>`, errLarge, large},
}

// A file that is too large is refused when that much of it has been read.
func TestALargeFileIsRefusedAsSoonAsItIsTooLarge(t *testing.T) {
	const ahead = 256 << 10 // what buffers read ahead
	for name, c := range largeFiles {
		t.Run(name, func(t *testing.T) {
			e := &endless{head: c.head, each: strings.Repeat(c.each, 1000)}
			most := limits{large, many, 1 << 18, token}
			if errors.Is(c.want, errLarge) {
				most.points, most.text = large, large
			}
			const size = 1 << 40
			in := &collector{opts: spans, most: most}
			if err := refused(in.text(io.NewSectionReader(e, 0, size), "", c.format)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if e.read > int64(c.most+ahead) {
				t.Errorf("%d bytes were read before it was refused, at most %d are enough", e.read, c.most)
			}
		})
	}
}

func TestAFileThatSaysItIsLargeIsNotRead(t *testing.T) {
	e := &endless{head: kmlHead, each: "<a></a>"}
	if _, err := Read(e, MaxBytes+1, "flight.kml", "", Options{}); !errors.Is(err, errLarge) || e.read > atOnce {
		t.Errorf("%v after %d bytes", err, e.read)
	}
	if _, err := Read(strings.NewReader(""), MaxBytes, "flight.kml", "", Options{}); errors.Is(err, errLarge) {
		t.Error(err)
	}
}

func TestAFileOfTheMostPointsIsRead(t *testing.T) {
	line := strings.Repeat("115.1,35.9 ", many)
	arrays := strings.TrimSuffix(strings.Repeat("[115.1,35.9],", many), ",")
	for format, text := range map[string]string{
		"kml":     kmlLine + line + kmlEnd,
		"geojson": `{"type":"LineString","coordinates":[` + arrays + `]}`,
		"csv":     "lon,lat\n" + strings.ReplaceAll(line, " ", "\n"),
	} {
		most := limits{len(text), many, len(text), token}
		got, err := read(strings.NewReader(text), int64(len(text)), "", format, spans, most)
		if err != nil || got.Len() != many || got.Bad() != 0 {
			t.Errorf("%s: %d points, %d bad, %v", format, got.Len(), got.Bad(), err)
		}
	}
}

// bomb returns a KMZ whose KML is a text of so many bytes.
func bomb(t *testing.T, text string, times int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("doc.kml")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{kmlHead, strings.Repeat(text, times)} {
		if _, err := f.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAZipBombIsRefusedWithLittleMemory(t *testing.T) {
	for text, want := range map[string]error{"<a></a>": errLarge, "aaaaaaaa": errText} {
		b := bomb(t, strings.Repeat(text, 1<<10), 3000)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		most := limits{16 << 20, MaxPoints, maxText, maxToken}
		_, err := read(bytes.NewReader(b), int64(len(b)), "flight.kmz", "", Options{}, most)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 64<<20 {
			t.Errorf("%q: %d bytes of heap were taken", text, grown)
		}
	}
}

func TestAKMZOfVeryManyFilesIsRefused(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for range 50_000 {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: "a.png", Method: zip.Store}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(bytes.NewReader(b.Bytes()), int64(b.Len()), "a.kmz", "", Options{}); !errors.Is(err, errList) {
		t.Error(err)
	}
}
