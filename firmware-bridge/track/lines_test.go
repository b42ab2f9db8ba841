package track

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// linesOf are files of lines and points, in formats of their own.
var linesOf = map[string]struct {
	format, text string
	opts         Options
	points       int
	says         string // part of the error, of what was left out or of a note; empty: nothing
}{
	"gpx, one point without a time": {"gpx", gpxHead + trkpt("00") + "\n" + `<trkpt lat="35.9" lon="115.1"/>` +
		"\n" + trkpt("02") + "</trkseg></trk></gpx>", Options{}, 2, "1 points without a time, first in line 2"},
	"gpx, a name elsewhere": {"gpx", `<gpx><metadata><name>x</name></metadata><trk><name>a</name><trkseg>` +
		trkpt("00") + trkpt("01") + `</trkseg></trk></gpx>`, Options{Placemark: "a"}, 2, ""},
	"gpx, a route with a name": {"gpx", `<gpx><rte><name>a</name><rtept lat="35.9" lon="115.1"/>` +
		`<rtept lat="35.91" lon="115.1"/></rte></gpx>`, Options{Placemark: "a", Start: spans.Start, End: spans.End},
		2, "it is a route"},
	"gpx, a track only": {"gpx", gpxHead + trkpt("00") + trkpt("01") + "</trkseg></trk></gpx>", Options{}, 2, ""},
	"kml, a time span of no length": {"kml", kmlHead + `<Placemark><TimeSpan><begin>2020-02-14T06:00:00Z</begin>` +
		`<end>2020-02-14T06:00:00Z</end></TimeSpan>` + kmlTwo + `</Placemark></Document></kml>`,
		Options{}, 0, "only one time for the whole line"},
	"kml, a time span": {"kml", kmlHead + `<Placemark><TimeSpan><begin>2020-02-14T06:00:00Z</begin>` +
		`<end>2020-02-14T06:00:09Z</end></TimeSpan>` + kmlTwo + `</Placemark></Document></kml>`,
		Options{}, 2, "times are by distance"},
	"kml, a line and one point with a time": {"kml", kmlHead + `<Placemark>` + kmlTwo + `</Placemark><Placemark>` +
		`<TimeStamp><when>2020-02-14T06:00:00Z</when></TimeStamp><Point><coordinates>115.1,35.9</coordinates></Point>` +
		`</Placemark></Document></kml>`, spans, 2, ""},
	"kml, a track without times": {"kml", kmlHead + `<Placemark><gx:Track><gx:coord>115.1 35.9</gx:coord>` +
		`<gx:coord>115.1 35.91</gx:coord><gx:coord>115.1</gx:coord></gx:Track></Placemark></Document></kml>`,
		spans, 2, "1 points without a position"},
	"geojson, no object":              {"geojson", `[1]`, spans, 0, "[ stands where { should"},
	"geojson, features that are none": {"geojson", `{"features":{}}`, spans, 0, "{ stands where [ should"},
	"geojson, a polygon with times": {"geojson", `{"features":[{"type":"Feature","properties":{"times":["x","y"]},` +
		`"geometry":{"type":"Polygon","coordinates":[[[1,2]]]}},{"type":"Feature","geometry":` + geojsonTwo + `}]}`,
		spans, 2, ""},
	"geojson, a collection": {"geojson", `{"type":"GeometryCollection","geometries":[` + geojsonTwo + `]}`,
		spans, 2, ""},
	"geojson, a collection of something": {"geojson", `{"type":"GeometryCollection","geometries":[` + geojsonTwo +
		`,{"type":"LineString","coordinates":"x"}]}`, spans, 0, "not GeoJSON"},
	"geojson, a text with brackets": {"geojson", `{"name":"[1, \"2 ]{","type":"LineString","coordinates":` +
		`[ [ 115.1 , 35.9 ] , [ -9 , 35.91 ] ] }`, spans, 2, ""},
}

const (
	kmlTwo     = `<LineString><coordinates>115.1,35.9 115.1,35.91</coordinates></LineString>`
	geojsonTwo = `{"type":"LineString","coordinates":[[115.1,35.9],[115.1,35.91]]}`
)

func trkpt(second string) string {
	return `<trkpt lat="35.9" lon="115.1"><time>2020-02-14T06:00:` + second + `Z</time></trkpt>`
}

