package trial

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// spans returns half hours of a week as "every day 06:00-22:00" or by the days.
func spans(when *[slots]bool, first time.Weekday) string {
	var days []string
	for d := range 7 {
		days = append(days, hours(when[d*48:(d+1)*48]))
	}
	same := !slices.ContainsFunc(days, func(d string) bool { return d != days[0] })
	switch {
	case same && days[0] == "00:00-24:00":
		return "at any time"
	case same:
		return "every day " + days[0]
	}
	name := func(d int) string { return strings.ToLower(time.Weekday((int(first) + d) % 7).String()[:3]) }
	var out []string
	for d := 0; d < 7; d++ {
		from := d
		for d+1 < 7 && days[d+1] == days[from] {
			d++
		}
		switch {
		case days[from] == "":
		case from == d:
			out = append(out, name(d)+" "+days[d])
		default:
			out = append(out, name(from)+"-"+name(d)+" "+days[d])
		}
	}
	return strings.Join(out, "; ")
}

// hours returns half hours of a day as "06:00-12:00, 13:30-20:00".
func hours(half []bool) string {
	var out []string
	clock := func(i int) string { return fmt.Sprintf("%02d:%02d", i/2, i%2*30) }
	for i := 0; i < len(half); i++ {
		if !half[i] {
			continue
		}
		from := i
		for i < len(half) && half[i] {
			i++
		}
		out = append(out, clock(from)+"-"+clock(i))
	}
	return strings.Join(out, ", ")
}
