package track

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"gatehouse/gateway/fact"
)

// table rows of a track: two good rows, and what is tried behind them.
const (
	rowsHead = "time,lat,lon\n"
	goodRows = "2020-02-14T06:00:00Z,35.9,115.1\n2020-02-14T06:00:10Z,35.901,115.1\n"
	third    = "2020-02-14T06:00:20Z,"
)

func readTable(t *testing.T, text string, opts Options) (*Track, error) {
	t.Helper()
	got, err := Read(strings.NewReader(text), int64(len(text)), "track.csv", "", opts)
	if err == nil && got.Format != "csv" {
		t.Errorf("it is read as %s", got.Format)
	}
	return got, err
}

func TestRowsThatAreLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		left string // as the report says it; empty: nothing
	}{
		"nothing":           {rowsHead + goodRows, ""},
		"empty rows":        {rowsHead + "\n,,\n" + goodRows + ",,,,\n", ""},
		"header again":      {rowsHead + goodRows + rowsHead, "1 repeated header lines, first in line 4"},
		"a short one of it": {rowsHead + goodRows + "time,lat\n", "1 rows with another number of fields"},
		"a field too much":  {rowsHead + goodRows + third + "35.9,115.1,x\n", "1 rows with another number"},
		"empty columns":     {"time,lat,lon,,\n" + goodRows + third + "35.9,115.1,x\n", "1 rows with another"},
		"no position":       {rowsHead + goodRows + third + ",115.1\n", "1 points without a position"},
		"no position, east": {rowsHead + goodRows + third + "35.9,\n", "1 points without a position"},
		"no time":           {rowsHead + goodRows + ",35.9,115.1\n", "1 points without a time"},
		"no number":         {rowsHead + goodRows + third + "north,115.1\n", "1 rows in which something"},
		"not a time":        {rowsHead + goodRows + "soon,35.9,115.1\n", "1 rows in which something"},
		"no time and a date": {rowsOf("date,time", "2020-02-14,06:00", ",06:01", "2020-02-14,06:02"),
			"1 points without a time"},
		"the first is short": {"lat,lon,time\n35.9,115.1\n35.9,115.1,2020-02-14T06:00:00Z\n" +
			"35.9,115.1,2020-02-14T06:00:05Z\n", "1 rows with another number of fields"},
	} {
		got, err := readTable(t, c.text, Options{})
		if err != nil || got.Len() != 2 {
			t.Errorf("%s: %v %+v", name, err, got.Report)
			continue
		}
		said := ""
		for _, l := range got.Left {
			said += l.String()
		}
		if (said == "") != (c.left == "") || !strings.HasPrefix(said, c.left) {
			t.Errorf("%s: %q, want %q", name, said, c.left)
		}
		if len(got.Notes) != 0 {
			t.Errorf("%s: notes %q", name, got.Notes)
		}
	}
}

func TestHeaderLinesThatAreRefused(t *testing.T) {
	wide := func(n int) string { return strings.Repeat("a,", n-2) + "lat,lon\n" }
	for text, want := range map[string]string{
		"sep=;\na;b\nc;d\n":      `it begins with "a, b"`,
		"home_lat,home_lon,x\n":  "are not those of the machine",
		"gcj02_lat,gcj02_lon,\n": "another coordinate system",
		wide(maxColumns + 1):     "more than 1000 columns",
		wide(maxColumns):         "there is no track",
	} {
		if _, err := readTable(t, text, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %q", text, err, want)
		}
	}
}

