package sense

import (
	"time"

	"gatehouse/devices"
)

// awayAfter is how long a reader must not send a card before the card counts as taken
// away; the reader repeats a card that stays every 65 ms.
const awayAfter = 300 * time.Millisecond

// Taps distinguishes the first frame of a tap from its repeats. It is for one
// goroutine.
type Taps struct {
	code string
	seen time.Time
}

// NewTaps returns a filter that has seen no tap.
func NewTaps() *Taps { return &Taps{} }

// Observe reports whether t is a new tap.
func (f *Taps) Observe(t devices.Tap) bool {
	repeat := t.Code == f.code && t.At.Sub(f.seen) < awayAfter
	f.code, f.seen = t.Code, t.At
	return !repeat
}
