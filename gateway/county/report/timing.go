package report

import (
	"time"

	"gatehouse/gateway/wire"
)

// patience is for how long a message without a time waits for the machine's
// next one that has a time.
const patience = 2 * time.Second

// timing finds the time of each message of one machine. Some carry one and some
// don't, such as a relay's ON beside a sensor's values; all may be delayed on
// their way, together and in their order. So a message without a time is older
// than its arrival by as much as its neighbours are, and not later than the next
// one. The zero value is ready to use. Messages come in the order of arrival.
type timing struct {
	known    bool      // at and received are set
	at       time.Time // of the newest message with a time
	received time.Time // when that one arrived
	last     time.Time // the time found for the newest message without one
	waiting  []*wire.Track
}

// timed is a message and its time.
type timed struct {
	at time.Time
	*wire.Track
}

// timeless reports whether a message came without a time, or with one that
// can't be right.
func timeless(t *wire.Track) bool { return t.Received == nil || t.At.Equal(t.Received.Time) }

// add takes the next message, and returns those whose time is known now.
func (m *timing) add(t *wire.Track) (out []timed) {
	if timeless(t) {
		out = m.expire(t.At.Add(-patience))
		if !m.known {
			return append(out, timed{t.At.Time, t})
		}
		m.waiting = append(m.waiting, t)
		return out
	}
	out = m.expire(t.Received.Add(-patience))
	// One that was overtaken, or was made before the machine's clock was set, says
	// nothing about the others.
	inOrder := !m.known || !t.At.Before(m.at) || t.Received.Sub(m.received) > time.Minute
	if inOrder {
		for _, w := range m.waiting {
			out = append(out, timed{m.find(w, t.At.Time), w})
		}
		m.waiting = nil
		m.known, m.at, m.received = true, t.At.Time, t.Received.Time
	}
	return append(out, timed{t.At.Time, t})
}

// expire returns the messages that arrived before a moment and wait no longer.
func (m *timing) expire(before time.Time) (out []timed) {
	for len(m.waiting) > 0 && m.waiting[0].At.Before(before) {
		w := m.waiting[0]
		m.waiting = m.waiting[1:]
		out = append(out, timed{m.find(w, w.At.Time), w})
	}
	return out
}

// find returns the time of a message without one, which is not after next.
func (m *timing) find(t *wire.Track, next time.Time) time.Time {
	at := t.At.Add(-m.received.Sub(m.at))
	if at.Before(m.last) && !m.last.After(t.At.Time) {
		at = m.last
	}
	if next.Before(at) {
		at = next
	}
	m.last = at
	return at
}
