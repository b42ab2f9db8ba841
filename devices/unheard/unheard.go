// Package unheard notices that bytes come on a link and no message can be read from
// them.
package unheard

import (
	"encoding/hex"
	"fmt"
	"time"
)

// After is how long nothing may be understood, while bytes come, before a link is
// reported.
const After = 10 * time.Second

const (
	quiet = 5 * time.Second // a link without bytes for so long is silent
	kept  = 16              // bytes that a report shows
)

// Watch follows one link. It has no clock: now is a time that never steps, counted
// from any moment. The zero value is ready to use; it is for one goroutine.
type Watch struct {
	speaking bool          // bytes came that no message was read from
	since    time.Duration // of the first of them
	last     time.Duration // of the newest of them
	count    uint64        // bytes since then
	sample   []byte        // the newest of them
}

// Report says what came on a link that nothing was understood of.
type Report struct {
	For    time.Duration // since the first byte
	Bytes  uint64
	Sample string // the newest bytes, in hexadecimal
}

// Bytes notes bytes that came on the link, before it is known what they say.
func (w *Watch) Bytes(now time.Duration, b []byte) {
	if len(b) == 0 {
		return
	}
	if !w.speaking || now-w.last > quiet {
		*w = Watch{speaking: true, since: now, sample: w.sample[:0]}
	}
	w.last = now
	w.count += uint64(len(b))
	w.sample = append(w.sample, b[max(0, len(b)-kept):]...)
	w.sample = append(w.sample[:0], w.sample[max(0, len(w.sample)-kept):]...)
}

// Understood notes that a message was read.
func (w *Watch) Understood() { *w = Watch{sample: w.sample[:0]} }

// Check returns a report, and true, while bytes have been coming for longer than
// After and nothing was understood.
func (w *Watch) Check(now time.Duration) (Report, bool) {
	if !w.speaking || now-w.last > quiet || now-w.since < After {
		return Report{}, false
	}
	return Report{For: now - w.since, Bytes: w.count, Sample: hex.EncodeToString(w.sample)}, true
}

// Error reports a link on which nothing is understood. Whoever reads the link
// yields it instead of values, again for as long as that lasts.
type Error struct {
	Report
	Try string // what may be wrong, and what to try
}

func (e *Error) Error() string {
	return fmt.Sprintf("%d bytes in %d s, and no message among them (the newest: %s): %s",
		e.Bytes, int(e.For.Seconds()), e.Sample, e.Try)
}

// Advice reports that a part of what a machine sends is refused, or that something
// it should send does not come. Whoever reads the link yields it when that begins,
// and again every minute while it lasts.
type Advice struct {
	Text   string // what is wrong, and what to try
	Frames int    // that were refused since it was last said; 0: none
}

func (a *Advice) Error() string {
	if a.Frames == 0 {
		return a.Text
	}
	return fmt.Sprintf("%s (%d frames refused)", a.Text, a.Frames)
}
