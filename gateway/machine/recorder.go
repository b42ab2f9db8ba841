package machine

import (
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// recordEvery is how often an open run is recorded again.
const recordEvery = 10 * time.Second

// Recorder finds the runs in one machine's samples and returns the records of
// them: one when a run begins, one every 10 s while it is open, one when it has
// ended. It has no clock and does no I/O. It is for one goroutine.
type Recorder struct {
	cfg      Config
	source   string
	tracker  *runs.Tracker
	recorded time.Duration // T when the open run was last recorded

	// adopt is the id of a run that was recorded as open before a restart and is
	// not found again yet: a run that begins until T adoptBy is that one.
	adopt   string
	adoptBy time.Duration
}

// NewRecorder returns a recorder of samples from source.
func NewRecorder(cfg Config, source string) *Recorder {
	return &Recorder{cfg: cfg, source: source, tracker: runs.New(cfg.RunsOf(source))}
}

// Observe takes the next sample. One that is older than the last is ignored.
func (r *Recorder) Observe(s runs.Sample) []wire.Body {
	out := r.records(r.tracker.Observe(s), s.T)
	if open, _ := r.tracker.Open(); open && s.T-r.recorded >= recordEvery {
		r.recorded = s.T
		out = append(out, r.Run())
	}
	return out
}

// Tick is called when time has passed without a sample.
func (r *Recorder) Tick(t time.Duration) []wire.Body { return r.records(r.tracker.Tick(t), t) }

// Finish ends the run that is open, at the end of a recording.
func (r *Recorder) Finish() []wire.Body { return r.records(r.tracker.Finish(), 0) }

// Open reports whether a run is open, and whether the machine works now.
func (r *Recorder) Open() (open, working bool) { return r.tracker.Open() }

// Run returns the record of the open run.
func (r *Recorder) Run() *wire.Run { return r.cfg.Body(r.source, r.tracker.Run(), fact.RunOpen) }

func (r *Recorder) records(events []runs.Event, t time.Duration) (out []wire.Body) {
	for _, e := range events {
		state := fact.RunOpen
		if e.Closed {
			state = fact.RunClosed
		}
		if !e.Closed && r.adopt != "" {
			if t <= r.adoptBy {
				r.tracker.Rename(r.adopt)
				e.Run.ID = r.adopt
			}
			r.adopt = ""
		}
		r.recorded = t
		out = append(out, r.cfg.Body(r.source, e.Run, state))
	}
	return out
}
