package runs

import (
	"errors"
	"slices"
	"time"
)

// Config is what is known of a machine beforehand. Zero fields take the
// defaults, except TankLitres.
type Config struct {
	Machine    string
	TankLitres float64       // size of the tank; 0: not known, litres by tank are absent
	Idle       time.Duration // a sortie ends when there was no work for so long; default 15 s
	Pause      time.Duration // sorties further apart are two runs; default 15 min
	MinFlow    float64       // L/min below which nothing flows; default 0.05
	MaxFlow    float64       // L/min that the pump can give at most; default 300
	Gap        time.Duration // samples further apart have a gap between them; default 3 s
	Declared   bool          // imported or declared by hand: nothing is proven by it
}

// Check tells what is wrong.
func (c Config) Check() error {
	switch {
	case c.TankLitres < 0 || c.TankLitres > 100_000:
		return errors.New("tank_l is not in 0 to 100000")
	case c.Idle < 0 || c.Idle > time.Hour:
		return errors.New("idle is not in 0s to 1h")
	case c.Pause < 0 || c.Pause > 24*time.Hour:
		return errors.New("pause is not in 0s to 24h")
	case c.MinFlow < 0 || c.MaxFlow < 0 || c.MaxFlow > mostFlow:
		return errors.New("min_flow or max_flow is not in 0 to 5000 L/min")
	}
	return nil
}

const (
	mostFlow    = 5000.0          // L/min that a pump can be configured with
	leakFor     = 3 * time.Second // so long it must flow without command to be work
	overrun     = 3 * time.Second // so long it may flow after the command has ended
	settle      = 2 * time.Second // after a silence the values come one after the other
	movedBeyond = 10.0            // metres from where the run began
	jumpSpeed   = 70.0            // m/s between two positions that can't be
	jumpFor     = 10 * time.Second
	tankRise    = 5.0 // percent that a refill raises the level at least
	maxFaults   = 8
)

// Event says that a run began, or that it has ended.
type Event struct {
	Run    Run
	Closed bool
}

// Tracker finds the runs of one machine. Its methods are called in the order
// of the samples, from one goroutine.
type Tracker struct {
	cfg     Config
	prev    *Sample // the last one
	counted *Sample // the last one with a counter's value
	open    *open   // the run that is not over

	flowSince     time.Duration // T since which it has flowed without command; 0: it does not
	before        *Sample       // the last one before that
	countedBefore *Sample       // the last one before that with a counter
	toldAt        time.Duration // T when the command last held
	told          bool
	unbelieved    bool // it claims to flow, and the tank says that it does not
}

// unasked is litres that flowed without command: by the counter, by flow and
// time, and the latter since the counter was last heard.
type unasked struct{ meter, flow, loose float64 }

func (u *unasked) add(more unasked) {
	u.meter, u.flow, u.loose = u.meter+more.meter, u.flow+more.flow, u.loose+more.loose
}

// tally is what the samples of a run add up to.
type tally struct {
	run                Run
	tank               tank
	knewCommand, told  bool
	sawFlow            bool
	hung               bool          // the sensor went on when the tank did not fall
	sure, doubt        unasked       // doubt: it may still turn out to be asked for
	doubtSince         time.Duration // T
	loose              float64       // litres by flow and time, since the counter was last heard
	commanded, flowing []Span
	fixes              int     // positions, of sorties
	reach              float64 // metres from where a sortie began
}

// unasked is litres without command, by the same meter as Run.Litres.
func (c *tally) unasked(u unasked) float64 {
	if c.run.Meter != nil {
		return u.meter + u.loose
	}
	return u.flow
}

// open is the run that is not over.
type open struct {
	tally                     // up to the last sample
	held        tally         // up to the end of the last sortie
	sortie      bool          // one is under way
	begun       time.Duration // T
	worked      time.Duration // T of the last work
	meterLast   *float64
	meterAt     time.Duration // T of meterLast
	fellAsked   float64       // litres that the tank had fallen when the command last held
	unaskedThen float64       // litres that had flowed without command then
	way         Way
	first       *Sample // of the sortie with a position
}

// New makes a tracker.
func New(cfg Config) *Tracker {
	if cfg.Idle == 0 {
		cfg.Idle = 15 * time.Second
	}
	if cfg.Pause == 0 {
		cfg.Pause = 15 * time.Minute
	}
	if cfg.MinFlow == 0 {
		cfg.MinFlow = 0.05
	}
	if cfg.Gap == 0 {
		cfg.Gap = 3 * time.Second
	}
	if cfg.MaxFlow == 0 {
		cfg.MaxFlow = 300
	}
	return &Tracker{cfg: cfg}
}

// Keep gives the samples that must be kept before s is observed, so that a
// tracker which observes only what was kept finds the same runs. It is none
// while nothing happens. The sample before the work is kept with its first,
// and the last one with a counter, because they are read against these.
func (t *Tracker) Keep(s Sample) []Sample {
	if t.open != nil {
		return []Sample{s}
	}
	if !t.claims(s) {
		return nil
	}
	if t.prev == nil || t.claims(*t.prev) {
		return []Sample{s}
	}
	if c := t.counted; t.prev.Volume == nil && c != nil && s.T-c.T <= t.cfg.Pause {
		return []Sample{*c, *t.prev, s}
	}
	return []Sample{*t.prev, s}
}

