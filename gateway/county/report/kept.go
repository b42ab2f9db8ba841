package report

import (
	"slices"
	"time"

	"gatehouse/gateway/wire"
)

// kept is a report in the stream of its machine.
type kept struct {
	*wire.Track

	at time.Time // when it was made, as it is judged now
}

// arrived returns when a report arrived. In the stream of a machine no two arrive
// at the same moment.
func (k kept) arrived() time.Time {
	if k.Received == nil {
		return k.At.Time
	}
	return k.Received.Time
}

// timeless reports whether the report says no time. Earlier versions had the time of
// arrival in the place of one that could not be right.
func (k kept) timeless() bool {
	return k.NoClock || k.Clock == nil && k.At.Equal(k.arrived())
}

// own returns the time of a track by its machine's clock.
func own(t *wire.Track) time.Time {
	if t.Clock != nil {
		return t.Clock.Time
	}
	return t.At.Time
}

// span is a stretch of time, its ends included.
type span struct{ From, To time.Time }

// mostSpans is how many spans a machine has at most: beyond that the two that lie
// nearest to each other become one.
const mostSpans = 16

// include adds a moment to spans that lie further apart than apart, in their order.
func include(spans []span, at time.Time, apart time.Duration) []span {
	i, _ := slices.BinarySearchFunc(spans, at, func(s span, at time.Time) int { return s.From.Compare(at) })
	spans = slices.Insert(spans, i, span{at, at})
	nearest := time.Duration(-1)
	join := 0
	for i := 1; i < len(spans); i++ {
		if spans[i].From.Sub(spans[i-1].To) <= apart {
			spans[i-1].To = later(spans[i-1].To, spans[i].To)
			spans = slices.Delete(spans, i, i+1)
			i--
			continue
		}
		if between := spans[i].From.Sub(spans[i-1].To); nearest < 0 || between < nearest {
			nearest, join = between, i
		}
	}
	if len(spans) > mostSpans {
		spans[join-1].To = spans[join].To
		spans = slices.Delete(spans, join, join+1)
	}
	return spans
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// cover joins the spans that a span overlaps with it.
func cover(spans []span, s span) (out []span) {
	for _, x := range spans {
		if x.To.Before(s.From) || x.From.After(s.To) {
			out = append(out, x)
			continue
		}
		if x.From.Before(s.From) {
			s.From = x.From
		}
		s.To = later(s.To, x.To)
	}
	i, _ := slices.BinarySearchFunc(out, s.From, func(x span, at time.Time) int { return x.From.Compare(at) })
	return slices.Insert(out, i, s)
}
