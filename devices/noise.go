package devices

import "time"

// When bytes that make no frame are a fault of the device: three bursts without
// a frame between them, each at least a second after the one before began and
// within an hour of its end. A burst is eight such bytes within ten seconds. So
// a device at another baud rate is at fault after three seconds of speaking, or
// three cards; glitches of a few bytes on a line that is idle for hours never
// add up.
const (
	burstBytes  = 8
	burstWithin = 10 * time.Second
	burstApart  = time.Second
	burstsFault = 3
	burstsOver  = time.Hour
)

// noise tells a device that is never understood from a line with glitches. Its
// zero value is a line on which nothing has come.
type noise struct {
	bytes  int       // of the burst that gathers
	first  time.Time // when it began
	bursts int
	began  time.Time // when the last burst that counted began
	last   time.Time // when its bytes came
	told   bool
}

// bad takes n bytes that came at at and are no frame. It reports whether that
// makes a fault, once until a frame is good.
func (n *noise) bad(at time.Time, count int) bool {
	if n.bytes == 0 || at.Sub(n.first) > burstWithin {
		n.bytes, n.first = 0, at
	}
	n.bytes += count
	if n.bursts > 0 && at.Sub(n.last) > burstsOver {
		n.bursts = 0
	}
	if n.bytes < burstBytes {
		return false
	}
	if n.bursts > 0 && n.first.Sub(n.began) < burstApart {
		n.bytes, n.last = 0, at // the burst goes on
		return false
	}
	n.bursts++
	n.began, n.last, n.bytes = n.first, at, 0
	if n.bursts < burstsFault || n.told {
		return false
	}
	n.told = true
	return true
}

// good takes a frame: what came before was a glitch.
func (n *noise) good() { *n = noise{} }
