package recorder

import (
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

const (
	stepLimit = 500 * time.Millisecond // a wall clock that moves more than this against the boot clock has stepped
	syncEvery = 30 * time.Second       // how often the kernel is asked whether the clock is synchronised
)

// clocks is what the recorder has last seen of the clocks.
type clocks struct {
	shift    time.Duration // wall clock less boot clock
	synced   bool
	syncedAt time.Duration // boot clock: when the kernel was asked
}

func shift(m clock.Moment) time.Duration { return time.Duration(m.Wall.UnixNano()) - m.Boot }

// watchClocks records steps of the wall clock and changes of its synchronisation.
func (r *Recorder) watchClocks(now clock.Moment) {
	c := &r.clocks
	if moved := shift(now) - c.shift; moved.Abs() > stepLimit {
		c.shift = shift(now)
		r.Append(now, &wire.Clock{Reason: "step", BootID: r.opts.BootID, StepMS: moved.Milliseconds(),
			Synchronised: r.opts.Clock.Synchronised()})
	}
	if now.Boot-c.syncedAt <= syncEvery {
		return
	}
	c.syncedAt = now.Boot
	if synced := r.opts.Clock.Synchronised(); synced != c.synced {
		c.synced = synced
		r.journal.SetSynced(synced)
		r.Append(now, &wire.Clock{Reason: "synchronised", BootID: r.opts.BootID, Synchronised: synced})
	}
}
