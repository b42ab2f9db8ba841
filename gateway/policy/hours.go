package policy

import (
	"slices"
	"time"

	"gatehouse/gateway/fact"
)

const minutesADay = 24 * 60

// weekdays are the days as a policy names them, by time.Weekday.
var weekdays = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// weekday returns the day of a name, or -1.
func weekday(name string) time.Weekday { return time.Weekday(slices.Index(weekdays[:], name)) }

// minutes returns the minute of the day of "06:00", up to 1440 for "24:00"; -1: it is
// none.
func minutes(s string) int {
	if len(s) != 5 || s[2] != ':' {
		return -1
	}
	digit := func(i int) int { return int(s[i]) - '0' }
	for _, i := range []int{0, 1, 3, 4} {
		if d := digit(i); d < 0 || d > 9 {
			return -1
		}
	}
	h, m := digit(0)*10+digit(1), digit(3)*10+digit(4)
	if m > 59 || h*60+m > minutesADay {
		return -1
	}
	return h*60 + m
}

// Open reports whether a moment of the county's time is in the window.
func (w Window) Open(at time.Time) bool {
	from, until, now := minutes(w.From), minutes(w.Until), at.Hour()*60+at.Minute()
	if from < until {
		return from <= now && now < until && w.on(at.Weekday())
	}
	return now >= from && w.on(at.Weekday()) || now < until && w.on(at.AddDate(0, 0, -1).Weekday())
}

// on reports whether the window begins on a day.
func (w Window) on(day time.Weekday) bool {
	return len(w.Days) == 0 || slices.Contains(w.Days, weekdays[day])
}

// Opens returns when the window opens next after a moment.
func (w Window) Opens(at time.Time) time.Time {
	from := minutes(w.From)
	for day := range 8 {
		y, m, d := at.AddDate(0, 0, day).Date()
		begin := time.Date(y, m, d, from/60, from%60, 0, 0, at.Location())
		if begin.After(at) && w.on(begin.Weekday()) {
			return begin
		}
	}
	return time.Time{} // not reached: it is open at least once a week
}

// Hours reports whether the class may pass in a direction at a moment of the county's
// time. When it may not, next is when it may again, and index is that of the window
// that opens then. At a reader for both ways it is enough that it may pass one way.
func (k Class) Hours(d fact.Direction, at time.Time) (open bool, next time.Time, index int) {
	ways := []fact.Direction{d}
	if d == fact.DirectionNone {
		ways = k.Directions
	}
	for _, way := range ways {
		opens, i := k.closed(way, at)
		if opens.IsZero() {
			return true, time.Time{}, 0
		}
		if next.IsZero() || opens.Before(next) {
			next, index = opens, i
		}
	}
	return false, next, index
}

// closed returns when the class may go a way again, and by which window; zero: now.
func (k Class) closed(way fact.Direction, at time.Time) (next time.Time, index int) {
	for i, w := range k.Windows {
		if len(w.Directions) > 0 && !slices.Contains(w.Directions, way) {
			continue
		}
		if w.Open(at) {
			return time.Time{}, 0
		}
		if opens := w.Opens(at); next.IsZero() || opens.Before(next) {
			next, index = opens, i
		}
	}
	return next, index
}

// Opening is a time in which somebody of a sealed household may leave, as declared
// before, in the county's time: from "2020-02-14 09:00" until before "2020-02-14 10:00".
type Opening struct{ From, Until string }

const openingLayout = "2006-01-02 15:04"

// parseOpening reads "2020-02-14 09:00-10:00".
func parseOpening(s string) (Opening, bool) {
	if len(s) != len("2020-02-14 09:00-10:00") || s[16] != '-' {
		return Opening{}, false
	}
	o := Opening{From: s[:16], Until: s[:11] + s[17:]}
	_, err := time.Parse(openingLayout, o.From)
	return o, err == nil && minutes(s[17:]) > minutes(s[11:16])
}

// Open reports whether a moment of the county's time is in the opening.
func (o Opening) Open(at time.Time) bool {
	now := at.Format(openingLayout)
	return o.From <= now && now < o.Until
}
