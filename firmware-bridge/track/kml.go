package track

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// kml reads LineString, gx:Track and Points with a TimeStamp (OGC 12-007r2,
// Google's KML reference). Polygons and other placemarks are no tracks.
func (c *collector) kml(in *source) error {
	c.report.Zone = zoneNote(c.opts.Zone)
	k := &kml{c: c, w: newWalker(in), place: noPlacemark}
	k.tuples.point = k.tuple
	return k.w.walk("kml", k)
}

// kml is what has been read of the placemark that is open.
type kml struct {
	c      *collector
	w      *walker
	place  placemark
	line   *way // of the LineString or gx:Track that is open
	whens  []int64
	coords []coord
	tuples tuples
}

// placemark is what a placemark says of the lines within it.
type placemark struct {
	name             string
	at, begin, end   int64
	lines            *way // its LineStrings are one line
	tracks           *way // its tracks are one line
	spot             point
	hasSpot, isPoint bool
}

var noPlacemark = placemark{at: untimed, begin: untimed, end: untimed}

// coord is a gx:coord; ok is false for an empty one.
type coord struct {
	lon, lat float64
	ok       bool
	line     int
}

func (k *kml) open(path []string, _ []xml.Attr) error {
	switch path[len(path)-1] {
	case "Placemark":
		k.place = noPlacemark
	case "LineString":
		if k.place.lines == nil {
			k.place.lines = k.c.newWay("")
		}
		k.line = k.place.lines
	case "Point":
		k.place.isPoint = true
	case "Track":
		if k.place.tracks == nil {
			k.place.tracks = k.c.newWay("")
		}
		k.whens, k.coords = k.whens[:0], k.coords[:0]
	}
	return nil
}

func (k *kml) chars(text []byte) error {
	if k.line == nil && !k.place.isPoint { // of a polygon
		return nil
	}
	return k.tuples.feed(text)
}

// tuple is told a point of coordinates.
func (k *kml) tuple(lon, lat float64, ok bool) error {
	switch {
	case k.line != nil && ok:
		return k.c.add(k.line, point{untimed, lat, lon, nil}, k.w.line())
	case k.line != nil:
		return k.c.skip(leftPlace, k.w.line(), "")
	case k.place.isPoint && ok:
		k.place.spot, k.place.hasSpot = point{untimed, lat, lon, nil}, true
	}
	return nil
}

func (k *kml) closed(path []string, text string) error {
	parent, of := above(path, 1), above(path, 2)
	switch path[len(path)-1] {
	case "coordinates":
		return k.tuples.end()
	case "coord":
		return k.coord(text)
	case "when":
		if parent == "Track" {
			return k.when(text)
		}
		if of == "Placemark" { // not that of its view
			k.place.at = k.c.time(text, k.c.opts.Zone)
		}
	case "begin":
		if of == "Placemark" {
			k.place.begin = k.c.time(text, k.c.opts.Zone)
		}
	case "end":
		if of == "Placemark" {
			k.place.end = k.c.time(text, k.c.opts.Zone)
		}
	case "name":
		if parent == "Placemark" {
			k.place.name = text
		}
	case "LineString":
		k.line = nil
	case "Point":
		k.place.isPoint = false
	case "Track":
		return k.track()
	case "Placemark":
		return k.placemark()
	}
	return nil
}

// time reads a time; untimed when the text is none. zone is that of times without
// one.
func (c *collector) time(text string, zone *time.Location) int64 {
	s, err := parseStamp(text, full)
	if err != nil || !s.hasClock || s.year == 0 {
		return untimed
	}
	return s.at(zone).UnixNano()
}

// when reads a time of a gx:Track.
func (k *kml) when(text string) error {
	if len(k.whens) == k.c.most.points {
		return ErrMany
	}
	k.whens = append(k.whens, k.c.time(text, k.c.opts.Zone))
	return nil
}

// coord reads a point of a gx:Track: lon lat height, separated by blanks.
func (k *kml) coord(text string) error {
	if len(k.coords) == k.c.most.points {
		return ErrMany
	}
	x := coord{line: k.w.line()}
	if f := strings.Fields(strings.ReplaceAll(text, ",", " ")); len(f) > 1 {
		var bad [2]error
		x.lon, bad[0] = strconv.ParseFloat(f[0], 64)
		x.lat, bad[1] = strconv.ParseFloat(f[1], 64)
		x.ok = errors.Join(bad[:]...) == nil
	}
	k.coords = append(k.coords, x)
	return nil
}

// track ends a gx:Track: its n-th time is that of its n-th point.
func (k *kml) track() error {
	if len(k.whens) > 0 && len(k.whens) != len(k.coords) {
		return fmt.Errorf("a gx:Track has %d points and %d times", len(k.coords), len(k.whens))
	}
	for i, x := range k.coords {
		p := point{untimed, x.lat, x.lon, nil}
		if len(k.whens) > 0 {
			p.at = k.whens[i]
		}
		err := error(nil)
		if x.ok {
			err = k.c.add(k.place.tracks, p, x.line)
		} else {
			err = k.c.skip(leftPlace, x.line, "")
		}
		if err != nil {
			return err
		}
	}
	k.whens, k.coords = k.whens[:0], k.coords[:0]
	return nil
}

// placemark ends a placemark.
func (k *kml) placemark() error {
	p := k.place
	name := strings.Join(strings.Fields(p.name), " ")
	for _, w := range []*way{p.lines, p.tracks} {
		if w == nil {
			continue
		}
		if w.name = name; w.timed == 0 {
			if w.begin, w.end = p.begin, p.end; w.begin == untimed {
				w.begin = p.at
			}
		}
	}
	k.place = noPlacemark
	if p.hasSpot && p.at == untimed {
		p.at = p.begin
	}
	if p.hasSpot && p.at != untimed {
		p.spot.at = p.at
		return k.c.add(&k.c.single, p.spot, k.w.line())
	}
	return nil
}

// zoneNote says which zone times without one are taken to have.
func zoneNote(zone *time.Location) string {
	return fmt.Sprintf("as each time says, %s where none does", zone)
}
