package report

import (
	"slices"
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
	arrived time.Time       // when the newest one arrived
	count   int             // that arrived at once, up to it
	before  time.Time       // when the newest one before these arrived
	last    time.Time       // when the newest one was made, as it was found
	apart   []time.Duration // between two, the newest last
	every   time.Duration   // the one in the middle of them; 0: there is none
	steady  bool            // most of them are about that
	burst   []kept          // after a silence, until it is known how many come at once
	size    int             // of burst, in bytes of the messages
}

const (
	steadyFrom = 3                      // so many times between two show a rate
	mostApart  = 9                      // that are kept
	atOnce     = 100 * time.Millisecond // between messages that come at once, where no rate is known
	mostBurst  = 10_000                 // messages that are held back
	mostSize   = 1 << 20                // bytes of those
	mostBeats  = 16                     // kinds of a machine that are followed: a topic for each value
)

// take takes the next message and reports whether it is held back: it comes after a
// silence, or at once after one that does. Otherwise its time is found as usual.
func (b *beat) take(k kept) (held bool) {
	first, gap := b.arrived.IsZero(), k.arrived().Sub(b.arrived)
	near := atOnce
	if b.every > 0 {
		near = b.every / 4
	}
	if !first && gap >= near { // what came at once before is complete
		if !b.before.IsZero() {
			b.learn(b.arrived.Sub(b.before) / time.Duration(b.count))
		}
		b.before, b.count = b.arrived, 0
	}
	b.arrived = k.arrived()
	b.count++
	if len(b.burst) > 0 || !first && b.steady && gap > 2*b.every {
		b.burst, b.size = append(b.burst, k), b.size+len(k.Raw)
		return true
	}
	return false
}

// learn takes the time for each of the messages that came at once, since the one
// before them.
func (b *beat) learn(apart time.Duration) {
	if len(b.apart) == mostApart {
		b.apart = b.apart[1:]
	}
	b.apart = append(b.apart, apart)
	sorted := slices.Sorted(slices.Values(b.apart))
	b.every = sorted[len(sorted)/2]
	alike := 0
	for _, d := range sorted {
		if (d - b.every).Abs() <= b.every*3/10 {
			alike++
		}
	}
	b.steady = alike >= steadyFrom && 3*alike >= 2*len(sorted)
}

// over reports whether the burst has ended when the next message of the kind
// arrives.
func (b *beat) over(next time.Time) bool {
	full := len(b.burst) >= mostBurst || b.size >= mostSize
	return len(b.burst) > 0 && (next.Sub(b.arrived) > b.every/2 || full)
}

// found returns the burst, each message with its time: the newest was made at a
// moment, and the others before it at the steady rate.
func (b *beat) found(newest time.Time) []kept {
	out := b.burst
	b.burst, b.size = nil, 0
	every := min(b.every, max(0, newest.Sub(b.last))/time.Duration(len(out)))
	for i := range out {
		out[i].at = earlier(newest.Add(-every*time.Duration(len(out)-1-i)), out[i].arrived())
	}
	b.last = newest
	return out
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
