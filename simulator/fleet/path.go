package fleet

import (
	"math"

	"gatehouse/gateway/site"
)

// Point is latitude, longitude, degrees, WGS-84.
type Point [2]float64

const metresPerDegree = 111_320.0

func distance(a, b Point) float64 {
	x := (b[1] - a[1]) * math.Cos(a[0]*math.Pi/180)
	return math.Hypot(b[0]-a[0], x) * metresPerDegree
}

// along gives the place so many metres along a path, which is walked to and fro.
func along(path []Point, metres float64) (lat, lon float64) {
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

// swathWidth is what a spraying drone wets in one pass, metres.
const swathWidth = 5.0

// swaths is a drone's mission: to and fro over a compound, a swath apart.
func swaths(c site.Compound) (out []Point) {
	south, north, west, east := 90.0, -90.0, 180.0, -180.0
	for _, p := range c.Polygon {
		south, north, west, east = min(south, p[1]), max(north, p[1]), min(west, p[0]), max(east, p[0])
	}
	margin := 0.1 * (north - south)
	step := swathWidth / metresPerDegree / math.Cos(south*math.Pi/180)
	up := true
	for lon := west + margin; lon < east-margin; lon += step {
		a, b := Point{south + margin, lon}, Point{north - margin, lon}
		if !up {
			a, b = b, a
		}
		out = append(out, a, b)
		up = !up
	}
	return out
}

// road is a fogging truck's mission: around the compounds of a block.
func road(a, b site.Compound) []Point {
	south, north, west, east := 90.0, -90.0, 180.0, -180.0
	for _, p := range append(append([]site.Point(nil), a.Polygon...), b.Polygon...) {
		south, north, west, east = min(south, p[1]), max(north, p[1]), min(west, p[0]), max(east, p[0])
	}
	const kerb = 0.0003
	return []Point{
		{south - kerb, west - kerb},
		{north + kerb, west - kerb},
		{north + kerb, east + kerb},
		{south - kerb, east + kerb},
		{south - kerb, west - kerb},
	}
}

// spot is the mission at one place, such as a public toilet or the plaza of an
// expressway exit: around it, so many metres wide.
func spot(lat, lon, metres float64) []Point {
	d := metres / 2 / metresPerDegree
	e := d / math.Cos(lat*math.Pi/180)
	return []Point{{lat - d, lon - e}, {lat + d, lon - e}, {lat + d, lon + e}, {lat - d, lon + e}, {lat - d, lon - e}}
}
