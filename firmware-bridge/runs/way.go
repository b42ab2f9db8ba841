package runs

import (
	"time"

	"gatehouse/firmware-bridge/geo"
)

// Fix says what a position turned out to be.
type Fix int

// What a position can be.
const (
	Reached Fix = iota // the machine has gone there
	Jumped             // too far from the last one for the time since: it is not there
	Moved              // as far, but the positions stay there: the way goes on from here
)

// Way follows the positions of a machine and finds those that can't be true.
// The zero value is ready to use.
type Way struct {
	known   bool
	last    geo.Point
	at      time.Duration // T of last
	jumping bool
	since   time.Duration // T of the first jump
}

// Take takes the position at T at, and returns how many metres it lies from the
// last one; 0 unless it was reached.
func (w *Way) Take(lat, lon float64, at time.Duration) (metres float64, found Fix) {
	p := geo.Point{Lat: lat, Lon: lon}
	if w.known {
		metres = geo.Distance(w.last, p)
		if metres > 20+jumpSpeed*(at-w.at).Seconds() {
			if !w.jumping {
				w.jumping, w.since = true, at
			}
			if at-w.since < jumpFor {
				return 0, Jumped
			}
			metres, found = 0, Moved
		}
	}
	w.known, w.last, w.at, w.jumping = true, p, at, false
	return metres, found
}

// Point is a position of a track.
type Point struct {
	Lat, Lon float64
	On       bool // it worked from here to the next
}

// Thin returns the indices of the points that are needed to draw a track: the
// first, the last, every one where the work begins or ends, and those without
// which the line between these would be more than tolerance (metres) off.
func Thin(track []Point, tolerance float64) []int {
	var out []int
	for from := 0; from < len(track); {
		to := from
		for to < len(track)-1 && (to == from || track[to].On == track[from].On) {
			to++
		}
		var line []geo.Point
		for _, p := range track[from : to+1] {
			line = append(line, geo.Point{Lat: p.Lat, Lon: p.Lon})
		}
		for _, i := range geo.Thin(line, tolerance) {
			if i > 0 || from == 0 { // the first one ended the stretch before
				out = append(out, from+i)
			}
		}
		if to == len(track)-1 {
			break
		}
		from = to
	}
	return out
}
