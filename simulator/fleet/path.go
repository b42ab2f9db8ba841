package fleet

import (
	"math"
	"slices"

	"gatehouse/gateway/site"
)

// LatLon is a latitude and a longitude, in degrees, WGS-84.
type LatLon [2]float64

const metresPerDegree = 111_320.0

// distance returns the distance of two points, metres.
func distance(a, b LatLon) float64 {
	x := (b[1] - a[1]) * math.Cos(a[0]*math.Pi/180)
	return math.Hypot(b[0]-a[0], x) * metresPerDegree
}

// along returns the point after so many metres on a path that is walked to and
// fro.
func along(path []LatLon, metres float64) (lat, lon float64) {
	total := 0.0
	for i := 1; i < len(path); i++ {
		total += distance(path[i-1], path[i])
	}
	at := math.Mod(metres, 2*total)
	if at > total {
		at = 2*total - at
	}
	for i := 1; i < len(path); i++ {
		a, b := path[i-1], path[i]
		d := distance(a, b)
		if at <= d && d > 0 {
			f := at / d
			return a[0] + f*(b[0]-a[0]), a[1] + f*(b[1]-a[1])
		}
		at -= d
	}
	last := path[len(path)-1]
	return last[0], last[1]
}

// swathWidth is the width that a drone sprays in one pass, metres.
const swathWidth = 5.0

// bounds returns the box around points.
func bounds(points []site.Point) (south, north, west, east float64) {
	south, north, west, east = 90, -90, 180, -180
	for _, p := range points {
		south, north, west, east = min(south, p[1]), max(north, p[1]), min(west, p[0]), max(east, p[0])
	}
	return south, north, west, east
}

// box returns a path around a box.
func box(south, north, west, east float64) []LatLon {
	return []LatLon{{south, west}, {north, west}, {north, east}, {south, east}, {south, west}}
}

// swaths returns a drone's mission: to and fro over a compound in swaths.
func swaths(c site.Compound) (out []LatLon) {
	south, north, west, east := bounds(c.Polygon)
	margin := 0.1 * (north - south)
	step := swathWidth / metresPerDegree / math.Cos(south*math.Pi/180)
	up := true
	for lon := west + margin; lon < east-margin; lon += step {
		a, b := LatLon{south + margin, lon}, LatLon{north - margin, lon}
		if !up {
			a, b = b, a
		}
		out = append(out, a, b)
		up = !up
	}
	return out
}

// road returns a fogging truck's mission: around the compounds of a block.
func road(a, b site.Compound) []LatLon {
	south, north, west, east := bounds(slices.Concat(a.Polygon, b.Polygon))
	const kerb = 0.0003 // degrees between a compound and the road
	return box(south-kerb, north+kerb, west-kerb, east+kerb)
}

// spot returns a mission around a point such as a public toilet or the plaza of
// an expressway exit, in a square of the given width.
func spot(lat, lon, metres float64) []LatLon {
	d := metres / 2 / metresPerDegree
	e := d / math.Cos(lat*math.Pi/180)
	return box(lat-d, lat+d, lon-e, lon+e)
}