func TestLinesAndPoints(t *testing.T) {
	for name, c := range linesOf {
		got, err := Read(strings.NewReader(c.text), int64(len(c.text)), "a", c.format, c.opts)
		var said []string
		if err != nil {
			said = append(said, err.Error())
		}
		for _, l := range got.Left {
			said = append(said, l.String())
		}
		said = append(said, got.Notes...)
		if (err == nil) != (c.points > 0) || got.Len() != c.points ||
			(len(said) == 0) != (c.says == "") || !strings.Contains(strings.Join(said, "; "), c.says) {
			t.Errorf("%s: %d points, %q; want %d, %q", name, got.Len(), said, c.points, c.says)
		}
	}
}

func TestManyLinesAreNamedInPart(t *testing.T) {
	var ways []*way
	for i := range 22 {
		ways = append(ways, &way{name: fmt.Sprint("line ", i), number: i + 1})
	}
	if got := names(ways[:20]); !strings.HasSuffix(got, `#20 "line 19" (0 points)`) {
		t.Error(got)
	}
	if got := names(ways); !strings.HasSuffix(got, `#20 "line 19" (0 points), and 2 more`) {
		t.Error(got)
	}
}

func TestWhatIsSaidOfWhatIsLeftOut(t *testing.T) {
	for want, l := range map[string]Left{
		"2 points without a time":                       {leftTime, 2, 0, ""},
		"1 points without a time, first in line 1":      {leftTime, 1, 1, ""},
		"1 points without a time, first in line 7: why": {leftTime, 1, 7, "why"},
	} {
		if l.String() != want {
			t.Errorf("%q, want %q", l, want)
		}
	}
	if want := "more than 8294400 elements"; !strings.Contains(errElements.Error(), want) {
		t.Error(errElements)
	}
}

func TestTheTextOfAnElementIsKeptInPart(t *testing.T) {
	w := &walker{path: []string{"gpx", "name"}}
	for range 2 {
		if err := w.chars(make([]byte, 3000), nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.text) != keptText {
		t.Errorf("%d bytes are kept", len(w.text))
	}
	if above(w.path, 1) != "gpx" || above(w.path, 2) != "" || above(w.path, 0) != "name" {
		t.Error("the elements above")
	}
}

// What is counted is refused when it is one more than may be.
func TestElementsAndPointsAtTheirLimits(t *testing.T) {
	for count, want := range map[int]error{2 * perPoint: nil, 2*perPoint + 1: errElements} {
		w := &walker{in: newSource(strings.NewReader(""), limits{points: 2})}
		var err error
		for range count {
			w.path = w.path[:0]
			err = w.opened(xml.StartElement{Name: xml.Name{Local: "a"}}, &gpx{})
		}
		if !errors.Is(err, want) {
			t.Errorf("%d elements: %v", count, err)
		}
	}
	for deep, want := range map[int]error{deepest: nil, deepest + 1: errDeep} {
		s := jsonScan{points: 1}
		var err error
		for i := range deep {
			for _, b := range []byte{'[', '{'}[i%2 : i%2+1] {
				err = s.take(b)
			}
		}
		if !errors.Is(err, want) {
			t.Errorf("%d levels: %v", deep, err)
		}
	}
	for text, left := range map[string]int{"[0": 4, "[9": 4, "[-1": 4, "[5,6": 4, "[ 7": 4, "[x": 5, "7": 5, "[/": 5,
		"[:": 5, "[[1],[2]": 3, "[]": 5} {
		s := jsonScan{points: 5}
		for _, b := range []byte(text) {
			if err := s.take(b); err != nil {
				t.Fatal(err)
			}
		}
		if s.points != left || s.depth != strings.Count(text, "[")-strings.Count(text, "]") {
			t.Errorf("%s: %d points left, %d levels", text, s.points, s.depth)
		}
	}
	c := collector{most: limits{points: 2}}
	for i, want := range []error{nil, nil, ErrMany} {
		if err := c.skip(leftPlace, i, ""); !errors.Is(err, want) {
			t.Errorf("point %d: %v", i+1, err)
		}
	}
	c = collector{most: limits{points: maxWays + 9}}
	for i := range maxWays + 1 {
		err := c.add(c.newWay(""), point{at: untimed, lat: 35.9, lon: 115.1}, 1)
		if (err == nil) != (i < maxWays) {
			t.Fatalf("line %d: %v", i+1, err)
		}
	}
}
