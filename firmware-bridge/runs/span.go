package runs

import (
	"slices"
	"time"
)

// Span is a stretch of time within a run, counted from its start.
type Span struct{ From, To time.Duration }

// maxSpans is how many spans a run keeps: the shortest pauses between them are
// drawn as work beyond that. Its sums of time do not change.
const maxSpans = 200

// join adds a span that begins where the last one ends, or later.
func join(list []Span, s Span) []Span {
	if n := len(list); n > 0 && list[n-1].To == s.From {
		list[n-1].To = s.To
		return list
	}
	list = append(list, s)
	if len(list) <= maxSpans {
		return list
	}
	shortest := 1
	for i := 2; i < len(list); i++ {
		if list[i].From-list[i-1].To < list[shortest].From-list[shortest-1].To {
			shortest = i
		}
	}
	list[shortest-1].To = list[shortest].To
	return slices.Delete(list, shortest, shortest+1)
}
