package track

import (
	"errors"
	"fmt"
	"gatehouse/gateway/fact"
	"math"
	"strconv"
	"strings"
)

// columns notes which columns are taken.
func (t *table) columns(all []column, first [][]string) {
	for strings.TrimSpace(t.header[len(t.header)-1]) == "" { // it has the names of a position
		t.header = t.header[:len(t.header)-1]
	}
	t.times = tableTimes{cols: timesOf(all, first, t.c.opts.Zone, t.c.opts.Forced), opts: &t.c.opts}
	t.extra = extra{numbers: map[int]column{}, command: -1}
	need := []column{t.angles.lat, t.angles.lon}
	for _, c := range all {
		switch {
		case c.index == t.angles.lat.index, c.index == t.angles.lon.index:
		case c.hemisphere(latitude):
			t.angles.ns, need = c, append(need, c)
		case c.hemisphere(longitude):
			t.angles.ew, need = c, append(need, c)
		case strings.ToLower(c.name) == fact.FieldCommand:
			t.extra.command = c.index
		}
		for i, n := range fact.Numbers()[2:] {
			if strings.ToLower(c.name) == n.Name {
				t.extra.numbers[i+2] = c
			}
		}
	}
	for _, c := range []column{t.times.cols.date, t.times.cols.main, t.times.cols.count} {
		if c.name != "" {
			need = append(need, c)
		}
	}
	last := 0
	for _, c := range need {
		t.c.report.Columns = append(t.c.report.Columns, c.name)
		last = max(last, c.index)
	}
	if t.width = len(t.header); len(first) > 0 && len(first[0]) < t.width && len(first[0]) > last {
		t.width = len(first[0]) // without what is empty at the end
	}
}

// row adds a row, or counts why it is left out.
func (t *table) row(row []string, line int) error {
	for i := range row {
		row[i] = strings.TrimSpace(row[i])
	}
	full := len(row)
	for full > 0 && row[full-1] == "" {
		full--
	}
	switch {
	case full == 0:
		return nil
	case t.angles.names(row):
		return t.c.skip(leftHeader, line, "")
	case len(row) < t.width || full > len(t.header):
		return t.c.skip(leftFields, line, fmt.Sprintf("%d fields, the header line has %d", len(row), len(t.header)))
	case row[t.angles.lat.index] == "" || row[t.angles.lon.index] == "":
		return t.c.skip(leftPlace, line, "")
	}
	p, err := t.point(row)
	if errors.Is(err, errBlank) {
		return t.c.skip(leftTime, line, "")
	}
	if err != nil {
		return t.c.skip(leftNumber, line, err.Error())
	}
	return t.c.add(t.line, p, line)
}

// point reads the values of a row.
func (t *table) point(row []string) (p point, err error) {
	if p.lat, p.lon, err = t.angles.read(row); err != nil {
		return p, err
	}
	if p.more, err = t.extra.read(row); err != nil {
		return p, err
	}
	p.at, err = t.times.read(row)
	return p, err
}

// angles are the columns of the position; the names of those of hemispheres are
// empty when there are none.
type angles struct{ lat, lon, ns, ew column }

// names reports whether a row is the header line again.
func (a *angles) names(row []string) bool {
	return len(row) > max(a.lat.index, a.lon.index) &&
		row[a.lat.index] == a.lat.name && row[a.lon.index] == a.lon.name
}

func (a *angles) read(row []string) (lat, lon float64, err error) {
	ns, ew := "", ""
	if a.ns.name != "" {
		ns = row[a.ns.index]
	}
	if a.ew.name != "" {
		ew = row[a.ew.index]
	}
	if lat, err = latitude.degrees(row[a.lat.index], ns); err != nil {
		return 0, 0, err
	}
	lon, err = longitude.degrees(row[a.lon.index], ew)
	return lat, lon, err
}

// extra are the columns of what a machine reports besides.
type extra struct {
	numbers map[int]column // by the index in fact.Numbers
	command int            // -1: none
}

// read reads what a row holds besides position and time; nil for nothing.
func (x *extra) read(row []string) (m *more, err error) {
	for i, c := range x.numbers {
		if c.index >= len(row) || row[c.index] == "" {
			continue
		}
		text := row[c.index]
		if !strings.Contains(text, ".") {
			text = strings.Replace(text, ",", ".", 1)
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %.40q is not a number", c.name, row[c.index])
		}
		if n := fact.Numbers()[i]; !(v >= n.Min && v <= n.Max) || math.IsNaN(v) {
			continue // as everywhere: what can't be true is absent
		}
		if m == nil {
			m = new(more)
		}
		m.numbers[i], m.has[i] = v, true
	}
	if x.command < 0 || x.command >= len(row) || row[x.command] == "" {
		return m, nil
	}
	if m == nil {
		m = new(more)
	}
	switch m.command = -1; strings.ToLower(row[x.command]) {
	case "true", "1", "on":
		m.command = 1
	}
	return m, nil
}
