package desk

import (
	"sync/atomic"
	"time"
)

// hearing is whether the collector hears the machines that report by themselves.
// The zero value says that it does. It may be used from any goroutine.
type hearing struct{ fault atomic.Pointer[string] }

// Deaf is called when the collector does not hear machines' own reports, and why;
// Hears when it does. They may be called from any goroutine.
func (d *Desk) Deaf(now time.Time, why string) {
	if d.centre.hearing.fault.Load() == nil {
		d.centre.hearing.fault.Store(new("no connection to the broker since " + now.Format(time.RFC3339) + ": " + why))
	}
}

// Hears is called when the collector is subscribed to machines' own reports.
func (d *Desk) Hears() { d.centre.hearing.fault.Store(nil) }
