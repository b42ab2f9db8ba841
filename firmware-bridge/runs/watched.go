package runs

import (
	"time"

	"gatehouse/firmware-bridge/meter"
)

// watched is a counter as it is watched for flow, where there is no flow sensor:
// something flows when it has risen by more than its noise. A run counts from the
// highest reading before it, because noise lies on both sides of the truth, but
// not from one that is long past: that one may have been wrong.
type watched struct {
	cfg     Config
	counter meter.Counter
	top     *Sample       // with the highest reading
	base    *Sample       // the highest before it rose; a run counts from here
	risen   float64       // litres since base
	at      time.Duration // T when it rose last
	busy    bool          // the last sample was of work, of flow, or of an open run
	ended   bool          // the work has ended, and no reading was the highest since
	doubted []Sample      // the first two of those whose reading is in doubt
}

const (
	stillFor = 10 * time.Second // a counter that has not risen for so long stands still
	topFor   = time.Minute      // the highest reading is long past
	stirs    = 0.05             // litres: a counter that rises by no more may stand still, its noise is not known
)

// note notes whether a sample is of work, of flow, or of an open run. After the last
// such one the next reading that is the highest is the one to count from: of the
// samples in between only few are stored, and these must lead to the same one.
func (w *watched) note(busy bool) {
	w.ended = w.ended || w.busy && !busy
	w.busy = busy
}

// take takes the counter's reading of a sample.
func (w *watched) take(s Sample) {
	if w.ended && w.above(s) {
		w.ended = false
		w.restart(s)
		return
	}
	if s.T-w.at > stillFor {
		w.risen, w.base = 0, w.top
	}
	began := w.risen == 0
	got := w.counter.Take(meter.Reading{At: s.T, Value: *s.Volume})
	if got.Litres > 0 {
		w.risen, w.at = w.risen+got.Litres, s.T
	}
	w.doubt(s)
	if at, _ := w.counter.Top(); at != s.T {
		if s.T-w.top.T > min(topFor, w.cfg.Pause/2) && *s.Volume < *w.top.Volume {
			w.restart(s)
		}
		return
	}
	switch {
	case w.rose(s) && s.T-w.base.T > w.cfg.Pause: // nobody heard how
		w.restart(s)
		return
	case w.risen == 0 || w.rose(s):
		w.base = &s
	case began:
		w.base = w.top
	}
	w.top = &s
}

// doubt keeps a sample if its reading is one of the first two in doubt: with these and
// the last two the counter is believed when it is with all of them.
func (w *watched) doubt(s Sample) {
	since, in := w.counter.Doubt()
	switch {
	case !in:
		w.doubted = nil
	case since == s.T || len(w.doubted) == 0:
		w.doubted = []Sample{s}
	case len(w.doubted) == 1:
		w.doubted = []Sample{w.doubted[0], s}
	}
}

// restart lets the counter count from a sample on.
func (w *watched) restart(s Sample) {
	w.counter.Restart()
	w.counter.Take(meter.Reading{At: s.T, Value: *s.Volume})
	w.top, w.base, w.risen, w.doubted = &s, &s, 0, nil
}

// above reports whether a reading is the highest, by no more than the pump can give.
func (w *watched) above(s Sample) bool {
	if w.top == nil {
		return true
	}
	rise, past := *s.Volume-*w.top.Volume, s.T-w.top.T
	return rise >= 0 && rise <= w.cfg.MaxFlow*max(past, time.Second).Minutes()
}

// rising reports whether the counter has risen shortly before T.
func (w *watched) rising(t time.Duration) bool { return w.risen > 0 && t-w.at <= leakFor }

// rose reports whether the counter has risen at a sample that it has taken.
func (w *watched) rose(s Sample) bool {
	return w.at == s.T && w.risen > max(stirs, w.counter.Noise(), 1.5*w.counter.Resolution())
}
