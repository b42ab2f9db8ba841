package sense

import (
	"slices"
	"time"

	"gatehouse/devices"
)

const (
	// awayAfter is how long a reader must not send a card before the card counts as
	// taken away; the reader repeats a card that stays every 65 ms.
	awayAfter = 300 * time.Millisecond
	// scanAway is the same of a scanner: in continuous mode, which is the default of
	// many, it sends a code that is held before it again after up to 2 s.
	scanAway = 3 * time.Second
	// provenWithin is how soon a card that is there is sent a second time.
	provenWithin = 150 * time.Millisecond
	tapsKept     = 8 // codes that may be near a device at the same time
)

// Taps distinguishes the first frame of a tap from its repeats, and cards that are there
// from those that only one disturbed frame tells of. It is for one goroutine.
type Taps struct {
	away  time.Duration
	known func(code string) bool
	near  []near // the newest last
}

// near is a code that is near the device.
type near struct {
	code string
	seen time.Time
	told bool // it was reported as a tap
}

// NewTaps returns a filter for a card reader that has seen no tap. A card that known
// reports to be one counts at once; others of a reader that repeats cards when they
// come a second time.
func NewTaps(known func(code string) bool) *Taps { return &Taps{away: awayAfter, known: known} }

// NewScans returns a filter for a scanner.
func NewScans() *Taps {
	return &Taps{away: scanAway, known: func(string) bool { return true }}
}

// Observe reports whether t is a new tap.
func (f *Taps) Observe(t devices.Tap) bool {
	f.near = slices.DeleteFunc(f.near, func(n near) bool { return t.At.Sub(n.seen) >= f.away })
	x := near{code: t.Code}
	again := false
	if i := slices.IndexFunc(f.near, func(n near) bool { return n.code == t.Code }); i >= 0 {
		x = f.near[i]
		again = t.At.Sub(x.seen) <= provenWithin
		f.near = slices.Delete(f.near, i, i+1)
	}
	tapped := !x.told && (again || !t.Repeats || f.known(t.Code))
	x.seen, x.told = t.At, x.told || tapped
	f.near = append(f.near, x)
	f.near = f.near[max(0, len(f.near)-tapsKept):]
	return tapped
}
