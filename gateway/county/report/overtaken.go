package report

import (
	"time"

	"gatehouse/gateway/fact"
)

// counted is what the counter of a machine showed at a moment.
type counted struct {
	at     time.Time
	volume float64 // litres
	works  bool    // it was told to work, or something flowed
}

// counts are the newest values of a machine's counter, in the order of time. They
// place a report without a time that others have overtaken, because the broker
// delivered it once more: it lies where the counter was.
type counts []counted

const (
	mostCounts  = 512
	countsAging = 5 * time.Minute
	// unmarked is how far a report is placed back that the broker does not mark as
	// delivered before: one that was killed forgets what it has delivered.
	unmarked = 15 * time.Second
)

// add adds what a sample shows.
func (c *counts) add(at time.Time, v *fact.Values) {
	if v.Volume == nil {
		return
	}
	all := *c
	for len(all) >= mostCounts || len(all) > 0 && at.Sub(all[0].at) > countsAging {
		all = all[1:]
	}
	*c = append(all, counted{at, *v.Volume, works(v)})
}

func works(v *fact.Values) bool {
	return v.Command != nil && *v.Command || v.Flow != nil && *v.Flow > 0
}

// find returns when a report was made that has just arrived. It is not ok when its
// counter has no earlier value of a counter that goes on, such as after a reset, or
// when the report may be a new one of a counter that is not exact.
func (c counts) find(arrived time.Time, v *fact.Values, marked bool) (at time.Time, ok bool) {
	if v.Volume == nil || len(c) == 0 || *v.Volume >= c[len(c)-1].volume {
		return at, false
	}
	for i := len(c) - 2; i >= 0; i-- {
		before, after := c[i], c[i+1]
		if before.volume <= *v.Volume && *v.Volume < after.volume {
			share := (*v.Volume - before.volume) / (after.volume - before.volume)
			at = before.at.Add(time.Duration(share * float64(after.at.Sub(before.at))))
			alike := works(v) == before.works || works(v) == after.works
			return at, marked || alike && arrived.Sub(at) <= unmarked
		}
	}
	return at, false
}
