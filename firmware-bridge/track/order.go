package track

import (
	"cmp"
	"fmt"
	"gatehouse/firmware-bridge/geo"
	"slices"
	"time"
)

// times are the first and the last time of points.
type times struct{ from, to int64 }

func span(points []point) (t times) {
	for i, p := range points {
		if i == 0 {
			t = times{p.at, p.at}
		}
		t.from, t.to = min(t.from, p.at), max(t.to, p.at)
	}
	return t
}

// given returns an error when times were given for a file that has its own.
func (c *collector) given(t times) error {
	zone := c.opts.Zone
	from, to := time.Unix(0, t.from).In(zone), time.Unix(0, t.to).In(zone)
	if o := &c.opts; (!o.Start.IsZero() || !o.End.IsZero() || !o.Date.IsZero()) && !c.own {
		return fmt.Errorf("%w: %s to %s", ErrOwn, from.Format(time.DateTime), to.Format(time.DateTime))
	}
	return nil
}

// flags sets the times of a line from those that were given.
func (c *collector) flags(w *way) error {
	start, end := c.opts.Start, c.opts.End
	if w.begin == untimed {
		w.begin = w.end
	}
	one := time.Unix(0, w.begin).UTC()
	switch {
	case len(w.points) == 0:
		return nil
	case start.IsZero() || !end.After(start):
		if w.begin != untimed {
			return fmt.Errorf("%w; the file has only one time for the whole line, %s",
				ErrTimes, one.In(c.opts.Zone).Format(time.RFC3339))
		}
		return ErrTimes
	case w.begin != untimed && (one.Before(start.Add(-time.Second)) || one.After(end.Add(time.Second))):
		return fmt.Errorf("%w: %s", ErrOwn, one.In(c.opts.Zone).Format(time.RFC3339))
	}
	if w.plan {
		c.report.note("it is a route: a plan, of which the file doesn't say that it was travelled")
	}
	c.report.Zone = "times are by distance, between the begin and end that were given"
	spread(w.points, start.UnixNano(), end.UnixNano())
	return nil
}

// spread sets the times of points by their distances.
func spread(points []point, begin, end int64) {
	way := make([]float64, len(points))
	for i := 1; i < len(way); i++ {
		way[i] = way[i-1] + geo.Distance(points[i-1].geo(), points[i].geo())
	}
	total := cmp.Or(way[len(way)-1], 1)
	for i := range points {
		points[i].at = begin + int64(way[i]/total*float64(end-begin))
	}
}

// longest is how long one imported run may be.
const longest = 24 * time.Hour

// finish returns the points of the track in the order of their times.
func (c *collector) finish() ([]point, error) {
	points, err := c.choose()
	if err != nil {
		return nil, err
	}
	if len(points) < 2 {
		return nil, c.empty(len(points))
	}
	back, same := 0, 0
	for i := 1; i < len(points); i++ {
		switch {
		case points[i].at < points[i-1].at:
			back++
		case points[i].at == points[i-1].at:
			same++
		}
	}
	if same > 0 {
		c.report.note("%d points have the time of the one before", same)
	}
	if back > 0 {
		c.report.note("%d times go back: the points were put in the order of their times", back)
		slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.at, b.at) })
	}
	if long := time.Duration(points[len(points)-1].at - points[0].at); long > longest {
		return nil, fmt.Errorf("the track is %s long: one run a file, %s at most", long.Round(time.Minute), longest)
	}
	return points, nil
}

// empty returns the error of a file with less than two points.
func (c *collector) empty(n int) error {
	text := ""
	if n == 1 {
		text = ": one point is no track"
	}
	for _, l := range c.report.Left {
		text += "; " + l.String()
		if l.Reason == leftBad {
			text += " (is latitude before longitude?)"
		}
	}
	return fmt.Errorf("%w%s", ErrEmpty, text)
}