// claims tells whether a sample speaks of work, believed or not.
func (t *Tracker) claims(s Sample) bool {
	return s.Command != nil && *s.Command || t.flows(s)
}

func (t *Tracker) flows(s Sample) bool {
	if s.Flow != nil {
		return *s.Flow >= t.cfg.MinFlow
	}
	if s.Volume == nil || t.counted == nil || s.T-t.counted.T > t.cfg.Pause {
		return false
	}
	more := *s.Volume - *t.counted.Volume
	return more > 0 && more <= t.most(s.T-t.counted.T)
}

// Observe takes the next sample. One whose T lies before the last one's is
// ignored: whoever has such orders them first.
func (t *Tracker) Observe(s Sample) []Event {
	if t.prev != nil && s.T < t.prev.T {
		return nil
	}
	events := t.Tick(s.T)
	working := t.working(s)
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
	t.prev = &s
	if s.Volume != nil {
		t.counted = &s
	}
	return events
}

// Tick lets time pass: a run whose last work is longer ago than a pause is over.
func (t *Tracker) Tick(now time.Duration) []Event {
	if t.open == nil || now-t.open.worked <= t.cfg.Pause {
		return nil
	}
	return t.Finish()
}

// Finish ends the run that is open, such as at the end of a file.
func (t *Tracker) Finish() []Event {
	if t.open == nil {
		return nil
	}
	r := t.Run()
	t.open = nil
	return []Event{{Run: r, Closed: true}}
}

// Open tells whether a run is open, and whether it works now or pauses.
func (t *Tracker) Open() (open, working bool) {
	return t.open != nil, t.open != nil && t.open.sortie && (t.prev == nil || t.prev.T-t.open.worked <= t.cfg.Idle)
}

// Rename gives the open run the id that it was known by before a restart.
func (t *Tracker) Rename(id string) { t.open.run.ID = id }

// Run is the open run as it stands. While it pauses its numbers are those of
// the end of its last sortie.
func (t *Tracker) Run() Run {
	c := &t.open.tally
	if !t.open.sortie {
		c = &t.open.held
	}
	r := c.run
	r.ID = t.open.run.ID
	_, r.Working = t.Open()
	r.Faults = slices.Clone(r.Faults)
	r.Unasked = c.unasked(c.sure)
	if r.Meter != nil {
		r.Meter = new(*r.Meter + c.loose)
	}
	if c.tank.known {
		r.TankFirst, r.TankLast = new(c.tank.first), new(c.tank.low)
		r.Refills, r.Refilled = c.tank.times, c.tank.filled
		if t.cfg.TankLitres > 0 {
			r.TankFell = new(c.tank.fell() / 100 * t.cfg.TankLitres)
		}
	}
	r.Work = slices.Clone(c.commanded)
	if r.Litres() != nil {
		r.Work = slices.Clone(c.flowing)
	}
	t.judge(&r, c)
	if t.cfg.Declared {
		r.Grade, r.Reasons = Declared, append([]string{ReasonDeclared}, r.Reasons...)
	}
	return r
}

// working tells whether a sample is of work: the pump is told to run, or it
// has flowed for a while.
func (t *Tracker) working(s Sample) bool {
	if s.Command != nil && *s.Command {
		if t.unbelieved || s.T-t.flowSince > leakFor {
			t.flowSince = 0
		}
		t.told, t.toldAt, t.unbelieved = true, s.T, false
		return true
	}
	if !t.flows(s) {
		t.flowSince, t.unbelieved = 0, false
		return false
	}
	if t.flowSince == 0 {
		t.flowSince, t.before, t.countedBefore = max(1, s.T), t.prev, t.counted
	}
	if t.told && s.T-t.toldAt <= overrun {
		return true
	}
	if t.unbelieved {
		return false
	}
	return s.Command == nil || s.T-t.flowSince >= leakFor
}

func (t *Tracker) begin(s Sample) {
	o := &open{begun: s.T}
	prev, counted := t.prev, t.counted
	if t.flowSince != 0 { // it has flowed for a while
		prev, counted = t.before, t.countedBefore
		o.begun = t.flowSince
	}
	start := s.At.Add(o.begun - s.T)
	o.run = Run{ID: runID(t.cfg.Machine, start), Machine: t.cfg.Machine, Start: start, End: start, Since: start}
	if past := s.T - o.begun; past > 0 {
		o.run.Flowing, o.flowing = past, []Span{{0, past}}
	}
	since := func(at time.Duration) {
		if from := s.At.Add(at - s.T); from.Before(o.run.Since) {
			o.run.Since = from
		}
	}
	if counted != nil && s.T-counted.T <= t.cfg.Pause {
		o.meterLast, o.meterAt = counted.Volume, counted.T
		since(counted.T)
	}
	if prev != nil && prev.Tank != nil && s.T-prev.T <= t.cfg.Pause {
		o.tank.take(*prev.Tank)
		since(prev.T)
	}
	t.open = o
}
