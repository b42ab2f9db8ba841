package runs

import (
	"math"
	"time"
)

// Point is a place of a track.
type Point struct {
	Lat, Lon float64
	On       bool // it worked from here to the next
}

const earth = 6371008.8 // metres, mean radius

// Distance is how far two places lie apart, in metres (haversine).
func Distance(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	dLat, dLon := (lat2-lat1)*rad, (lon2-lon1)*rad
	a := math.Pow(math.Sin(dLat/2), 2) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Pow(math.Sin(dLon/2), 2)
	return 2 * earth * math.Asin(math.Min(1, math.Sqrt(a)))
}

// Fix is what a position turned out to be.
type Fix int

// What a position can be.
const (
	Reached Fix = iota // where the machine has gone
	Jumped             // too far from the last for the time since: it is not there
	Moved              // the same, but the receiver has stayed there: the way goes on from here
)

// Way follows the positions of a machine and finds those that can't be true.
// The zero value is ready to use.
type Way struct {
	known    bool
	lat, lon float64
	at       time.Duration
	jumping  bool
	since    time.Duration // T of the first jump
}

// Take takes the position at T at, and returns how many metres it lies from the
// last one; 0 unless it was reached.
func (w *Way) Take(lat, lon float64, at time.Duration) (metres float64, found Fix) {
	if w.known {
		metres = Distance(w.lat, w.lon, lat, lon)
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
	w.known, w.lat, w.lon, w.at, w.jumping = true, lat, lon, at, false
	return metres, found
}

// Thin drops points of a track that lie within tolerance (metres) of the line
// that remains (Douglas and Peucker). The first and last point stay, and every
// point where the work begins or ends. It gives the indices of what stays.
func Thin(track []Point, tolerance float64) []int {
	if len(track) < 3 {
		out := make([]int, len(track))
		for i := range out {
			out[i] = i
		}
		return out
	}
	keep := make([]bool, len(track))
	keep[0], keep[len(track)-1] = true, true
	from := 0
	for i := 1; i < len(track); i++ {
		if i == len(track)-1 || track[i].On != track[i-1].On {
			keep[i] = true
			thin(track, keep, from, i, tolerance)
			from = i
		}
	}
	var out []int
	for i, k := range keep {
		if k {
			out = append(out, i)
		}
	}
	return out
}

func thin(track []Point, keep []bool, from, to int, tolerance float64) {
	type span struct{ from, to int }
	for todo := []span{{from, to}}; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		worst, at := 0.0, -1
		for i := s.from + 1; i < s.to; i++ {
			if d := offLine(track[i], track[s.from], track[s.to]); d > worst {
				worst, at = d, i
			}
		}
		if worst > tolerance {
			keep[at] = true
			todo = append(todo, span{s.from, at}, span{at, s.to})
		}
	}
}

// offLine is how far p lies from the line a–b, in metres, on a plane that
// touches the earth at a: good to a millimetre over some kilometres.
func offLine(p, a, b Point) float64 {
	const perDegree = earth * math.Pi / 180
	scale := math.Cos(a.Lat * math.Pi / 180)
	px, py := (p.Lon-a.Lon)*scale*perDegree, (p.Lat-a.Lat)*perDegree
	bx, by := (b.Lon-a.Lon)*scale*perDegree, (b.Lat-a.Lat)*perDegree
	t := 0.0
	if l := bx*bx + by*by; l > 0 {
		t = math.Max(0, math.Min(1, (px*bx+py*by)/l))
	}
	return math.Hypot(px-t*bx, py-t*by)
}
