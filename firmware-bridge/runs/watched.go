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
}

const (
	stillFor = 10 * time.Second // a counter that has not risen for so long stands still
	topFor   = time.Minute      // the highest reading is long past
	stirs    = 0.05             // litres: a counter that rises by no more may stand still, its noise is not known
)

// take takes the counter's reading of a sample.
func (w *watched) take(s Sample) {
	if s.T-w.at > stillFor {
		w.risen, w.base = 0, w.top
	}
	began := w.risen == 0
	got := w.counter.Take(meter.Reading{At: s.T, Value: *s.Volume})
	if got.Litres > 0 {
		w.risen, w.at = w.risen+got.Litres, s.T
	}
	if at, _ := w.counter.Top(); at != s.T {
		if s.T-w.top.T > min(topFor, w.cfg.Pause/2) && *s.Volume < *w.top.Volume {
			w.counter.Restart()
			w.counter.Take(meter.Reading{At: s.T, Value: *s.Volume})
			w.top, w.base, w.risen = &s, &s, 0
		}
		return
	}
	switch {
	case w.risen == 0 || w.rose(s):
		w.base = &s
	case began:
		w.base = w.top
	}
	w.top = &s
}

// rising reports whether the counter has risen shortly before T.
func (w *watched) rising(t time.Duration) bool { return w.risen > 0 && t-w.at <= leakFor }

// rose reports whether the counter has risen at a sample that it has taken.
func (w *watched) rose(s Sample) bool {
	return w.at == s.T && w.risen > max(stirs, w.counter.Noise(), 1.5*w.counter.Resolution())
}
