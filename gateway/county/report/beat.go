package report

import (
	"time"

	"gatehouse/gateway/fact"
)

// kind names the fields that a message has, a bit each. The messages of one topic
// are of one kind.
type kind uint32

func kindOf(v *fact.Values) (k kind) {
	bit := kind(1)
	for _, n := range fact.Numbers() {
		if *n.Of(v) != nil {
			k |= bit
		}
		bit <<= 1
	}
	for _, f := range fact.Flags() {
		if *f.Of(v) != nil {
			k |= bit
		}
		bit <<= 1
	}
	return k
}

// beat follows the messages of one kind that have no time. Those of a machine that
// sends at a steady rate arrive at once after its link was down: they were made at
// that rate. Of messages at no steady rate, such as a relay's at its changes,
// nothing of that kind is known.
type beat struct {
	arrived time.Time     // when the newest one arrived
	last    time.Time     // when the newest one was made, as it was found
	every   time.Duration // between two
	alike   int           // how often that was seen one after the other
	burst   []kept        // after a silence, until it is known how many come at once
}

const (
	steadyFrom = 4      // a rate was seen so often
	mostBurst  = 10_000 // messages that are held back
)

// take takes the next message and reports whether it is held back: it comes after a
// silence, or at once after one that does. Otherwise its time is found as usual.
func (b *beat) take(k kept) (held bool) {
	gap := k.arrived().Sub(b.arrived)
	first := b.arrived.IsZero()
	b.arrived = k.arrived()
	steady := b.alike >= steadyFrom
	switch {
	case len(b.burst) > 0, steady && !first && gap > 2*b.every:
		b.burst = append(b.burst, k)
		return true
	case first || gap < b.every/4: // it came again, or nothing can be said
	case steady && gap < 2*b.every:
		b.every += (gap - b.every) / 8
	case b.alike > 0 && (gap-b.every).Abs() <= b.every/4:
		b.alike++
	default:
		b.every, b.alike = gap, 1
	}
	return false
}

// over reports whether the burst has ended when the next message of the kind
// arrives.
func (b *beat) over(next time.Time) bool {
	return len(b.burst) > 0 && (next.Sub(b.arrived) > b.every/2 || len(b.burst) >= mostBurst)
}

// found returns the burst, each message with its time: the newest was made at a
// moment, and the others before it at the steady rate.
func (b *beat) found(newest time.Time) []kept {
	out := b.burst
	b.burst = nil
	every := min(b.every, max(0, newest.Sub(b.last))/time.Duration(len(out)))
	for i := range out {
		out[i].at = newest.Add(-every * time.Duration(len(out)-1-i))
	}
	b.last = newest
	return out
}
