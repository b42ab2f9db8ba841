package mapping

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// withZone are the layouts of times that name their zone. time.Parse takes
// fractions of a second, behind a point or a comma, with each of them.
var withZone = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04Z07:00",
	"2006/01/02T15:04:05Z07:00", "20060102T150405Z07:00", "20060102T150405Z0700",
	"Mon, 02 Jan 2006 15:04:05 -0700", "Mon, 02 Jan 2006 15:04:05 GMT",
}

// dense is a date and a time in 14 digits: as milliseconds since 1970 they would
// be after the year 2600.
const dense = "20060102150405"

// withoutZone are the layouts of times without a zone.
var withoutZone = []string{
	"2006-01-02T15:04:05", "2006-01-02T15:04", "2006/1/2T15:04:05", "2006.01.02T15:04:05", "02.01.2006T15:04:05",
	"2006年1月2日T15:04:05", "20060102T150405", dense, time.ANSIC,
}

// parseTime reads a time as firmware writes it: RFC 3339 and its variants (a blank
// for the T, a decimal comma, +0800, UTC), seconds, milliseconds, microseconds or
// nanoseconds since 1970, told apart by their size, and a time without a zone, which
// is one of zone. known is false when the text says that there is no time.
//
// The begin of 1970, which is a clock that was never set, is none, nor is a time that
// the wire can't carry, before 1970 or after 2261. A time of 1970 without a zone is
// taken as UTC, so that its first hours are not before 1970.
func parseTime(text string, zone *time.Location) (at time.Time, zoneless, known bool, err error) {
	at, zoneless, known, err = anyTime(text, zone)
	if zoneless && at.Year() <= 1970 {
		at, zoneless, known, err = anyTime(text, time.UTC)
	}
	if known && (at.Unix() <= 0 || at.UTC().Year() > lastYear) {
		return time.Time{}, false, false, nil
	}
	return at, zoneless, known, err
}

// lastYear is the last one whose times the wire carries.
const lastYear = 2261

// anyTime reads a time of any year.
func anyTime(text string, zone *time.Location) (at time.Time, zoneless, known bool, err error) {
	if noValue(text) || strings.HasPrefix(text, "0000-00-00") {
		return at, false, false, nil
	}
	if at, err := time.ParseInLocation(dense, text, zone); err == nil {
		return at, true, true, nil
	}
	if at, ok := epoch(text); ok {
		return at, false, true, nil
	}
	text = unified(text)
	for _, layout := range withZone {
		if at, err := time.Parse(layout, text); err == nil {
			return at, false, true, nil
		}
	}
	for _, layout := range withoutZone {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at, true, true, nil
		}
	}
	return at, false, false, fmt.Errorf("%q is not a time", shorten(text, 40))
}

var (
	dateThenTime = regexp.MustCompile(`^([0-9]+[-/.年0-9月]+日?)[ tT]\s*([0-9].*)$`)
	thenZone     = regexp.MustCompile(`\s+([+-][0-9:]+)$`)
	thenUTC      = regexp.MustCompile(`\s*(?:[zZ]|UTC|GMT)$`)
)

// unified returns a time that begins with the date's digits with a T in front of
// the hour, and Z for UTC.
func unified(text string) string {
	parts := dateThenTime.FindStringSubmatch(text)
	if parts == nil {
		return text
	}
	clock := thenUTC.ReplaceAllString(parts[2], "Z")
	return parts[1] + "T" + thenZone.ReplaceAllString(clock, "$1")
}

// epoch reads a time that counts from 1970.
func epoch(text string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(strings.Replace(text, ",", ".", 1), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.Trim(fraction, "0123456789") != "" {
		f, err := strconv.ParseFloat(text, 64) // 1.5817e9
		if err != nil || math.Abs(f) >= math.MaxInt64 {
			return time.Time{}, false
		}
		n, fraction = int64(f), ""
	}
	perSecond := int64(1)
	for limit := 1e11; math.Abs(float64(n)) >= limit; limit *= 1000 {
		perSecond *= 1000
	}
	part, err := strconv.ParseFloat("0."+fraction+"0", 64)
	if err != nil {
		return time.Time{}, false
	}
	unit := int64(time.Second) / perSecond
	return time.Unix(n/perSecond, n%perSecond*unit+int64(math.Round(part*float64(unit)))), true
}
