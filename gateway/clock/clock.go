// Package clock reads the two clocks of an agent: the wall clock, which people
// read and which can step, and the boot clock, which never steps and measures
// durations.
package clock

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Moment is one instant on both clocks.
type Moment struct {
	Wall time.Time     // UTC, without Go's monotonic part
	Boot time.Duration // CLOCK_BOOTTIME: time since boot, including suspend
}

// Add moves both clocks by d.
func (m Moment) Add(d time.Duration) Moment {
	return Moment{Wall: m.Wall.Add(d), Boot: m.Boot + d}
}

// Source is a clock. Production code uses System; tests pass their own.
type Source interface {
	Now() Moment
	// Synchronised reports whether the wall clock is known to be right.
	Synchronised() bool
}

// System is the host's clock.
type System struct{}

// Now reads both clocks.
func (System) Now() Moment {
	var ts unix.Timespec
	// CLOCK_BOOTTIME exists on every Linux we run on (≥ 2.6.39); the call has
	// no other way to fail.
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	return Moment{Wall: time.Now().UTC().Round(0), Boot: time.Duration(ts.Nano())}
}

// Synchronised reports whether the kernel says that the wall clock is
// synchronised (adjtimex(2), STA_UNSYNC clear).
func (System) Synchronised() bool {
	var tx unix.Timex
	state, err := unix.Adjtimex(&tx)
	return err == nil && state != unix.TIME_ERROR && tx.Status&unix.STA_UNSYNC == 0
}

// BootID returns the id of this boot of the host. Values of the boot clock can be
// compared only within one boot.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read the host's boot id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
