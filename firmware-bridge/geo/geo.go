// Package geo measures lines of positions on the earth.
package geo

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
	"github.com/paulmach/orb/planar"
	"github.com/paulmach/orb/simplify"
)

// Point is a position in degrees, WGS-84.
type Point struct{ Lat, Lon float64 }

const (
	radius    = 6371008.8 // metres, the earth's mean; orb takes that of the equator
	perDegree = radius * math.Pi / 180
)

// Distance returns the metres between two points along the earth's surface.
func Distance(a, b Point) float64 {
	d := geo.DistanceHaversine(orb.Point{a.Lon, a.Lat}, orb.Point{b.Lon, b.Lat})
	if math.IsNaN(d) { // opposite points, where rounding takes orb beyond a half circle
		return math.Pi * radius
	}
	return d * (radius / orb.EarthRadius)
}

// Outside returns how many metres a point lies outside the outline of an area; 0
// within it, and infinity if there is no outline. It measures on a plane that touches
// the earth at the point.
func Outside(p Point, outline []Point) float64 {
	if len(outline) == 0 {
		return math.Inf(1)
	}
	scale := math.Cos(p.Lat * math.Pi / 180)
	ring := make(orb.Ring, 0, len(outline)+1)
	for _, corner := range outline {
		ring = append(ring, orb.Point{(corner.Lon - p.Lon) * scale * perDegree, (corner.Lat - p.Lat) * perDegree})
	}
	ring = append(ring, ring[0])
	if planar.RingContains(ring, orb.Point{}) {
		return 0
	}
	return planar.DistanceFrom(orb.LineString(ring), orb.Point{})
}

// Thin returns the indices of the points of a line that are needed to draw it
// (Douglas and Peucker): the others lie within tolerance (metres) of what
// remains. The first and the last point always remain. It measures on a plane
// that touches the earth at the first point, exact to a millimetre over some
// kilometres.
func Thin(line []Point, tolerance float64) []int {
	if len(line) == 0 {
		return nil
	}
	scale := math.Cos(line[0].Lat * math.Pi / 180)
	plane := make(orb.LineString, len(line))
	for i, p := range line {
		plane[i] = orb.Point{(p.Lon - line[0].Lon) * scale * perDegree, (p.Lat - line[0].Lat) * perDegree}
	}
	kept := simplify.DouglasPeucker(tolerance).LineString(plane.Clone())
	indices := make([]int, 0, len(kept))
	for i, p := range plane {
		if len(indices) < len(kept) && p == kept[len(indices)] {
			indices = append(indices, i)
		}
	}
	// Of several points at one position the first was taken; the last point of
	// the line stays whatever lies there before.
	indices[len(indices)-1] = len(line) - 1
	return indices
}
