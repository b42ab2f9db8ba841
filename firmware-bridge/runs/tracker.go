package runs

import (
	"slices"
	"time"

	"gatehouse/firmware-bridge/meter"
)

// Event reports that a run began, or that it has ended.
type Event struct {
	Run    Run
	Closed bool
}

// Tracker finds the runs of one machine. Its methods are called in the order
// of the samples, from one goroutine.
type Tracker struct {
	cfg     Config
	prev    *Sample // the last sample
	counter watched
	last    latest
	open    *openRun // nil while no run is open

	// flowSince is the T since which it has flowed without command, 0 while it
	// does not. The two samples are the last ones before that.
	flowSince     time.Duration
	before        *Sample
	countedBefore *Sample // the one from whose counter a run counts
	early         odometer

	commanded  bool          // the pump has been told to run
	commandAt  time.Duration // T of the last sample that said so
	distrusted bool          // the flow sensor reports flow, and the tank does not fall
}

// latest is what the last sample was.
type latest struct {
	worked  bool // it was of work
	claimed bool // it showed work, trusted or not
	kept    bool // Keep returned it
}

// New returns a tracker of one machine.
func New(cfg Config) *Tracker {
	cfg = cfg.withDefaults()
	return &Tracker{cfg: cfg, counter: watched{cfg: cfg, counter: meter.New(cfg.counter())}}
}

// Keep returns the samples to store before s is observed, so that a tracker
// which observes only what was stored finds the same runs; nil while nothing
// happens. The sample before the work is stored with the work's first one, and
// the one from whose counter it counts, because work is measured from these, with those
// that show that the counter has gone on from there.
func (t *Tracker) Keep(s Sample) []Sample {
	if t.open != nil {
		return []Sample{s}
	}
	if !t.claims(s) {
		return nil
	}
	if t.prev == nil || t.last.kept {
		return []Sample{s}
	}
	var kept []Sample
	if c := t.counter.base; c != nil && s.T-c.T <= t.cfg.Pause {
		kept = append([]Sample{*c}, t.counter.doubted...)
	}
	kept = slices.DeleteFunc(kept, func(k Sample) bool { return k.T >= t.prev.T })
	return append(kept, *t.prev, s)
}

// claims reports whether a sample shows work, trusted or not.
func (t *Tracker) claims(s Sample) bool {
	return s.Command != nil && *s.Command || t.flows(s)
}

// flows reports whether a sample shows flow, by its flow or by its counter.
func (t *Tracker) flows(s Sample) bool {
	if s.Flow != nil {
		return *s.Flow >= t.cfg.MinFlow
	}
	if base := t.counter.base; s.Volume == nil || base == nil || s.T-base.T > t.cfg.Pause {
		return false
	}
	w := t.counter // a copy: the sample is not observed yet
	w.ended = false
	w.take(s)
	return w.rose(s)
}

// Observe takes the next sample and returns what it began or ended. A sample
// whose T lies before the last one's is ignored: callers put them in order.
func (t *Tracker) Observe(s Sample) []Event {
	if t.prev != nil && s.T < t.prev.T {
		return nil
	}
	t.last.kept = t.open != nil
	events := t.Tick(s.T)
	t.last.claimed = t.claims(s)
	t.last.kept = t.last.kept || t.last.claimed
	working := t.working(s)
	t.moveEarly(s)
	begins := working && t.open == nil
	if begins {
		t.begin(s)
	}
	if s.Command != nil && *s.Command {
		t.flowSince = 0
	}
	if t.open != nil {
		t.add(s, working)
	}
	if begins {
		events = append(events, Event{Run: t.Run()})
	}
	t.counter.note(working || t.open != nil || t.flowSince != 0)
	t.prev, t.last.worked = &s, working
	if s.Volume != nil {
		t.counter.take(s)
	}
	return events
}

// moveEarly follows the positions while it flows without command, before that is
// believed to be work.
func (t *Tracker) moveEarly(s Sample) {
	if t.flowSince == 0 || t.open != nil {
		return
	}
	if t.flowSince == max(1, s.T) {
		t.early = odometer{}
	} else if t.prev != nil {
		past := (s.T - t.prev.T).Seconds()
		t.early.pass(share{all: past, worked: past})
	}
	if s.Lat != nil && s.Lon != nil {
		t.early.take(s)
	}
}

