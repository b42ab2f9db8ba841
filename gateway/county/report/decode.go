package report

import (
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/wire"
)

// Limits of a machine's clock.
const (
	tooEarly = 10 * time.Minute    // ahead of the collector's
	tooLate  = 14 * 24 * time.Hour // behind it: reports may wait for a link so long
)

// when returns the time of a report. If its own can't be right, wrong is true and
// the time is that of its arrival.
func when(r wire.Report, received time.Time) (at time.Time, wrong bool) {
	if r.At == nil {
		return received, false
	}
	if r.At.After(received.Add(tooEarly)) || r.Import == nil && r.At.Before(received.Add(-tooLate)) {
		return received, true
	}
	return r.At.Time, false
}

// points returns a report's points without the values that can't be true, and
// what is wrong with those.
func points(r wire.Report) (out []wire.TrackPoint, bad []error) {
	out = r.Points
	if r.Import == nil {
		out = []wire.TrackPoint{{Values: r.Values}}
	}
	for i := range out {
		bad = append(bad, runs.Clean(&out[i].Values)...)
	}
	return out, bad
}
