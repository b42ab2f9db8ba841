package report

import "time"

// counted is what the counter of a machine showed at a moment.
type counted struct {
	at     time.Time
	volume float64 // litres
}

// counts are the newest values of a machine's counter, in the order of time. They
// place a report without a time that a broker delivers once more: it may have been
// overtaken by others since it was delivered first.
type counts []counted

const (
	mostCounts  = 512
	countsAging = 5 * time.Minute
)

// add adds the newest value.
func (c *counts) add(at time.Time, volume *float64) {
	if volume == nil {
		return
	}
	all := *c
	for len(all) >= mostCounts || len(all) > 0 && at.Sub(all[0].at) > countsAging {
		all = all[1:]
	}
	*c = append(all, counted{at, *volume})
}

// find returns when the counter showed a value. It is not ok when that is no earlier
// value of a counter that goes on, such as after a reset.
func (c counts) find(volume *float64) (at time.Time, ok bool) {
	if volume == nil || len(c) == 0 || *volume >= c[len(c)-1].volume {
		return at, false
	}
	for i := len(c) - 2; i >= 0; i-- {
		before, after := c[i], c[i+1]
		if before.volume <= *volume && *volume < after.volume {
			share := (*volume - before.volume) / (after.volume - before.volume)
			return before.at.Add(time.Duration(share * float64(after.at.Sub(before.at)))), true
		}
	}
	return at, false
}
