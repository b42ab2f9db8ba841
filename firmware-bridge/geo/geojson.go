package geo

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/paulmach/orb"
)

var errShort = errors.New("a position has less than two numbers: it is longitude, latitude")

// short reports whether a position has less than two numbers: the arrays of orb
// would take zero for what is missing.
func short(coordinates []byte) bool {
	numbers := 0
	for i, b := range coordinates {
		switch {
		case b == '[':
			numbers = 0
		case b == 'n': // null
			return true
		case b == ']' && coordinates[i-1] != ']':
			if numbers < 2 {
				return true
			}
		case (b == '-' || b >= '0' && b <= '9') && (coordinates[i-1] == '[' || coordinates[i-1] == ','):
			numbers++
		}
	}
	return false
}

// Lines decodes the coordinates of a GeoJSON geometry (RFC 7946) into its lines. A
// Point is a line of one point, a MultiPoint one line. Of other types, such as
// Polygon, there are none. Heights are left out.
func Lines(kind string, coordinates []byte) ([][]Point, error) {
	if short(coordinates) {
		return nil, errShort
	}
	var err error
	var lines orb.MultiLineString
	switch kind {
	case "Point":
		line := make(orb.LineString, 1)
		err = json.Unmarshal(coordinates, &line[0])
		lines = orb.MultiLineString{line}
	case "LineString", "MultiPoint":
		var line orb.LineString
		err = json.Unmarshal(coordinates, &line)
		lines = orb.MultiLineString{line}
	case "MultiLineString":
		err = json.Unmarshal(coordinates, &lines)
	}
	if err != nil {
		return nil, fmt.Errorf("coordinates of a %s: %w", kind, err)
	}
	out := make([][]Point, len(lines))
	for i, line := range lines {
		out[i] = make([]Point, len(line))
		for k, p := range line {
			out[i][k] = Point{Lat: p.Lat(), Lon: p.Lon()}
		}
	}
	return out, nil
}
