package track

import (
	"encoding/xml"
	"strings"
	"time"
)

// gpx reads tracks, routes and waypoints of GPX 1.0 and 1.1
// (topografix.com/GPX/1/1). Times without a zone are UTC, as GPX has it. A route
// is a plan: it counts only in a file without a track.
func (c *collector) gpx(in *source) error {
	g := &gpx{c: c, w: newWalker(in), zone: time.UTC}
	if c.opts.Forced {
		g.zone = c.opts.Zone
	}
	c.report.Zone = zoneNote(g.zone)
	if err := g.w.walk("gpx", g); err != nil {
		return err
	}
	if g.tracks {
		c.dropPlans()
	}
	return nil
}

// gpx is what has been read of the element that is open.
type gpx struct {
	c      *collector
	w      *walker
	zone   *time.Location
	line   *way // of the track or route that is open
	p      point
	placed bool
	tracks bool // the file has tracks
}

// isPoint reports whether an element of that name is a point.
func isPoint(name string) bool { return name == "trkpt" || name == "rtept" || name == "wpt" }

func (g *gpx) open(path []string, attrs []xml.Attr) error {
	name := path[len(path)-1]
	switch {
	case name == "trk", name == "rte":
		g.line = g.c.newWay("")
		g.line.plan = name == "rte"
	case isPoint(name):
		g.p = point{at: untimed}
		g.placed = g.position(attrs)
	}
	return nil
}

// position reads the position of a point and reports whether it has one.
func (g *gpx) position(attrs []xml.Attr) bool {
	found := 0
	for _, a := range attrs {
		var err error
		switch a.Name.Local {
		case "lat":
			g.p.lat, err = latitude.degrees(a.Value, "")
		case "lon":
			g.p.lon, err = longitude.degrees(a.Value, "")
		default:
			continue
		}
		if err == nil {
			found++
		}
	}
	return found == 2
}

func (g *gpx) chars([]byte) error { return nil }

func (g *gpx) closed(path []string, text string) error {
	name, parent := path[len(path)-1], above(path, 1)
	switch {
	case name == "time" && isPoint(parent):
		g.p.at = g.c.time(text, g.zone)
	case name == "name" && (parent == "trk" || parent == "rte"):
		g.line.name = strings.Join(strings.Fields(text), " ")
	case name == "trk", name == "rte":
		g.line = nil
	case isPoint(name):
		return g.point(name)
	}
	return nil
}

// point ends a point. Waypoints count when they have times.
func (g *gpx) point(name string) error {
	w := g.line
	switch {
	case name == "wpt" && g.p.at == untimed:
		return nil
	case name == "wpt":
		w = &g.c.single
	case w == nil: // outside of a track
		return nil
	}
	g.tracks = g.tracks || name == "trkpt"
	if !g.placed {
		return g.c.skip(leftPlace, g.w.line(), "")
	}
	return g.c.add(w, g.p, g.w.line())
}

// dropPlans leaves out the routes of a file.
func (c *collector) dropPlans() {
	var plans, ways []*way
	for _, w := range c.ways {
		if w.plan {
			plans = append(plans, w)
		} else {
			ways = append(ways, w)
		}
	}
	if len(plans) > 0 && c.opts.Placemark == "" {
		c.report.note("routes are plans and no part of the track: %s", names(plans))
		c.ways = ways
	}
}