func TestWhatStandsBetweenColumns(t *testing.T) {
	for text, want := range map[string]string{
		"a;b;c\n": ";", "a,b,c;d\n": ",", "a,b;c\n": ",", "a|b|c;d\n": "|", "a\tb\n": "\t", "a\n": ",",
		"sep=;\n": ";", "sep=\n": ",", "\"sep=|\"\r\n": "|", "a,b,c\nlat;lon\n": ";", "lat\tlon,x,y\n": "\t",
	} {
		if got, skip := delimiter([]byte(text)); string(got) != want || (skip == 1) != strings.Contains(text, "sep=") {
			t.Errorf("%q: %q, %d", text, got, skip)
		}
	}
	for text, rows := range map[string]string{
		"a column that is empty": "name\ttime\tlat\tlon\n\t2020-02-14T06:00:00Z\t35.9\t115.1\n" +
			"\t2020-02-14T06:00:10Z\t35.901\t115.1\n",
		"blanks before quotation marks": "time, lat, lon\n2020-02-14T06:00:00Z, \"35.9\", \"115.1\"\n" +
			"2020-02-14T06:00:10Z, \"35.901\", \"115.1\"\n",
		"old Macs": strings.ReplaceAll(rowsHead+goodRows, "\n", "\r"),
	} {
		got, err := readTable(t, rows, Options{})
		if err != nil || got.Len() != 2 || len(got.Left) != 0 ||
			!slices.Equal(got.Columns, []string{"lat", "lon", "time"}) {
			t.Errorf("%s: %v %+v", text, err, got.Report)
		}
	}
}

func TestWhatATableSaysBesides(t *testing.T) {
	text := "command,flow_lpm,time,lat,lon,tank_pct\n" +
		"on,3.5,2020-02-14T06:00:00Z,35.9,115.1\n" +
		"true,\"3,5\",2020-02-14T06:00:01Z,35.9,115.1,0\n" +
		"1,,2020-02-14T06:00:02Z,35.9,115.1,100\n" +
		"off,-0.1,2020-02-14T06:00:03Z,35.9,115.1,100.1\n" +
		",NaN,2020-02-14T06:00:04Z,35.9,115.1,-0.1\n"
	got, err := readTable(t, text, Options{})
	if err != nil || got.Len() != 5 {
		t.Fatalf("%v %+v", err, got.Report)
	}
	for i, want := range []string{"true 3.5 ?", "true 3.5 0", "true ? 100", "false ? ?", "? ? ?"} {
		s := got.Sample(i)
		said := shown(s.Command) + " " + shown(s.Flow) + " " + shown(s.Tank)
		if said != want {
			t.Errorf("row %d: %s, want %s", i, said, want)
		}
	}
	text = "time,lat,lon,command\n2020-02-14T06:00:00Z,35.9,115.1\n2020-02-14T06:00:01Z,35.9,115.1,ON\n"
	if got, err = readTable(t, text, Options{}); err != nil || shown(got.Sample(0).Command) != "?" ||
		shown(got.Sample(1).Command) != "true" {
		t.Errorf("%v %+v", err, got.Report)
	}
	if got, err = readTable(t, rowsHead+goodRows, Options{}); err != nil || got.Sample(1).Command != nil {
		t.Errorf("no column tells the command: %v", err)
	}
	if _, err := readTable(t, "time,lat,lon,flow_lpm\n2020-02-14T06:00:00Z,35.9,115.1,much\n", Options{}); err == nil ||
		!strings.Contains(err.Error(), "much") {
		t.Error(err)
	}
}

func shown[T any](v *T) string {
	if v == nil {
		return "?"
	}
	return fmt.Sprint(*v)
}

// Numbers at the ends of what they can be are taken, what lies beyond is not.
func TestNumbersOfATableAtTheirLimits(t *testing.T) {
	for _, n := range fact.Numbers()[2:] {
		for _, c := range []struct {
			value float64
			taken bool
		}{{n.Min, true}, {n.Max, true}, {n.Min - 1, false}, {n.Max * 1.5, false}} {
			row := fmt.Sprintf("35.9,115.1,%g,2020-02-14T06:00:0", c.value)
			got, err := readTable(t, "lat,lon,"+n.Name+",time\n"+row+"0Z\n"+row+"1Z\n", Options{})
			if err != nil {
				t.Errorf("%s: %v", n.Name, err)
				continue
			}
			s := got.Sample(1)
			if v := *n.Of(&s.Values); (v != nil) != c.taken || v != nil && *v != c.value {
				t.Errorf("%s of %g: %s", n.Name, c.value, shown(v))
			}
		}
	}
}

