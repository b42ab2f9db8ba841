package bench

import (
	"sync/atomic"
	"time"

	"gatehouse/gateway/clock"
)

// rightClock is the host's clock, which counts as right whether it is synchronised or not,
// and which a test lets run ahead.
type rightClock struct {
	clock.System

	ahead atomic.Int64 // ns
}

func (c *rightClock) Now() clock.Moment  { return c.System.Now().Add(time.Duration(c.ahead.Load())) }
func (c *rightClock) Synchronised() bool { return true }
func (c *rightClock) pass(d time.Duration) {
	c.ahead.Add(int64(d))
}
