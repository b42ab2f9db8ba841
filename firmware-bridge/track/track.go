// Package track reads the tracks of machines that have no open interface from
// the files that their apps export: CSV, GeoJSON and KML. What is in a file is
// declared, not measured.
package track

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/firmware-bridge/geo"
	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

// Options hold what may be missing in a file.
type Options struct {
	// Start and End are when the work began and ended; a file whose points have
	// no times needs both. Times in between are by distance.
	Start, End time.Time
	// Zone is the zone of times without one; default UTC.
	Zone *time.Location
}

// MaxPoints bounds a file, points that can't be true included: a day at two a
// second.
const MaxPoints = 200_000

// Errors of files.
var (
	ErrEmpty = errors.New("there is no track in the file")
	ErrTimes = errors.New("the points have no times: say when the work began and ended")
	ErrMany  = fmt.Errorf("more than %d points are in the file: cut it into days", MaxPoints)
)

// Formats are the formats that Read knows, by the extensions of their files.
var Formats = []string{"csv", "geojson", "kml"}

// Read reads a file of a format. It refuses one that is too large as soon as it
// has read that much. The samples are in the order of their times, with T from
// the first; bad counts the points that can't be true and were left out.
func Read(format string, r io.Reader, opts Options) (samples []runs.Sample, bad int, err error) {
	return read(format, r, opts, maxBytes)
}

// read is Read for files of at most so many bytes.
func read(format string, r io.Reader, opts Options, most int) (samples []runs.Sample, bad int, err error) {
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	c := &collector{opts: opts}
	in := newSource(r, most)
	switch format {
	case "csv":
		err = c.csv(in)
	case "geojson", "json":
		err = c.geojson(in)
	case "kml":
		err = c.kml(in)
	default:
		return nil, 0, fmt.Errorf("%q is none of %s", format, strings.Join(Formats, ", "))
	}
	if err == nil {
		err = c.finish()
	}
	if err != nil {
		return nil, c.bad, fmt.Errorf("read %s: %w", format, err)
	}
	return c.samples, c.bad, nil
}

// collector gathers samples.
type collector struct {
	opts    Options
	samples []runs.Sample
	timed   int // samples with a time
	bad     int // points that can't be true
}

// add adds a point, or counts one that can't be true.
func (c *collector) add(s runs.Sample) error {
	if len(c.samples)+c.bad == MaxPoints {
		return ErrMany
	}
	if s.Clean(); s.Lat == nil {
		c.bad++
		return nil
	}
	if !s.At.IsZero() {
		c.timed++
	}
	c.samples = append(c.samples, s)
	return nil
}

// position adds a point of longitude and latitude in degrees, and maybe a height
// in metres.
func (c *collector) position(at time.Time, coords []float64) error {
	if len(coords) < 2 {
		return c.add(runs.Sample{})
	}
	// Heights in files are above the sea, not above the ground: they are left out.
	return c.add(runs.Sample{At: at, Values: fact.Values{Lat: &coords[1], Lon: &coords[0]}})
}

// finish orders the samples and sets their times.
func (c *collector) finish() error {
	switch n := len(c.samples); {
	case n < 2 && c.bad > 0:
		return fmt.Errorf("%w: %d points can't be true (is latitude before longitude?)", ErrEmpty, c.bad)
	case n < 2:
		return ErrEmpty
	case c.timed == 0 && (c.opts.Start.IsZero() || !c.opts.End.After(c.opts.Start)):
		return ErrTimes
	case c.timed == 0:
		c.spread()
	case c.timed < n:
		return fmt.Errorf("%d of %d points have no time", n-c.timed, n)
	}
	slices.SortStableFunc(c.samples, func(a, b runs.Sample) int { return a.At.Compare(b.At) })
	first := c.samples[0].At
	for i := range c.samples {
		c.samples[i].T = c.samples[i].At.Sub(first)
	}
	if span := c.samples[len(c.samples)-1].T; span > longest {
		return fmt.Errorf("the track is %s long: one run a file, %s at most", span.Round(time.Minute), longest)
	}
	return nil
}

// longest is how long one imported run may be.
const longest = 24 * time.Hour

// spread sets the times of points without times by their distances.
func (c *collector) spread() {
	way := make([]float64, len(c.samples))
	for i := 1; i < len(way); i++ {
		a, b := c.samples[i-1], c.samples[i]
		way[i] = way[i-1] + geo.Distance(geo.Point{Lat: *a.Lat, Lon: *a.Lon}, geo.Point{Lat: *b.Lat, Lon: *b.Lon})
	}
	total, span := cmp.Or(way[len(way)-1], 1), c.opts.End.Sub(c.opts.Start)
	for i := range c.samples {
		c.samples[i].At = c.opts.Start.Add(time.Duration(way[i] / total * float64(span)))
	}
}

var layouts = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006/01/02 15:04:05",
	"2006-01-02 15:04:05.000", "2006/1/2 15:04:05",
}

// parseTime reads the usual forms; numbers are seconds or milliseconds since 1970.
func (c *collector) parseTime(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 1e8 && n < 1e14 {
		if n > 1e11 {
			return time.UnixMilli(int64(n)).UTC(), nil
		}
		return time.UnixMilli(int64(n * 1000)).UTC(), nil
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, c.opts.Zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is not a time: write 2020-02-14T14:30:00+08:00", text)
}
