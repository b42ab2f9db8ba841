// Package track reads the tracks of machines that have no open interface from
// the files that their apps and loggers export: CSV, GeoJSON, GPX, KML and KMZ.
// What is in a file is declared, not measured. Everything that is left out of a
// file is counted, with the line where it was met first.
package track

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gatehouse/firmware-bridge/geo"
	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

// Options hold what may be missing in a file.
type Options struct {
	// Start and End are when the work began and ended; a file whose points have
	// no times needs both. Times in between are by distance. A file that counts
	// its times from its beginning needs Start only.
	Start, End time.Time
	// Date is the day of times without one: midnight in Zone.
	Date time.Time
	// Zone is the zone of times without one; nil is UTC. Forced says that it also
	// holds for the logs of receivers, which write UTC without saying so.
	Zone   *time.Location
	Forced bool
	// Placemark names the line, track or route that is meant, when there are
	// several; #2 is the second.
	Placemark string
}

// MaxPoints bounds a file, points that are left out included: a day at twelve a
// second.
const MaxPoints = 12 * 24 * 3600

// Errors of files.
var (
	ErrEmpty = errors.New("there is no track in the file")
	ErrTimes = errors.New("the points have no times: say when the work began and ended")
	ErrDate  = errors.New("the times have no date: say which day it was")
	ErrOwn   = errors.New("the file has times of its own, which are taken: say nothing else")
	ErrNames = errors.New("there are several lines: say which one was worked")
	ErrMany  = fmt.Errorf("more than %d points are in the file: cut it into days", MaxPoints)
)

// Formats are the formats that Read knows, by the extensions of their files.
var Formats = []string{"csv", "geojson", "gpx", "kml", "kmz"}

// Track is what was read of a file: points in the order of their times.
type Track struct {
	Report
	points []point
}

// Len returns the number of points.
func (t *Track) Len() int { return len(t.points) }

// Sample returns point i, with T from the first.
func (t *Track) Sample(i int) runs.Sample {
	p := &t.points[i]
	lat, lon := p.lat, p.lon
	s := runs.Sample{At: time.Unix(0, p.at).UTC(), T: time.Duration(p.at - t.points[0].at)}
	s.Lat, s.Lon = &lat, &lon
	if p.more != nil {
		p.more.fill(&s.Values)
	}
	return s
}

// Read reads a file of size bytes. An empty format is found out from the content,
// and from name, the file's. It refuses a file that is too large as soon as it has
// read that much. What is left out is counted in the report, which comes with an
// error, too.
func Read(r io.ReaderAt, size int64, name, format string, opts Options) (*Track, error) {
	return read(r, size, name, format, opts, allowed)
}

// read is Read with other limits.
func read(r io.ReaderAt, size int64, name, format string, opts Options, most limits) (*Track, error) {
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	c := &collector{opts: opts, most: most}
	err := c.file(r, size, name, format)
	t := &Track{Report: c.report}
	if err == nil {
		t.points, err = c.finish()
		t.Report = c.report
	}
	if err != nil {
		return t, fmt.Errorf("read %s: %w", t.Format, refused(err))
	}
	t.measure()
	return t, nil
}

// file reads the points of a file of any format.
func (c *collector) file(r io.ReaderAt, size int64, name, format string) error {
	in := bufio.NewReaderSize(io.NewSectionReader(r, 0, size), atOnce)
	head, _ := in.Peek(4) // fewer bytes will do
	ext := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	if c.report.Format = format; format == "" && string(head) == "PK\x03\x04" || format == "kmz" {
		c.report.Format = "kmz"
		inner, err := unpack(r, size)
		if err != nil {
			return err
		}
		defer inner.Close()
		return c.text(inner, ext, "kml")
	} else if size > int64(c.most.bytes) {
		c.report.Format = cmp.Or(format, ext)
		return errLarge
	}
	return c.text(in, ext, format)
}

// text reads the points of a text. Its format is found out if it is empty, with the
// help of ext, the extension of the file's name.
func (c *collector) text(r io.Reader, ext, format string) error {
	text, encoding, err := plain(bufio.NewReaderSize(r, atOnce))
	if err != nil {
		return err
	}
	c.report.Encoding = encoding
	content := bufio.NewReaderSize(text, atOnce)
	if format == "" {
		if format = sniff(content, ext); format == "" {
			return fmt.Errorf("it is none of %s", strings.Join(Formats, ", "))
		}
		c.report.Format = format
	}
	s := newSource(content, c.most)
	switch format {
	case "csv":
		return c.csv(s)
	case "geojson", "json":
		return c.geojson(s)
	case "gpx":
		return c.gpx(s)
	case "kml":
		return c.kml(s)
	}
	return fmt.Errorf("%q is none of %s", format, strings.Join(Formats, ", "))
}

// sniff returns the format of a text by how it begins, and where that says
// nothing by the extension of the file's name; "" for a binary file.
func sniff(r *bufio.Reader, ext string) string {
	b, _ := r.Peek(4096) // fewer bytes will do
	b = bytes.TrimSpace(b)
	switch {
	case bytes.HasPrefix(b, []byte("{")):
		return "geojson"
	case bytes.HasPrefix(b, []byte("<")):
		for _, f := range []string{"gpx", "kml"} {
			if bytes.Contains(b, []byte("<"+f)) || bytes.Contains(b, []byte(":"+f+" ")) {
				return f
			}
		}
	case bytes.IndexByte(b, 0) >= 0:
		return ""
	}
	if ext == "json" {
		ext = "geojson"
	}
	if !slices.Contains(Formats, ext) || ext == "kmz" {
		return "csv"
	}
	return ext
}

// point is a point of a file. It is small, because a file may hold a million.
type point struct {
	at       int64 // nanoseconds since 1970; untimed when the file gives no time
	lat, lon float64
	more     *more
}

const untimed = int64(-1 << 63)

func (p *point) geo() geo.Point { return geo.Point{Lat: p.lat, Lon: p.lon} }

// more is what a table tells of a point besides time and position.
type more struct {
	numbers [8]float64 // in the order of fact.Numbers
	has     [8]bool
	command int8 // 1: on, -1: off, 0: not told
}

func (m *more) fill(v *fact.Values) {
	for i, n := range fact.Numbers() {
		if m.has[i] {
			*n.Of(v) = &m.numbers[i]
		}
	}
	if m.command != 0 {
		v.Command = new(m.command > 0)
	}
}
