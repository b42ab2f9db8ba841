package agent

import (
	"slices"

	"gatehouse/gateway/clock"
)

// recording are the parts that read the devices and the machines, and that record. The others
// wait for the county or for the disk: a restart would help neither, and would lose the records
// that wait in memory for a disk that does not answer.
var recording = []string{"bridge", "recorder", partRetire, "station"}

// Records reports whether the agent takes records: what its journal holds was taken over. A
// gate that is taken out of service for good, and takes none any more, does its work too. It may
// be called from any goroutine.
func (a *Agent) Records() bool { return a.begun.Load() || a.ends() }

// Stuck returns which parts that record have not turned for status.StuckAfter; none while all
// goes on. It may be called from any goroutine.
func (a *Agent) Stuck(now clock.Moment) (parts []string) {
	return slices.DeleteFunc(a.board.Stuck(now), func(part string) bool { return !slices.Contains(recording, part) })
}
