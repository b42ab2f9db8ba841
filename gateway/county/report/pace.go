package report

import (
	"time"

	"gatehouse/gateway/wire"
)

// patience is for how long a message without a time waits for the machine's
// next one that has a time.
const patience = 2 * time.Second

// pace says when the messages of one machine were true. Some carry a time and
// some don't, such as a relay's ON beside what a sensor saw; all may be held up
// on their way, together and in their order. So one without a time lies behind
// the wall clock by as much as its neighbours, and is not later than the next
// one. The zero value is ready to use. Messages come in the order of arrival.
type pace struct {
	known    bool
	at       time.Time // of the newest one with a time
	received time.Time // when that one came
	last     time.Time // of the newest one without
	waiting  []*wire.Track
}

// placed is a message and when it was true.
type placed struct {
	at time.Time
	*wire.Track
}

// timeless reports whether a message came without a time, or with one that
// can't be right.
func timeless(t *wire.Track) bool { return t.Received == nil || t.At.Equal(t.Received.Time) }

// take takes the next message, and returns those whose time is known now.
func (p *pace) take(t *wire.Track) (out []placed) {
	if timeless(t) {
		out = p.expire(t.At.Add(-patience))
		if !p.known {
			return append(out, placed{t.At.Time, t})
		}
		p.waiting = append(p.waiting, t)
		return out
	}
	out = p.expire(t.Received.Add(-patience))
	// Late ones, and such of before the clock was set, say nothing of the others.
	inOrder := !p.known || !t.At.Before(p.at) || t.Received.Sub(p.received) > time.Minute
	if inOrder {
		for _, w := range p.waiting {
			out = append(out, placed{p.place(w, t.At.Time), w})
		}
		p.waiting = nil
		p.known, p.at, p.received = true, t.At.Time, t.Received.Time
	}
	return append(out, placed{t.At.Time, t})
}

// expire returns the messages that came before a moment and wait no longer.
func (p *pace) expire(before time.Time) (out []placed) {
	for len(p.waiting) > 0 && p.waiting[0].At.Before(before) {
		w := p.waiting[0]
		p.waiting = p.waiting[1:]
		out = append(out, placed{p.place(w, w.At.Time), w})
	}
	return out
}

// place is when a message without a time was true: not after the next one.
func (p *pace) place(t *wire.Track, next time.Time) time.Time {
	at := t.At.Add(-p.received.Sub(p.at))
	if at.Before(p.last) && !p.last.After(t.At.Time) {
		at = p.last
	}
	if next.Before(at) {
		at = next
	}
	p.last = at
	return at
}