func TestEncodingsAreFound(t *testing.T) {
	for text, want := range map[string]string{
		"": "UTF-8", "a": "UTF-8", "\ufeffa": "UTF-8", "中文": "UTF-8", "中文"[:5]: "UTF-8",
		"a\x81\x81": "GB18030", "\xd6\xd0\xce\xc4": "GB18030", "a\x80\x81": "Windows-1252", "a\x81\x80": "Windows-1252",
		"\xe9a": "Windows-1252", "caf\xe9 au": "Windows-1252",
		"\xff\xfea\x00": "UTF-16LE", "a\x00b\x00": "UTF-16LE", "\xfe\xff\x00a": "UTF-16BE", "\x00a\x00b": "UTF-16BE",
		"\x00a\x00b\x00": "UTF-16BE", "a\x00bc": "UTF-8",
		`<?xml encoding="gb2312"?>` + "\xd6\xd0":            "GBK",
		`<?xml encoding='windows-1251'?>` + "\xd6\xd0":      "WINDOWS-1251",
		`<?xml encoding="GB18030"?>` + "\xd6\xd0":           "GB18030",
		`<?xml encoding="ISO-8859-5"?>` + "\xd6\xd0":        "ISO-8859-5",
		`<?xml encoding="latin1"?>` + "\xd6\xd0":            "WINDOWS-1252",
		`<?xml encoding="utf-16"?>` + "中":                   "UTF-8",
		`<?xml encoding="no-such"?>` + "中":                  "UTF-8",
		`<?xml encoding=gb2312?>` + "\xe9a":                 "Windows-1252",
		`<?xml encoding=?>` + "\xe9a":                       "Windows-1252",
		` <?xml version="1.0" encoding = "GBK" ?>` + "\xd6": "GBK",
	} {
		r, got, err := plain(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			t.Errorf("%q: %v, want %s", text, err, want)
			continue
		}
		if _, err := io.ReadAll(r); got != want || err != nil {
			t.Errorf("%q: %s %v, want %s", text, got, err, want)
		}
	}
	for _, name := range []string{"Big5", "Shift_JIS", "euc-kr", "no-such"} {
		_, _, err := plain(bufio.NewReader(strings.NewReader(`<?xml encoding="` + name + `"?>` + "\xa4\xa4")))
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "UTF-8") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFormatsAreFound(t *testing.T) {
	for _, c := range []struct{ text, ext, want string }{
		{" {\"a\":1}", "", "geojson"}, {"<gpx version", "", "gpx"}, {"<?xml?><a:kml x", "", "kml"},
		{"<html>", "gpx", "gpx"},
		{"\x00abc", "csv", ""}, {"ab\x00c", "gpx", ""}, {"hello", "json", "geojson"}, {"hello", "gpx", "gpx"},
		{"hello", "kmz", "csv"}, {"hello", "txt", "csv"},
	} {
		if got := sniff(bufio.NewReader(strings.NewReader(c.text)), c.ext); got != c.want {
			t.Errorf("%q of .%s: %q, want %q", c.text, c.ext, got, c.want)
		}
	}
}

func TestNamesOfColumnsAreDivided(t *testing.T) {
	for name, want := range map[string]string{
		"GPSLat": "gps lat", "updateTime": "update time", "OSD.latitude": "osd latitude", "GPS": "gps", "aB": "a b",
		"ABc": "a bc", "..a..": "a", "": "", "a1 B": "a1 b", "LAT": "lat", "x.": "x",
	} {
		if got := strings.Join(words(name), " "); got != want || slices.Contains(words(name), "") {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	c := newColumn("OSD.latitude [deg] (WGS84)", 0)
	if !slices.Equal(c.notes, []string{"deg", "wgs84"}) || !slices.Equal(c.words, []string{"osd", "latitude"}) {
		t.Errorf("%+v", c)
	}
	var all []column
	for i, name := range strings.Split("a lat,b lon,a lon", ",") {
		all = append(all, newColumn(name, i))
	}
	if lat, lon, ok := place(all); !ok || lat.index != 0 || lon.index != 2 {
		t.Errorf("%+v %+v", lat, lon)
	}
}
