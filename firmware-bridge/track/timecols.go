package track

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind is what the values of a column of times are.
type kind int

const (
	noTime  kind = iota
	full         // date and time of the day, or seconds since 1970
	day          // a date
	clock        // a time of the day
	counted      // a number that counts from the beginning
)

// timeColumns are the columns that a table's times come from.
type timeColumns struct {
	kind  kind
	main  column // full, clock or counted
	date  column // beside a clock; its name is empty when there is none
	count column // beside full times: a count from the beginning, which is finer
	unit  time.Duration
	zone  *time.Location // of times without one
	why   string         // where the zone comes from
}

// isTime reports whether a column's name speaks of a time.
func (c column) isTime() bool {
	if c.has("zone", "timezone", "remaining", "left", "until", "accuracy", "acc", "error", "status", "age") {
		return false
	}
	if c.hasPart([]string{"时间", "日期", "时刻"}) {
		return true
	}
	for _, w := range c.words {
		for _, end := range []string{"time", "date", "timestamp", "stamp", "epoch"} {
			if strings.HasSuffix(w, end) && w != "update" {
				return true
			}
		}
	}
	return c.has("at", "when", "utc", "clock", "elapsed", "timeus", "timems", "hms", "ymd")
}

// counts reports whether a column's name says that it counts from the beginning,
// and in which unit.
func (c column) counts() (unit time.Duration, ok bool) {
	switch {
	case c.noted("millisecond", "milliseconds", "ms", "msec", "毫秒", "timems"):
		unit = time.Millisecond
	case c.noted("us", "µs", "μs", "usec", "microsecond", "microseconds", "timeus"):
		unit = time.Microsecond
	case c.noted("s", "sec", "second", "seconds", "secs", "秒"):
		unit = time.Second
	default:
		return time.Second, c.has("elapsed", "fly", "flight", "boot", "flytime", "uptime")
	}
	return unit, true
}

// kindOf returns what most of a column's values in the first rows are.
func (c column) kindOf(rows [][]string) kind {
	found := map[kind]int{}
	for _, row := range rows {
		if c.index < len(row) && strings.TrimSpace(row[c.index]) != "" {
			found[c.kindOfValue(strings.TrimSpace(row[c.index]))]++
		}
	}
	best := noTime
	for k := noTime; k <= counted; k++ {
		if found[k] > found[best] {
			best = k
		}
	}
	return best
}

func (c column) kindOfValue(v string) kind {
	if _, ok := epoch(v); ok {
		return full
	}
	isDate := c.has("date", "d", "ymd") || c.hasPart([]string{"日期"})
	if n, err := strconv.ParseFloat(v, 64); err == nil {
		digits := len(v) - len(strings.TrimLeft(v, "0123456789"))
		_, count := c.counts()
		switch {
		case isDate && (digits == 6 || digits == 8) && digits == len(v):
			return day
		case !isDate && !count && digits >= 5 && digits <= 6 && n < 240001:
			return clock
		case digits < 12 || count:
			return counted
		}
	}
	what := full
	if isDate {
		what = day
	}
	s, err := parseStamp(v, what)
	switch {
	case err != nil:
		return noTime
	case s.year == 0:
		return clock
	case !s.hasClock:
		return day
	}
	return full
}

// timesOf finds a table's columns of times by the names and the first rows. local
// is the county's zone; forced says that it holds for receivers' logs, too.
func timesOf(all []column, rows [][]string, local *time.Location, forced bool) timeColumns {
	var of [counted + 1][]column
	for _, c := range all {
		if !c.isTime() && !c.has("d", "t") || c.hasPart(elsewhere) {
			continue
		}
		k := c.kindOf(rows)
		of[k] = append(of[k], c)
	}
	t := timeColumns{kind: noTime}
	switch {
	case len(of[full]) > 0:
		t.kind, t.main = full, best(of[full])
		if len(of[counted]) > 0 {
			if unit, ok := of[counted][0].counts(); ok {
				t.count, t.unit = of[counted][0], unit
			}
		}
	case len(of[clock]) > 0 && len(of[day]) > 0:
		t.kind, t.date = full, best(of[day])
		t.main = of[clock][0]
		for _, c := range of[clock] { // the same zone, the same prefix
			if c.zone(local) == t.date.zone(local) && c.words[0] == t.date.words[0] {
				t.main = c
				break
			}
		}
	case len(of[clock]) > 0:
		t.kind, t.main = clock, of[clock][0]
	case len(of[counted]) > 0:
		t.kind, t.main = counted, of[counted][0]
		t.unit, _ = t.main.counts()
	case len(of[noTime]) > 0 && filled(of[noTime][0], rows):
		t.kind, t.main = full, of[noTime][0] // each row will say that it is none
	}
	t.setZone(all, local, forced)
	return t
}

// best returns the first column in UTC, or else the first.
func best(cs []column) column {
	if i := slices.IndexFunc(cs, func(c column) bool { return c.zone(nil) == time.UTC }); i >= 0 {
		return cs[i]
	}
	return cs[0]
}

// filled reports whether a column has a value in the first rows.
func filled(c column, rows [][]string) bool {
	return slices.ContainsFunc(rows, func(row []string) bool {
		return c.index < len(row) && strings.TrimSpace(row[c.index]) != ""
	})
}

// setZone sets the zone of times that name none: the header's, that of receivers'
// logs, or the county's.
func (t *timeColumns) setZone(all []column, local *time.Location, forced bool) {
	t.zone, t.why = local, zoneNote(local)
	if t.kind == noTime {
		return
	}
	z := t.main.zone(local)
	if z == nil && t.date.name != "" {
		z = t.date.zone(local)
	}
	switch {
	case z != nil:
		t.zone, t.why = z, "as the header line says: "+zoneText(z)
	case !forced && receiver(all):
		t.zone, t.why = time.UTC, "UTC, which receivers with these columns write (--zone says otherwise)"
	}
}

func zoneText(z *time.Location) string {
	if z.String() == "" {
		return time.Date(2020, 1, 1, 0, 0, 0, 0, z).Format("-07:00")
	}
	return z.String()
}

// receiver reports whether a table is the log of a GNSS receiver, in which times
// are UTC: those of Columbus, iBlue 747 and MTK number their rows in INDEX and
// have RCR or TAG.
func receiver(all []column) bool {
	has := func(name string) bool {
		return slices.ContainsFunc(all, func(c column) bool { return strings.EqualFold(c.name, name) })
	}
	return has("INDEX") && (has("RCR") || has("TAG"))
}
