package track

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// object is any GeoJSON object (RFC 7946), with the fields of all types.
type object struct {
	Type        string          `json:"type"`
	Features    []object        `json:"features"`
	Geometry    *object         `json:"geometry"`
	Geometries  []object        `json:"geometries"`
	Coordinates json.RawMessage `json:"coordinates"`
	Properties  struct {
		Time       string          `json:"time"`
		Times      json.RawMessage `json:"times"`
		CoordTimes json.RawMessage `json:"coordTimes"`
		// Coordinate is how some tools nest coordTimes.
		Coordinate struct {
			Times json.RawMessage `json:"times"`
		} `json:"coordinateProperties"`
	} `json:"properties"`
}

// geojson reads a file whole: maxBytes and MaxPoints bound it.
func (c *collector) geojson(r *source) error {
	r.in, r.points = arrays(), MaxPoints
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	var o object
	if err := json.Unmarshal(b, &o); err != nil {
		return fmt.Errorf("it is not GeoJSON: %w", err)
	}
	return c.object(o, nil, 0)
}

// deepest is how many levels objects may nest.
const deepest = 16

// object adds the points of an object, with times from the feature around it.
func (c *collector) object(o object, times []string, depth int) error {
	if depth > deepest {
		return errors.New("it nests too deep")
	}
	var all []object
	switch o.Type {
	case "FeatureCollection":
		all = o.Features
	case "GeometryCollection":
		all = o.Geometries
	case "Feature":
		p := &o.Properties
		for _, raw := range []json.RawMessage{p.CoordTimes, p.Times, p.Coordinate.Times} {
			var found []string
			if len(raw) > 0 && json.Unmarshal(raw, &found) == nil {
				times = found
			}
		}
		if times == nil && p.Time != "" {
			times = []string{p.Time}
		}
		if o.Geometry != nil {
			all = []object{*o.Geometry}
		}
	case "Point":
		var p []float64
		if err := json.Unmarshal(o.Coordinates, &p); err != nil {
			return fmt.Errorf("coordinates of a point: %w", err)
		}
		return c.line([][]float64{p}, times)
	case "LineString", "MultiPoint":
		var line [][]float64
		if err := json.Unmarshal(o.Coordinates, &line); err != nil {
			return fmt.Errorf("coordinates of a line: %w", err)
		}
		return c.line(line, times)
	case "MultiLineString":
		var lines [][][]float64
		if err := json.Unmarshal(o.Coordinates, &lines); err != nil {
			return fmt.Errorf("coordinates of lines: %w", err)
		}
		for _, line := range lines {
			n := min(len(times), len(line))
			if err := c.line(line, times[:n]); err != nil {
				return err
			}
			times = times[n:]
		}
		return nil
	}
	for _, x := range all {
		if err := c.object(x, times, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// line adds the points of a line; times are those of its points, or none.
func (c *collector) line(line [][]float64, times []string) error {
	if len(times) > 0 && len(times) != len(line) {
		return fmt.Errorf("%d points and %d times", len(line), len(times))
	}
	for i, p := range line {
		at := time.Time{}
		if len(times) > 0 {
			var err error
			if at, err = c.parseTime(times[i]); err != nil {
				return err
			}
		}
		if err := c.position(at, p); err != nil {
			return err
		}
	}
	return nil
}
