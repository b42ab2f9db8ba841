package frame

import "time"

// A device is at fault after three bursts of bytes without a good frame between
// them. A burst is eight bytes within ten seconds that are not a frame; each
// must begin at least a second after the previous one began, and within an hour
// of its end. So a device at another baud rate is at fault after three seconds
// of sending, or after three cards, but glitches of a few bytes on a line that
// is idle for hours never add up to a fault.
const (
	burstBytes  = 8
	burstWithin = 10 * time.Second
	burstApart  = time.Second
	burstsFault = 3
	burstsOver  = time.Hour
)

// Noise distinguishes a device whose bytes never make a frame from a line with
// occasional glitches. Its zero value is a line without any bytes yet.
type Noise struct {
	bytes    int       // in the burst being counted
	first    time.Time // when that burst began
	bursts   int       // complete bursts since the last good frame
	began    time.Time // when the last complete burst began
	last     time.Time // when its last bytes arrived
	reported bool
}

// Bad counts bytes that arrived at at and are not a frame. It reports whether
// the device is now at fault, once until the next good frame.
func (n *Noise) Bad(at time.Time, count int) bool {
	if n.bytes == 0 || at.Sub(n.first) > burstWithin {
		n.bytes, n.first = 0, at
	}
	n.bytes += count
	if at.Sub(n.last) > burstsOver {
		n.bursts = 0
	}
	if n.bytes < burstBytes {
		return false
	}
	if n.first.Sub(n.began) < burstApart {
		n.bytes, n.last = 0, at // the burst goes on
		return false
	}
	n.bursts++
	n.began, n.last, n.bytes = n.first, at, 0
	if n.bursts < burstsFault || n.reported {
		return false
	}
	n.reported = true
	return true
}

// Good notes a good frame: the bytes before it were a glitch.
func (n *Noise) Good() { *n = Noise{} }
