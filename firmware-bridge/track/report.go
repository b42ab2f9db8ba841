package track

import (
	"fmt"
	"time"

	"gatehouse/firmware-bridge/geo"
)

// Report says how a file was understood.
type Report struct {
	Format    string
	Encoding  string   // of the text
	Delimiter string   // of a table's columns
	Columns   []string // of a table that were taken: position, then time
	Zone      string   // where the zone of the times comes from
	From, To  time.Time
	Min, Max  geo.Point // the corners of the box around all points
	Metres    float64   // along the track
	Left      []Left    // what was left out
	Notes     []string  // what else a reader should know
}

// Left counts what was left out of a file for one reason.
type Left struct {
	Reason string
	Count  int
	Line   int    // where it was met first; 0 when the format has no lines
	Detail string // of the first
}

// Reasons why something is left out.
const (
	leftBad    = "points that can't be true"
	leftTime   = "points without a time"
	leftPlace  = "points without a position"
	leftNumber = "rows in which something is no number or time"
	leftFields = "rows with another number of fields than the header line"
	leftHeader = "repeated header lines"
)

// Bad returns the number of points that can't be true.
func (r *Report) Bad() int {
	for _, l := range r.Left {
		if l.Reason == leftBad {
			return l.Count
		}
	}
	return 0
}

// leave counts something that is left out.
func (r *Report) leave(reason string, line int, detail string) {
	for i := range r.Left {
		if r.Left[i].Reason == reason {
			r.Left[i].Count++
			return
		}
	}
	r.Left = append(r.Left, Left{reason, 1, line, detail})
}

func (l Left) String() string {
	s := fmt.Sprintf("%d %s", l.Count, l.Reason)
	if l.Line > 0 {
		s += fmt.Sprintf(", first in line %d", l.Line)
	}
	if l.Detail != "" {
		s += ": " + l.Detail
	}
	return s
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// measure sets what the report says of the points.
func (t *Track) measure() {
	first := &t.points[0]
	t.From, t.To = t.Sample(0).At, t.Sample(len(t.points)-1).At
	t.Min, t.Max = first.geo(), first.geo()
	for i := range t.points {
		p := t.points[i].geo()
		t.Min = geo.Point{Lat: min(t.Min.Lat, p.Lat), Lon: min(t.Min.Lon, p.Lon)}
		t.Max = geo.Point{Lat: max(t.Max.Lat, p.Lat), Lon: max(t.Max.Lon, p.Lon)}
		if i > 0 {
			t.Metres += geo.Distance(t.points[i-1].geo(), p)
		}
	}
}
