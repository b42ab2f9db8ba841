package track

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

var errBlank = errors.New("no time")

// tableTimes reads the times of a table's rows, one after the other.
type tableTimes struct {
	cols      timeColumns
	opts      *Options
	anchor    time.Time // the time of a row from which a count is reckoned
	anchorAt  float64   // and what it counted
	lastClock time.Duration
	days      int // since the first row
}

// asks returns an error when the times need what was not given, or were given what
// they don't need. own reports whether they count from what was given.
func (t *tableTimes) asks() (own bool, err error) {
	o := t.opts
	switch t.cols.kind {
	case clock:
		if o.Date.IsZero() {
			return true, ErrDate
		}
		if !o.Start.IsZero() || !o.End.IsZero() {
			return true, ErrOwn
		}
		return true, nil
	case counted:
		if o.Start.IsZero() {
			return true, fmt.Errorf("%w; column %q counts from the beginning: when the work began is enough",
				ErrTimes, t.cols.main.name)
		}
		if !o.End.IsZero() {
			return true, fmt.Errorf("%w; column %q counts from the beginning: say only when the work began",
				ErrOwn, t.cols.main.name)
		}
		t.cols.why = "counted from the time that was given"
		return true, nil
	}
	return false, nil
}

// read reads the time of a row; untimed in a table without times.
func (t *tableTimes) read(row []string) (int64, error) {
	if t.cols.kind == noTime {
		return untimed, nil
	}
	text, name := row[t.cols.main.index], t.cols.main.name
	if text == "" || t.cols.date.name != "" && row[t.cols.date.index] == "" {
		return untimed, errBlank
	}
	at, err := t.moment(row, text)
	if err != nil {
		return untimed, fmt.Errorf("%s: %w", name, err)
	}
	return at.UnixNano(), nil
}

// moment reads a time that is there.
func (t *tableTimes) moment(row []string, text string) (time.Time, error) {
	switch t.cols.kind {
	case counted:
		v, err := t.counted(text)
		return t.opts.Start.Add(v), err
	case clock:
		s, err := parseStamp(text, clock)
		if err != nil || s.year > 0 {
			return time.Time{}, errors.Join(err, errNoTime)
		}
		return t.onDay(s), nil
	}
	if t.cols.date.name == "" {
		if at, ok := epoch(text); ok {
			return at, nil
		}
		s, err := parseStamp(text, full)
		if err == nil && (!s.hasClock || s.year == 0) {
			err = fmt.Errorf("%.40q %w", text, errNoTime)
		}
		if err != nil {
			return time.Time{}, err
		}
		return t.finer(row, s.at(t.cols.zone)), nil
	}
	d, err := parseStamp(row[t.cols.date.index], day)
	if err != nil {
		return time.Time{}, err
	}
	s, err := parseStamp(text, clock)
	if err != nil {
		return time.Time{}, err
	}
	d.clock, d.hasClock, d.zone = s.clock, true, s.zone
	return t.finer(row, d.at(t.cols.zone)), nil
}

// counted returns what a number that counts from the beginning has counted since
// the first row.
func (t *tableTimes) counted(text string) (time.Duration, error) {
	v, err := strconv.ParseFloat(text, 64)
	v *= float64(t.cols.unit)
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1e18 {
		return 0, fmt.Errorf("%.40q is not a number", text)
	}
	if t.anchor.IsZero() {
		t.anchor, t.anchorAt = t.opts.Start, v
	}
	return time.Duration(v - t.anchorAt), nil
}

// onDay returns the time of a clock that has no date: on the day that was given, or
// on the next when it went past midnight.
func (t *tableTimes) onDay(s stamp) time.Time {
	if s.clock < t.lastClock-12*time.Hour {
		t.days++
	}
	t.lastClock = s.clock
	y, m, d := t.opts.Date.In(t.opts.Zone).Date()
	s.year, s.month, s.day = y, int(m), d+t.days
	return s.at(t.cols.zone)
}

// finer returns at with the fraction of a second that a count beside it gives, when
// the two agree.
func (t *tableTimes) finer(row []string, at time.Time) time.Time {
	c := t.cols.count
	if c.name == "" || at.Nanosecond() != 0 { // a row has all columns that are needed
		return at
	}
	v, err := strconv.ParseFloat(row[c.index], 64)
	v *= float64(t.cols.unit)
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1e18 {
		return at
	}
	x := t.anchor.Add(time.Duration(v - t.anchorAt))
	if off := x.Sub(at); t.anchor.IsZero() || off < -time.Second || off > 2*time.Second {
		t.anchor, t.anchorAt = at, v
		return at
	}
	return x
}