// Tick ends the open run when its last work is longer ago than a pause. A command
// that holds is work although it is not repeated.
func (t *Tracker) Tick(now time.Duration) []Event {
	if t.open == nil {
		return nil
	}
	last := t.open.worked
	if t.holds() {
		last = max(last, min(now, t.prev.T+t.cfg.Holds))
	}
	if now-last <= t.cfg.Pause {
		return nil
	}
	if t.holds() {
		t.hold()
	}
	return t.Finish()
}

// Finish ends the open run, such as at the end of a file.
func (t *Tracker) Finish() []Event {
	if t.open == nil {
		return nil
	}
	r := t.Run()
	t.open = nil
	return []Event{{Run: r, Closed: true}}
}

// Open reports whether a run is open, and whether it works now or pauses.
func (t *Tracker) Open() (open, working bool) {
	if t.open == nil {
		return false, false
	}
	return true, t.open.sortie && (t.prev == nil || t.prev.T-t.open.worked <= t.cfg.Idle)
}

// Rename sets the id of the open run, to the one that it had before a restart.
func (t *Tracker) Rename(id string) { t.open.run.ID = id }

// working reports whether a sample is of work: the pump is told to run, or it
// has flowed for a while.
func (t *Tracker) working(s Sample) bool {
	if s.Command != nil && *s.Command {
		if t.distrusted || s.T-t.flowSince > leakFor {
			t.flowSince = 0
		}
		t.commanded, t.commandAt, t.distrusted = true, s.T, false
		return true
	}
	if !t.last.claimed {
		if s.Flow != nil || !t.counter.rising(s.T) { // between two steps of a counter it goes on
			t.flowSince, t.distrusted = 0, false
		}
		return false
	}
	if t.flowSince == 0 {
		t.flowSince, t.before, t.countedBefore = max(1, s.T), t.prev, t.counter.base
	}
	if t.commanded && s.T-t.commandAt <= overrun {
		return true
	}
	if t.distrusted {
		return false
	}
	return s.Command == nil || s.T-t.flowSince >= leakFor
}

// begin opens a run with a sample of work. Its counter and its level count from
// the sample before the work, where that is no longer ago than a pause.
func (t *Tracker) begin(s Sample) {
	o := &openRun{begun: s.T}
	prev, counted := t.prev, t.counter.base
	if t.flowSince != 0 { // it has flowed for a while
		prev, counted = t.before, t.countedBefore
		o.begun = t.flowSince
	}
	start := s.At.Add(o.begun - s.T)
	o.run = Run{ID: runID(t.cfg.Machine, start), Machine: t.cfg.Machine, Start: start, End: start, Since: start}
	if past := s.T - o.begun; past > 0 {
		o.flows(Span{0, past})
		o.odometer = t.early
	}
	since := func(at time.Duration) {
		if from := s.At.Add(at - s.T); from.Before(o.run.Since) {
			o.run.Since = from
		}
	}
	if counted == nil || s.T-counted.T > t.cfg.Pause {
		counted = prev // it has crept up for so long
	}
	if counted != nil && counted.Volume != nil && s.T-counted.T <= t.cfg.Pause {
		o.reader.take(t.cfg, *counted)
		since(counted.T)
	}
	if prev != nil && prev.Tank != nil && s.T-prev.T <= t.cfg.Pause {
		o.tank.add(*prev.Tank)
		since(prev.T)
	}
	o.flow.metered = prev != nil && (prev.Flow != nil || prev.Volume != nil)
	t.open = o
}

// Segment returns the runs of a recording, whose samples are in the order of T.
func Segment(cfg Config, samples []Sample) []Run {
	t := New(cfg)
	var out []Run
	add := func(events []Event) {
		for _, e := range events {
			if e.Closed {
				out = append(out, e.Run)
			}
		}
	}
	for _, s := range samples {
		add(t.Observe(s))
	}
	add(t.Finish())
	return out
}
