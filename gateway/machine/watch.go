package machine

import (
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

const (
	goneAfter = 15 * time.Second // a machine without a sample for so long is gone
	// near is how far rounding and the turn of a second can move the begin of a run
	// that is found again.
	near = 5 * time.Second
	// epoch is added to the boot clock, so that a time before the last boot has a T
	// above zero, too.
	epoch = 100_000 * time.Hour
)

// Watch follows one machine at its bridge: it takes samples and returns the
// bodies of the records to keep. It has no clock and does no I/O. It is for one
// goroutine.
type Watch struct {
	cfg    Config
	source string
	bootID string
	fuser  runs.Fuser
	runs   *Recorder
	last   runs.Sample  // the newest
	heard  bool         // there was one
	count  *runs.Sample // the newest with a counter's value
}

// NewWatch returns a watch; bootID names the boot that the clock counts from.
func NewWatch(cfg Config, source, bootID string) *Watch {
	return &Watch{cfg: cfg, source: source, bootID: bootID, runs: NewRecorder(cfg, source)}
}

// Machine returns the machine's id.
func (w *Watch) Machine() string { return w.cfg.Machine }

// Take adds values of the present moment. It drops those that can't be true, and
// returns what is wrong with them.
func (w *Watch) Take(now clock.Moment, s runs.Sample) []error {
	s.At, s.T = now.Wall, epoch+now.Boot
	bad := s.Clean()
	if !s.Empty() || len(s.Lost) > 0 {
		w.fuser.Take(s)
	}
	return bad
}

// Turn is called every second. It returns the records to keep, in their order.
func (w *Watch) Turn(now clock.Moment) []wire.Body {
	t := epoch + now.Boot
	s, ok := w.fuser.Sample(now.Wall, t)
	if !ok {
		return w.runs.Tick(t)
	}
	return w.Observe(s, now)
}

// Observe takes one whole sample, such as of a recording. Turn does it for live
// values.
func (w *Watch) Observe(s runs.Sample, now clock.Moment) []wire.Body {
	w.last, w.heard = s, true
	if s.Volume != nil {
		w.count = new(s)
	}
	// A run that has ended is recorded before the first sample of the next one.
	out := w.runs.Tick(s.T)
	if keep := w.runs.tracker.Keep(s); len(keep) > 0 {
		track := w.track(keep...)
		out = append(out, &track)
		// Observe what a restart would read, to the last digit: otherwise the run
		// that is found again would begin a moment earlier or later.
		s = Sample(track.Points[len(track.Points)-1], track.At.Time, keep[0].T)
	}
	return append(out, w.runs.Observe(s)...)
}

// Finish ends the run that is open, at the end of a recording.
func (w *Watch) Finish() []wire.Body { return w.runs.Finish() }

// Past is what a restarted bridge finds in its journal of one machine: the
// tracks since its last run has ended.
type Past struct {
	tracks []*wire.Track
	known  map[string]fact.RunState
	open   string // id of the run that was recorded last, if it has not ended
	last   *wire.Track
}

// Last returns the newest sample, after the newest one with a counter's value, to
// be handed to Past.Last after a restart; ok is false before the first sample.
func (w *Watch) Last() (t wire.Track, ok bool) {
	switch {
	case !w.heard:
		return wire.Track{}, false
	case w.count != nil && w.last.Volume == nil:
		return w.track(*w.count, w.last), true
	}
	return w.track(w.last), true
}

// track returns the track that begins with samples.
func (w *Watch) track(samples ...runs.Sample) wire.Track {
	first := samples[0]
	t := wire.Track{Machine: w.cfg.Machine, Source: w.source, At: wire.At(first.At),
		BootID: w.bootID, BootNS: int64(first.T - epoch)}
	for _, s := range samples {
		t.Points = append(t.Points, Point(s, first.T))
	}
	return t
}

// Track adds a track record, in the journal's order.
func (p *Past) Track(t *wire.Track) { p.tracks = append(p.tracks, t) }

// Run adds a run record.
func (p *Past) Run(r *wire.Run) {
	if p.known == nil {
		p.known = map[string]fact.RunState{}
	}
	p.known[r.ID], p.open = r.State, r.ID
	if r.State != fact.RunOpen {
		p.tracks, p.open = nil, ""
	}
}

// Last sets what Watch.Last returned last. It is not in the journal when the
// machine did not work.
func (p *Past) Last(t *wire.Track) { p.last = t }

// Restore continues where an earlier run of the bridge stopped, and returns the
// records that it had not written.
func (w *Watch) Restore(now clock.Moment, p Past) (out []wire.Body) {
	take := func(events []runs.Event) {
		for _, e := range events {
			if !e.Closed && p.open != "" {
				// After a reboot durations come from the wall clock: the run may be
				// found to begin one sample earlier or later. It is the same one.
				w.runs.tracker.Rename(p.open)
				e.Run.ID, p.open = p.open, ""
			}
			state, written := p.known[e.Run.ID]
			if !written || e.Closed && state == fact.RunOpen {
				out = append(out, w.runs.records([]runs.Event{e}, epoch+now.Boot)...)
			}
		}
	}
	for _, t := range p.tracks {
		for _, s := range w.samples(now, t) {
			take(w.runs.tracker.Observe(s))
			w.runs.adoptBy = s.T + near
		}
	}
	if p.last != nil {
		for _, s := range w.samples(now, p.last) {
			if w.runs.tracker.Keep(s) == nil { // otherwise it is in the journal
				w.runs.tracker.Observe(s)
			}
		}
	}
	w.runs.adopt = p.open
	return out
}

// samples returns the points of a track with their times on the clock of now.
func (w *Watch) samples(now clock.Moment, t *wire.Track) (out []runs.Sample) {
	begin := epoch + time.Duration(t.BootNS)
	if t.BootID != w.bootID {
		begin = epoch + now.Boot - now.Wall.Sub(t.At.Time)
	}
	for _, point := range t.Points {
		out = append(out, Sample(point, t.At.Time, begin))
	}
	return out
}

// Beat returns the machine's state for the heartbeat.
func (w *Watch) Beat(now clock.Moment) wire.BeatMachine {
	b := wire.BeatMachine{Machine: w.cfg.Machine, Name: w.cfg.Name, Type: w.cfg.Type,
		State: fact.MachineGone, IdleS: -1}
	open, working := w.runs.Open()
	if open {
		b.Run = w.runs.Run().ID
	}
	if !w.heard {
		b.IdleS = 0
		return b
	}
	idle := epoch + now.Boot - w.last.T
	b.IdleS = int64(idle / time.Second)
	b.Battery, b.Tank, b.Fault = round(w.last.Battery, 10), round(w.last.Tank, 100), w.last.Fault
	b.Lat, b.Lon = round(w.last.Lat, 1e7), round(w.last.Lon, 1e7)
	switch {
	case idle > goneAfter:
	case w.last.Fault != "":
		b.State = fact.MachineFault
	case working:
		b.State = fact.MachineWorking
	case open:
		b.State = fact.MachinePaused
	default:
		b.State = fact.MachineIdle
	}
	return b
}
