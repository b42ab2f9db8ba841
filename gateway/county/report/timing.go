package report

import (
	"slices"
	"time"
)

// patience is for how long a message without a time waits for the machine's
// next one that has a time.
const patience = 2 * time.Second

// timing finds the time of each message of one machine. Some carry one and some
// don't, such as a relay's ON beside a sensor's values; all may be delayed on
// their way, together and in their order. So a message without a time is older
// than its arrival by as much as its neighbours are, and not later than the next
// one. Where those of one kind came at a steady rate, they were made at it. The zero
// value is ready to use. Messages come in the order of arrival.
type timing struct {
	known    bool      // at and received are set
	at       time.Time // of the newest message with a time
	received time.Time // when that one arrived
	last     time.Time // the time found for the newest message without one
	waiting  []kept
	beats    map[kind]*beat // of messages without a time
}

// add takes the next message, and returns those whose time is known now.
func (m *timing) add(k kept) (out []kept) {
	out = m.expire(k.arrived().Add(-patience))
	if k.timeless() && !k.at.IsZero() && m.about(k.arrived()).Sub(k.at) > atOnce {
		return append(out, k) // overtaken, see counts
	}
	if k.timeless() {
		b := m.beat(k)
		if b.over(k.arrived()) {
			out = append(out, b.found(m.about(b.arrived))...)
		}
		switch {
		case b.take(k):
		case m.known:
			m.waiting = append(m.waiting, k)
		default:
			k.at = k.arrived()
			b.last = k.at
			out = append(out, k)
		}
		return out
	}
	// One that was overtaken says nothing about the others.
	inOrder := !m.known || !k.at.Before(m.at) || k.arrived().Sub(m.received) > time.Minute
	if inOrder {
		for _, w := range m.waiting {
			out = append(out, m.find(w, k.at))
		}
		m.waiting = nil
		m.known, m.at, m.received = true, k.at, k.arrived()
	}
	return append(out, k)
}

// expire returns the messages that arrived before a moment and wait no longer.
func (m *timing) expire(before time.Time) (out []kept) {
	for len(m.waiting) > 0 && m.waiting[0].arrived().Before(before) {
		w := m.waiting[0]
		m.waiting = m.waiting[1:]
		out = append(out, m.find(w, w.arrived()))
	}
	var bursts []kept
	for _, b := range m.beats {
		if len(b.burst) > 0 && b.arrived.Before(before) {
			bursts = append(bursts, b.found(m.about(b.arrived))...)
		}
	}
	slices.SortFunc(bursts, func(a, b kept) int { return a.arrived().Compare(b.arrived()) })
	return append(out, bursts...)
}

// beat returns the beat of a message's kind; of too many kinds one of which nothing
// is known.
func (m *timing) beat(k kept) *beat {
	var of kind
	if len(k.Points) > 0 {
		of = kindOf(&k.Points[0].Values)
	}
	if m.beats == nil {
		m.beats = map[kind]*beat{}
	}
	b := m.beats[of]
	if b == nil {
		b = &beat{}
		if len(m.beats) < mostBeats {
			m.beats[of] = b
		}
	}
	return b
}

// about returns roughly when a message without a time was made that arrives now.
func (m *timing) about(arrived time.Time) time.Time {
	if !m.known {
		return arrived
	}
	return arrived.Add(-m.received.Sub(m.at))
}

// find sets the time of a message without one, which is not after next.
func (m *timing) find(k kept, next time.Time) kept {
	k.at = m.about(k.arrived())
	if k.at.Before(m.last) && !m.last.After(k.arrived()) {
		k.at = m.last
	}
	if next.Before(k.at) {
		k.at = next
	}
	m.last = k.at
	m.beat(k).last = k.at
	return k
}

// move is called when the times found for the machine's reports have moved.
func (m *timing) move(by time.Duration) {
	m.at, m.last = m.at.Add(by), m.last.Add(by)
	for i := range m.waiting {
		m.waiting[i].at = m.waiting[i].at.Add(by)
	}
	for _, b := range m.beats {
		b.last = b.last.Add(by)
	}
}
