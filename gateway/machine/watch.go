package machine

import (
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

const (
	tellEvery = 10 * time.Second // an open run is written again
	goneAfter = 15 * time.Second // a machine that says nothing for so long is gone
	beside    = 5 * time.Second  // how far rounding and a second's turn can move a begin
	// epoch is added to the boot clock, so that what came before the last boot
	// has a T above zero, too.
	epoch = 100_000 * time.Hour
)

// Watch follows one machine at its bridge: samples come in, and the bodies of
// the records that must be kept go out. It has no clock and does no I/O.
type Watch struct {
	cfg     Config
	source  string
	bootID  string
	fuser   runs.Fuser
	tracker *runs.Tracker
	told    time.Duration // T when the open run was last written
	last    runs.Sample   // the newest
	heard   bool

	// A run that an earlier bridge has written as open, and that its tracks do
	// not show yet: rounding can put its begin beside the restart.
	owed   string
	owedBy time.Duration // T until which a run that begins is this one
}

// NewWatch makes a watch; bootID names the boot that the clock counts from.
func NewWatch(cfg Config, source, bootID string) *Watch {
	return &Watch{cfg: cfg, source: source, bootID: bootID, tracker: runs.New(cfg.Runs())}
}

// Machine is its id.
func (w *Watch) Machine() string { return w.cfg.Machine }

// Take notes what a source said just now, and tells which of its values can't
// be true; those are dropped.
func (w *Watch) Take(now clock.Moment, s runs.Sample) []error {
	s.At, s.T = now.Wall, epoch+now.Boot
	bad := s.Clean()
	if !s.Empty() {
		w.fuser.Take(s)
	}
	return bad
}

// Turn is called every second. It gives the records to keep, in this order.
func (w *Watch) Turn(now clock.Moment) []wire.Body {
	t := epoch + now.Boot
	s, ok := w.fuser.Sample(now.Wall, t)
	if !ok {
		return w.bodies(w.tracker.Tick(t), t)
	}
	return w.Observe(s, now)
}

// Observe takes one whole sample, such as of a recording; Turn does for what
// comes live.
func (w *Watch) Observe(s runs.Sample, now clock.Moment) []wire.Body {
	w.last, w.heard = s, true
	// A run that has ended is written before the first sample of the next.
	out := w.bodies(w.tracker.Tick(s.T), s.T)
	if keep := w.tracker.Keep(s); len(keep) > 0 {
		track := &wire.Track{Machine: w.cfg.Machine, Source: w.source, At: wire.At(keep[0].At), BootID: w.bootID, BootNS: int64(keep[0].T - epoch)}
		for _, k := range keep {
			track.Points = append(track.Points, Point(k, keep[0].T))
		}
		out = append(out, track)
		// What is observed is what a restart would read, to the last digit: or
		// the run that it finds again would begin a moment beside this one.
		s = Sample(track.Points[len(track.Points)-1], track.At.Time, keep[0].T)
	}
	out = append(out, w.bodies(w.tracker.Observe(s), s.T)...)
	if open, _ := w.tracker.Open(); open && s.T-w.told >= tellEvery {
		w.told = s.T
		out = append(out, w.cfg.Body(w.source, w.tracker.Run(), fact.RunOpen))
	}
	return out
}

// Finish ends what is open, at the end of a recording.
func (w *Watch) Finish() []wire.Body { return w.bodies(w.tracker.Finish(), 0) }

func (w *Watch) bodies(events []runs.Event, t time.Duration) (out []wire.Body) {
	for _, e := range events {
		state := fact.RunOpen
		if e.Closed {
			state = fact.RunClosed
		}
		if !e.Closed && w.owed != "" {
			if t <= w.owedBy {
				w.tracker.Rename(w.owed)
				e.Run.ID = w.owed
			}
			w.owed = ""
		}
		w.told = t
		out = append(out, w.cfg.Body(w.source, e.Run, state))
	}
	return out
}

// Past is what a restarted bridge finds in its journal of one machine: the
// tracks since its last run was over.
type Past struct {
	tracks []*wire.Track
	known  map[string]fact.RunState
	open   string // id of the run that was written last and is not over
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

// Restore takes up where an earlier run of the bridge stopped, and gives the
// records that it had not written.
func (w *Watch) Restore(now clock.Moment, p Past) (out []wire.Body) {
	take := func(events []runs.Event) {
		for _, e := range events {
			if !e.Closed && p.open != "" {
				// After a reboot durations come from the wall clock: the run may
				// be found to begin a sample beside. It is the same one.
				w.tracker.Rename(p.open)
				e.Run.ID, p.open = p.open, ""
			}
			state, written := p.known[e.Run.ID]
			if !written || e.Closed && state == fact.RunOpen {
				out = append(out, w.bodies([]runs.Event{e}, epoch+now.Boot)...)
			}
		}
	}
	for _, t := range p.tracks {
		begin := epoch + time.Duration(t.BootNS)
		if t.BootID != w.bootID {
			begin = epoch + now.Boot - now.Wall.Sub(t.At.Time)
		}
		for _, point := range t.Points {
			s := Sample(point, t.At.Time, begin)
			take(w.tracker.Observe(s))
			w.owedBy = s.T + beside
		}
	}
	w.owed = p.open
	return out
}

// Beat is how the machine stands, for the heartbeat.
func (w *Watch) Beat(now clock.Moment) wire.BeatMachine {
	b := wire.BeatMachine{Machine: w.cfg.Machine, Name: w.cfg.Name, Type: w.cfg.Type, State: fact.MachineGone, IdleS: -1}
	open, working := w.tracker.Open()
	if open {
		b.Run = w.tracker.Run().ID
	}
	if !w.heard {
		b.IdleS = 0
		return b
	}
	idle := epoch + now.Boot - w.last.T
	b.IdleS = int64(idle / time.Second)
	b.Battery, b.Tank, b.Lat, b.Lon, b.Fault = round(w.last.Battery, 10), round(w.last.Tank, 100), round(w.last.Lat, 1e7), round(w.last.Lon, 1e7), w.last.Fault
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
