package track

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// stamp is a time as a text writes it: a date, a time of the day, or both.
type stamp struct {
	year, month, day int // year is 0 without a date
	clock            time.Duration
	hasClock         bool
	zone             *time.Location // nil when the text names none
}

// at returns the time of a stamp that has date and clock; zone is that of a stamp
// without one.
func (s stamp) at(zone *time.Location) time.Time {
	if s.zone != nil {
		zone = s.zone
	}
	whole := s.clock.Truncate(time.Second)
	return time.Date(s.year, time.Month(s.month), s.day, 0, 0, int(whole/time.Second), int(s.clock-whole), zone).UTC()
}

var (
	errNoTime    = errors.New("is not a time: write 2020-02-14T14:30:00+08:00")
	errAmbiguous = errors.New("may be day, month or month, day: write the year first, as in 2020-02-14")
)

// The parts of a time, in lower case, each at the beginning of what is left.
var (
	weekday   = regexp.MustCompile(`^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*|(?:星期|周)[一二三四五六日天]),?\s*`)
	yearFirst = regexp.MustCompile(`^(\d{4})\s*[-/.年_]\s*(\d{1,2})\s*[-/.月_]\s*(\d{1,2})日?`)
	packed    = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})(?:\D|\d{6}|$)`)
	short     = regexp.MustCompile(`^(\d{2})(\d{2})(\d{2})(?:\D|\d{6}|$)`)
	numbers   = regexp.MustCompile(`^(\d{1,2})([-/. ])(\d{1,2})[-/. ](\d{4}|\d{2})`)
	dayMonth  = regexp.MustCompile(`^(\d{1,2})[- ]?([a-z]{3})[a-z]*[-., ]+(\d{4}|\d{2})`)
	monthDay  = regexp.MustCompile(`^([a-z]{3})[a-z]*\.? +(\d{1,2}),? +(\d{4})`)
	yearLast  = regexp.MustCompile(`^([a-z]{3} +\d{1,2}) +([\d:.]+) +(?:([a-z]+) +)?(\d{4})$`) // as ctime writes
	clocks    = regexp.MustCompile(`^(am|pm|上午|下午|凌晨|早上|中午|晚上)?\s*(\d{1,2})[:时点h](\d{1,2})` +
		`(?:[:分m](\d{1,2})(?:[.,:](\d+))?)?[分秒s]?\s*([ap]\.?m\.?)?`)
	packedClock = regexp.MustCompile(`^()(\d{2})(\d{2})(\d{2})(?:[.,](\d+))?()`)
	offsets     = regexp.MustCompile(`^[+-]\d\d:\d\d$`)
	zones       = regexp.MustCompile(`^\s*\(?(z|utc|gmt|北京时间)?\s*(?:([+-])(\d{1,2}):?(\d{2})?)?\)?\s*` +
		`(?:utc|gmt)?(?:\[.*\])?\s*$`)
)

// parseStamp reads the ways in which people and loggers write a time. what is day or
// clock when the text holds only one of them: then 200214 is a date and 60000 is six
// o'clock.
func parseStamp(text string, what kind) (s stamp, err error) {
	if s, ok := iso(text); ok {
		return s, nil
	}
	rest := strings.ToLower(strings.TrimSpace(text))
	rest = rest[len(weekday.FindString(rest)):]
	if m := yearLast.FindStringSubmatch(rest); m != nil {
		rest = m[1] + " " + m[4] + " " + m[2] + " " + m[3]
	}
	if what != clock {
		rest, err = s.date(rest, what == day)
	}
	if err == nil {
		rest, err = s.time(strings.TrimLeft(rest, " t,_-"), what == clock)
	}
	if err == nil && (rest != "" || s.year == 0 && !s.hasClock) {
		err = errNoTime
	}
	if err != nil {
		return stamp{}, fmt.Errorf("%.40q %w", text, err)
	}
	return s, nil
}

// iso reads 2020-02-14T06:00:00 with a fraction and a zone or without, fast.
func iso(t string) (s stamp, ok bool) {
	const form = "dddd-dd-dd_dd:dd:dd"
	if len(t) < len(form) || t[10] != 'T' && t[10] != ' ' {
		return s, false
	}
	for i := range len(form) {
		if c := form[i]; c == 'd' && (t[i] < '0' || t[i] > '9') || (c == '-' || c == ':') && t[i] != c {
			return s, false
		}
	}
	two := func(i int) int { return int(t[i]-'0')*10 + int(t[i+1]-'0') }
	if !s.set(two(0)*100+two(2), two(5), two(8)) || !s.setClock(two(11), two(14), two(17)) {
		return stamp{}, false
	}
	rest := t[len(form):]
	if len(rest) > 1 && rest[0] == '.' {
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		s.clock += fraction(rest[1:n])
		rest = rest[n:]
	}
	switch {
	case rest == "":
	case rest == "Z":
		s.zone = time.UTC
	case len(rest) == len("+08:00") && offsets.MatchString(rest):
		s.zone = zoneOf("", rest[:1], rest[1:3], rest[4:])
	default:
		return stamp{}, false
	}
	return s, true
}

// date reads a date, if there is one, and returns what follows it.
func (s *stamp) date(t string, compact bool) (rest string, err error) {
	var ok bool
	if m := yearFirst.FindStringSubmatch(t); m != nil {
		rest, ok = t[len(m[0]):], s.set(number(m[1]), number(m[2]), number(m[3]))
	} else if m := packed.FindStringSubmatch(t); m != nil {
		rest, ok = t[8:], s.set(number(m[1]), number(m[2]), number(m[3]))
	} else if m := short.FindStringSubmatch(t); m != nil && (compact || len(m[0]) == 12) {
		rest, ok = t[6:], s.set(2000+number(m[1]), number(m[2]), number(m[3]))
	} else if m := numbers.FindStringSubmatch(t); m != nil {
		return t[len(m[0]):], s.guess(m)
	} else if m := dayMonth.FindStringSubmatch(t); m != nil {
		rest, ok = t[len(m[0]):], s.set(century(m[3]), month(m[2]), number(m[1]))
	} else if m := monthDay.FindStringSubmatch(t); m != nil {
		rest, ok = t[len(m[0]):], s.set(number(m[3]), month(m[1]), number(m[2]))
	} else {
		return t, nil
	}
	if !ok {
		return "", errNoTime
	}
	return rest, nil
}

// guess sets a date of three numbers whose first is not a year of four digits. It
// is an error when more than one order makes a date.
func (s *stamp) guess(m []string) error {
	a, b, c := number(m[1]), number(m[3]), number(m[4])
	orders := [][3]int{{century(m[4]), b, a}, {century(m[4]), a, b}}
	if m[2] == "." { // d.m.y only
		orders = orders[:1]
	} else if len(m[4]) == 2 {
		orders = append(orders, [3]int{2000 + a, b, c})
	}
	var found *stamp
	for _, o := range orders {
		x := stamp{}
		if !x.set(o[0], o[1], o[2]) {
			continue
		}
		if found != nil && *found != x {
			return errAmbiguous
		}
		found = &x
	}
	if found == nil {
		return errNoTime
	}
	*s = *found
	return nil
}

// time reads a time of the day and a zone, if they are there, and returns what
// follows them.
func (s *stamp) time(t string, compact bool) (rest string, err error) {
	m := clocks.FindStringSubmatch(t)
	if digits := len(t) - len(strings.TrimLeft(t, "0123456789")); m == nil && (s.year > 0 || compact) && digits > 0 {
		if t = strings.Repeat("0", max(0, 6-digits)) + t; digits == 4 && s.year > 0 {
			t = t[2:6] + "00" + t[6:] // hhmm
		}
		m = packedClock.FindStringSubmatch(t)
	}
	if m == nil {
		return t, nil
	}
	h, half := number(m[2]), m[1]+strings.ReplaceAll(m[6], ".", "")
	switch half {
	case "am", "pm", "上午", "凌晨", "早上", "下午", "中午", "晚上":
		if h > 12 && (half == "am" || half == "pm") {
			return "", errNoTime
		}
		if late := half == "pm" || half == "下午" || half == "晚上"; late && h < 12 {
			h += 12
		} else if h == 12 && (half == "am" || half == "上午" || half == "凌晨") {
			h = 0
		}
	}
	if !s.setClock(h, number(m[3]), number(m[4])) {
		return "", errNoTime
	}
	s.clock += fraction(m[5])
	rest = t[len(m[0]):]
	z := zones.FindStringSubmatch(rest)
	if z == nil {
		return rest, nil
	}
	s.zone = zoneOf(z[1], z[2], z[3], z[4])
	return "", nil
}

// zoneOf returns the zone of a name, a sign, hours and minutes, each of which may
// be empty; nil when all are.
func zoneOf(name, sign, hours, minutes string) *time.Location {
	offset := number(hours)*3600 + number(minutes)*60
	switch {
	case sign == "-":
		return time.FixedZone("", -offset)
	case sign == "+" && offset > 0:
		return time.FixedZone("", offset)
	case name == "北京时间":
		return time.FixedZone("", 8*3600)
	case name != "" || sign != "":
		return time.UTC
	}
	return nil
}

// set sets the date and reports whether there is such a day.
func (s *stamp) set(y, m, d int) bool {
	s.year, s.month, s.day = y, m, d
	return y >= 1980 && y < 2100 && m >= 1 && m <= 12 && d >= 1 &&
		d <= time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// setClock sets the time of the day and reports whether there is such a time; 60
// is a leap second, 24:00 the end of the day.
func (s *stamp) setClock(h, m, sec int) bool {
	s.hasClock = true
	s.clock = time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second
	return h <= 24 && m < 60 && sec <= 60 && s.clock <= 24*time.Hour
}

// fraction returns a fraction of a second, from its digits.
func fraction(digits string) time.Duration {
	return time.Duration(number((digits + "000000000")[:9]))
}

// number returns the value of digits; 0 for none.
func number(digits string) int {
	v, _ := strconv.Atoi(digits) // they are digits
	return v
}

// century returns a year of four or two digits.
func century(digits string) int {
	if len(digits) == 2 {
		return 2000 + number(digits)
	}
	return number(digits)
}

// month returns the number of a month by its first three letters; 0: none.
func month(name string) int {
	i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", name)
	if i%3 != 0 {
		return 0
	}
	return i/3 + 1
}

// epoch reads a number of seconds, or of milli-, micro- or nanoseconds, since 1970:
// only one of them lies within 2001 to 2096.
func epoch(text string) (time.Time, bool) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return time.Time{}, false
	}
	for range 4 {
		if v >= 1e9 && v < 4e9 {
			return time.UnixMicro(int64(math.Round(v * 1e6))).UTC(), true
		}
		v /= 1000
	}
	return time.Time{}, false
}
