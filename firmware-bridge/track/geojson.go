package track

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"gatehouse/firmware-bridge/geo"
)

// raw is JSON that is read before the decoder goes on: it is not copied, because
// it may hold a million points.
type raw []byte

func (r *raw) UnmarshalJSON(b []byte) error {
	*r = b
	return nil
}

// feature is any GeoJSON object (RFC 7946) but a FeatureCollection.
type feature struct {
	Type        string    `json:"type"`
	Geometry    *feature  `json:"geometry"`
	Geometries  []feature `json:"geometries"`
	Coordinates raw       `json:"coordinates"`
	Properties  struct {
		Name raw `json:"name"`
		// What tools call the time of a point.
		Time      raw `json:"time"`
		Timestamp raw `json:"timestamp"`
		DateTime  raw `json:"datetime"`
		At        raw `json:"at"`
		// What tools call the times of a line's points.
		CoordTimes raw `json:"coordTimes"`
		Times      raw `json:"times"`
		Timestamps raw `json:"timestamps"`
		Coordinate struct {
			Times      raw `json:"times"`
			CoordTimes raw `json:"coordTimes"`
		} `json:"coordinateProperties"`
	} `json:"properties"`
}

// geojson reads a file, the features of a collection one by one.
func (c *collector) geojson(in *source) error {
	c.report.Zone = zoneNote(c.opts.Zone)
	s := &jsonScan{in: in, points: in.most.points}
	d := json.NewDecoder(s)
	if err := c.collection(d, in); err != nil {
		return fmt.Errorf("it is not GeoJSON: %w", refused(err))
	}
	return nil
}

// maxMembers bounds the members of the outermost object.
const maxMembers = 1000

var errMembers = fmt.Errorf("it has more than %d members, or too long ones", maxMembers)

// collection reads the outermost object: its features, or itself.
func (c *collector) collection(d *json.Decoder, in *source) error {
	if err := delim(d, '{'); err != nil {
		return err
	}
	self, members := bytes.NewBufferString("{"), 0
	for d.More() {
		if members++; members > maxMembers || self.Len() > in.most.text {
			return errMembers
		}
		in.allow(in.most.text, errFeature)
		t, err := d.Token()
		if err != nil {
			return err
		}
		if t == "features" {
			if err := c.features(d, in); err != nil {
				return err
			}
			continue
		}
		var v raw
		if err := d.Decode(&v); err != nil {
			return err
		}
		if self.Len() > 1 {
			self.WriteByte(',')
		}
		name, _ := json.Marshal(t) // a string
		self.Write(name)
		self.WriteByte(':')
		self.Write(v)
	}
	if err := delim(d, '}'); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind its end")
	}
	self.WriteByte('}')
	var f feature
	if err := json.Unmarshal(self.Bytes(), &f); err != nil {
		return err
	}
	return c.feature(&f)
}

// delim takes a bracket.
func delim(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err == nil && t != want {
		err = fmt.Errorf("%v stands where %s should", t, want)
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// features reads an array of features.
func (c *collector) features(d *json.Decoder, in *source) error {
	if err := delim(d, '['); err != nil {
		return err
	}
	for features := 1; d.More(); features++ {
		if features > c.most.points {
			return ErrMany
		}
		in.allow(in.most.text, errFeature)
		var f feature
		if err := d.Decode(&f); err != nil {
			return err
		}
		if err := c.feature(&f); err != nil {
			return err
		}
	}
	return delim(d, ']')
}

// feature adds the points of a feature, or of a geometry on its own.
func (c *collector) feature(f *feature) error {
	g := f
	if f.Type == "Feature" {
		if g = f.Geometry; g == nil {
			return nil
		}
	}
	t, err := c.timesOf(f)
	if err != nil {
		return err
	}
	w := c.newWay(text(f.Properties.Name))
	if err := c.geometry(g, w, t); err != nil {
		return err
	}
	if t.used > 0 && t.used != len(t.all) {
		return fmt.Errorf("%d points and %d times", t.used, len(t.all))
	}
	return nil
}

// geometry adds the points of a geometry: those of a Point by themselves, the
// others to w.
func (c *collector) geometry(g *feature, w *way, t *timeList) error {
	for i := range g.Geometries {
		if err := c.geometry(&g.Geometries[i], w, t); err != nil {
			return err
		}
	}
	lines, err := geo.Lines(g.Type, g.Coordinates)
	if err != nil {
		return err
	}
	to := w
	if g.Type == "Point" {
		to = &c.single
	} else if len(t.all) == 0 {
		w.begin = t.one
	}
	for _, line := range lines {
		for _, x := range line {
			p := point{untimed, x.Lat, x.Lon, nil}
			if g.Type == "Point" && len(t.all) == 0 {
				p.at = t.one
			} else if len(t.all) > 0 {
				p.at = t.next()
			}
			if err := c.add(to, p, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// timeList are the times of a feature's points.
type timeList struct {
	all  []int64
	used int   // how many were asked for
	one  int64 // the time of the whole feature
}

func (t *timeList) next() int64 {
	t.used++
	if t.used > len(t.all) {
		return untimed
	}
	return t.all[t.used-1]
}

// timesOf reads the times of a feature. Those of its points may nest as the
// coordinates do.
func (c *collector) timesOf(f *feature) (*timeList, error) {
	p := &f.Properties
	t := &timeList{one: untimed}
	for _, r := range []raw{p.CoordTimes, p.Times, p.Timestamps, p.Coordinate.Times, p.Coordinate.CoordTimes} {
		if len(r) > 0 && r[0] == '[' && t.all == nil {
			d := json.NewDecoder(bytes.NewReader(r))
			for {
				x, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					return nil, err
				}
				if _, bracket := x.(json.Delim); !bracket {
					t.all = append(t.all, c.jsonTime(x))
				}
			}
		}
	}
	for _, r := range []raw{p.Time, p.Timestamp, p.DateTime, p.At} {
		var x json.Token
		if t.one == untimed && json.Unmarshal(r, &x) == nil {
			t.one = c.jsonTime(x)
		}
	}
	return t, nil
}

// jsonTime returns the time that a text or number is; untimed for others.
func (c *collector) jsonTime(x json.Token) int64 {
	switch x := x.(type) {
	case string:
		if at, ok := epoch(x); ok {
			return at.UnixNano()
		}
		return c.time(x, c.opts.Zone)
	case float64:
		if at, ok := epoch(fmt.Sprint(x)); ok {
			return at.UnixNano()
		}
	}
	return untimed
}

// text returns what a text says; "" for other JSON.
func text(r raw) (s string) {
	if len(r) == 0 || json.Unmarshal(r, &s) != nil {
		return ""
	}
	return s
}
