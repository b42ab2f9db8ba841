package track

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gatehouse/firmware-bridge/runs"
)

// way is a line of a file: a track, a LineString, a route.
type way struct {
	name       string
	points     []point
	timed      int   // points with a time
	line       int   // of the file, of the first point without a time
	begin, end int64 // of the whole line
	number     int   // among the lines of the file, from 1
	plan       bool  // a route: it was planned, nobody says that it was travelled
}

// collector gathers what a file holds, until choose finds the track in it.
type collector struct {
	opts   Options
	most   limits
	report Report
	ways   []*way
	single way  // points that are no part of a line
	count  int  // of all points, also those left out
	own    bool // the times count from the start that was given
}

// newWay begins a line; it counts only when a point is added to it.
func (c *collector) newWay(name string) *way {
	return &way{name: strings.Join(strings.Fields(name), " "), begin: untimed, end: untimed}
}

// maxWays bounds the lines of a file.
const maxWays = 10_000

// add adds a point to a line, or counts one that can't be true.
func (c *collector) add(w *way, p point, line int) error {
	if c.count++; c.count > c.most.points {
		return ErrMany
	}
	if err := runs.CheckFix(p.lat, p.lon); err != nil {
		c.report.leave(leftBad, line, err.Error())
		return nil
	}
	if p.at == untimed {
		if w.timed == len(w.points) {
			w.line = line
		}
	} else {
		w.timed++
	}
	if len(w.points) == 0 && w != &c.single {
		if c.ways = append(c.ways, w); len(c.ways) > maxWays {
			return fmt.Errorf("more than %d lines are in the file", maxWays)
		}
		w.number = len(c.ways)
	}
	w.points = append(w.points, p)
	return nil
}

// skip counts a point that is left out.
func (c *collector) skip(reason string, line int, detail string) error {
	if c.count++; c.count > c.most.points {
		return ErrMany
	}
	c.report.leave(reason, line, detail)
	return nil
}

// choose returns the points of the track: lines whose points have times, else
// single points with times, else the one line without.
func (c *collector) choose() (points []point, err error) {
	ways, err := c.named()
	if err != nil {
		return nil, err
	}
	var timed, spans, bare []*way
	for _, w := range ways {
		switch {
		case w.timed > 0:
			timed = append(timed, w)
		case w.begin != untimed && w.end > w.begin:
			spans = append(spans, w)
		default:
			bare = append(bare, w)
		}
	}
	switch {
	case len(timed) > 0:
		c.ignored(append(spans, bare...))
		for _, w := range timed {
			w.keepTimed(&c.report)
		}
		return c.join(timed)
	case c.opts.Placemark == "" && c.single.timed > 1:
		c.ignored(ways)
		c.single.keepTimed(&c.report)
		return c.single.points, c.given(span(c.single.points))
	case len(spans) > 0:
		c.ignored(bare)
		for _, w := range spans {
			spread(w.points, w.begin, w.end)
		}
		c.report.note("times are by distance, between the begin and end that the file gives")
		return c.join(spans)
	case len(bare) > 1:
		return nil, fmt.Errorf("%w: %s", ErrNames, names(bare))
	case len(bare) == 1:
		return bare[0].points, c.flags(bare[0])
	}
	return c.single.points, c.flags(&c.single)
}

// named returns the lines that have the name that was given; all without one.
func (c *collector) named() ([]*way, error) {
	want := strings.Join(strings.Fields(c.opts.Placemark), " ")
	if want == "" {
		return c.ways, nil
	}
	var found []*way
	for _, w := range c.ways {
		if w.name == want || want == fmt.Sprintf("#%d", w.number) {
			found = append(found, w)
		}
	}
	if len(found) == 1 {
		return found, nil
	}
	if len(found) > 1 {
		return nil, fmt.Errorf("%w: %d are called %q, take its number: %s", ErrNames, len(found), want, names(c.ways))
	}
	return nil, fmt.Errorf("%w: none is called %q: %s", ErrNames, want, names(c.ways))
}

// names lists lines for people.
func names(ways []*way) string {
	const most = 20
	var all []string
	for i, w := range ways {
		if i == most {
			all = append(all, fmt.Sprintf("and %d more", len(ways)-most))
			break
		}
		all = append(all, fmt.Sprintf("#%d %q (%d points)", w.number, w.name, len(w.points)))
	}
	return strings.Join(all, ", ")
}

// ignored notes lines that are not the track, because others have times.
func (c *collector) ignored(ways []*way) {
	if len(ways) > 0 {
		c.report.note("%d lines without times are no part of the track: %s", len(ways), names(ways))
	}
}

// join puts lines with times behind each other. Those that overlap in time are not
// of one machine.
func (c *collector) join(ways []*way) (points []point, err error) {
	ways = slices.DeleteFunc(ways, func(w *way) bool { return len(w.points) == 0 })
	slices.SortStableFunc(ways, func(a, b *way) int {
		return cmp.Compare(span(a.points).from, span(b.points).from)
	})
	for i, w := range ways {
		if i > 0 && span(w.points).from < span(ways[i-1].points).to {
			return nil, fmt.Errorf("%w: %q and %q are of the same time: %s",
				ErrNames, ways[i-1].name, w.name, names(ways))
		}
	}
	if len(ways) == 1 {
		points = ways[0].points
	} else if len(ways) > 1 {
		c.report.note("%d tracks follow each other: %s", len(ways), names(ways))
		for _, w := range ways {
			points = append(points, w.points...)
		}
	}
	return points, c.given(span(points))
}

// keepTimed leaves out the points of a line that have no time.
func (w *way) keepTimed(r *Report) {
	if w.timed == len(w.points) {
		return
	}
	for range len(w.points) - w.timed {
		r.leave(leftTime, w.line, "")
	}
	w.points = slices.DeleteFunc(w.points, func(p point) bool { return p.at == untimed })
}
