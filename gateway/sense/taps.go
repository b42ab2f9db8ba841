package sense

import (
	"time"

	"gatehouse/devices"
)

// awayAfter is how long a reader must be silent about a card for it to count
// as taken away; it repeats a card that stays every 65 ms.
const awayAfter = 300 * time.Millisecond

// Taps lets the first frame of a tap through and holds its repeats back. It is
// for one goroutine.
type Taps struct {
	code string
	seen time.Time
}

// NewTaps makes a filter that has seen nothing.
func NewTaps() *Taps { return &Taps{} }

// Observe tells whether t is a new tap.
func (f *Taps) Observe(t devices.Tap) bool {
	repeat := t.Code == f.code && t.At.Sub(f.seen) < awayAfter
	f.code, f.seen = t.Code, t.At
	return !repeat
}
