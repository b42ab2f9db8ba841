package engine

import (
	"time"

	"gatehouse/gateway/clock"
)

// Clock tells by what time a gate judges. While its wall clock is not known to be
// right, that is the last time that was known, and what the boot clock has counted
// since. After a restart of the computer it is a time before now.
type Clock struct {
	known time.Time // zero: none was ever known
	boot  time.Duration
}

// Note notes a moment at which the wall clock is known to be right.
func (c *Clock) Note(m clock.Moment) { c.known, c.boot = m.Wall, m.Boot }

// Restore notes a time of before a restart, whose moment of this boot is not earlier
// than boot. An earlier time than one that is known changes nothing unless it is sure.
func (c *Clock) Restore(at time.Time, boot time.Duration, sure bool) {
	if sure || !c.known.IsZero() && at.After(c.known) {
		c.known, c.boot = at, boot
	}
}

// Rebooted notes that the boot clock counts anew: how long the computer was off is not
// known.
func (c *Clock) Rebooted() { c.boot = 0 }

// Judge returns the time to judge by, and whether it is unsure: the wall clock is not
// synchronised. With own, or when no time was ever known, it is the wall clock's.
func (c *Clock) Judge(m clock.Moment, synchronised, own bool) (at time.Time, unsure bool) {
	if synchronised || own || c.known.IsZero() {
		return m.Wall, !synchronised
	}
	return c.known.Add(m.Boot - c.boot), true
}
