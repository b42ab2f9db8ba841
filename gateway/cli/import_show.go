package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"gatehouse/firmware-bridge/geo"
	"gatehouse/firmware-bridge/track"
	"gatehouse/gateway/site"
)

// shown prints how a file was understood.
type shown struct {
	out    io.Writer
	zone   *time.Location
	county *site.County // nil when it is not known
}

func (s shown) track(path string, t *track.Track) {
	fmt.Fprintf(s.out, "%s: %d points from %s to %s, %d that can't be true left out\n", path, t.Len(),
		t.From.In(s.zone).Format(time.DateTime), t.To.In(s.zone).Format(time.DateTime), t.Bad())
	format := t.Format + ", " + t.Encoding
	if t.Delimiter != "" {
		format += fmt.Sprintf(", columns divided by %q", t.Delimiter)
	}
	s.line("format", "%s", format)
	if len(t.Columns) > 0 {
		s.line("columns", "%s", strings.Join(t.Columns, ", "))
	}
	const layout = "2006-01-02 15:04:05.999 -07:00"
	s.line("first", "%s", t.From.In(s.zone).Format(layout))
	s.line("last", "%s (%s later)", t.To.In(s.zone).Format(layout), t.To.Sub(t.From).Round(time.Millisecond))
	s.line("zone", "%s", t.Zone)
	s.line("area", "latitude %.6f to %.6f, longitude %.6f to %.6f", t.Min.Lat, t.Max.Lat, t.Min.Lon, t.Max.Lon)
	s.line("county", "%s", s.place(t))
	s.line("distance", "%.0f m", t.Metres)
	for _, l := range t.Left {
		s.line("left out", "%s", l)
	}
	for _, n := range t.Notes {
		s.line("note", "%s", n)
	}
}

// trackView is how a file of a track was understood, for tools.
type trackView struct {
	File     string     `json:"file"`
	Sent     string     `json:"sent,omitempty"` // the id of the run; absent: nothing was sent
	Points   int        `json:"points"`
	Bad      int        `json:"bad"` // points that can't be true, left out
	Format   string     `json:"format"`
	Encoding string     `json:"encoding"`
	Columns  []string   `json:"columns"`
	From     time.Time  `json:"from"`
	To       time.Time  `json:"to"`
	Zone     string     `json:"zone"` // where the zone of the times comes from
	Box      [4]float64 `json:"box"`  // latitude and longitude of two corners, in degrees
	trackNotes
}

type trackNotes struct {
	County string   `json:"county"` // where the track lies, in words
	Metres float64  `json:"distance_m"`
	Left   []string `json:"left_out"`
	Notes  []string `json:"notes"`
}

func (s shown) view(path string, t *track.Track, sent string) trackView {
	v := trackView{path, sent, t.Len(), t.Bad(), t.Format, t.Encoding, append([]string{}, t.Columns...),
		t.From.In(s.zone), t.To.In(s.zone), t.Zone, [4]float64{t.Min.Lat, t.Min.Lon, t.Max.Lat, t.Max.Lon},
		trackNotes{s.place(t), t.Metres, []string{}, append([]string{}, t.Notes...)}}
	for _, l := range t.Left {
		v.Left = append(v.Left, l.String())
	}
	return v
}

func (s shown) line(name, format string, args ...any) {
	fmt.Fprintf(s.out, "  %-9s %s\n", name, fmt.Sprintf(format, args...))
}

// place says where the track lies, seen from the county.
func (s shown) place(t *track.Track) string {
	outside := ""
	if t.Max.Lat < 3 || t.Min.Lat > 54 || t.Max.Lon < 73 || t.Min.Lon > 136 {
		outside = "the track lies outside of China; "
	}
	if s.county == nil {
		return outside + "its area is not known: name the file of its compounds with --sites"
	}
	low, high, ok := s.county.Box()
	if !ok {
		return outside + "its compounds have no outlines, so its area is not known"
	}
	var from, to geo.Point
	from.Lat, to.Lat = nearest(low[1], high[1], t.Min.Lat, t.Max.Lat)
	from.Lon, to.Lon = nearest(low[0], high[0], t.Min.Lon, t.Max.Lon)
	if d := geo.Distance(from, to); d > 0 {
		return fmt.Sprintf("%soutside: %.1f km from the area around the compounds of %s",
			outside, d/1000, s.county.Name)
	}
	if t.Min.Lat < low[1] || t.Max.Lat > high[1] || t.Min.Lon < low[0] || t.Max.Lon > high[0] {
		return fmt.Sprintf("partly within the area around the compounds of %s", s.county.Name)
	}
	return fmt.Sprintf("within the area around the compounds of %s", s.county.Name)
}

// nearest returns the values of two intervals that are next to each other; equal
// ones when the intervals meet.
func nearest(low, high, from, to float64) (a, b float64) {
	switch {
	case to < low:
		return low, to
	case from > high:
		return high, from
	}
	return max(low, from), max(low, from)
}
