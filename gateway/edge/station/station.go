// Package station runs a gate: it turns what its devices yield into readings,
// records them, decides on them, records the decisions, and drives the outputs.
package station

import (
	"context"
	"image"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
)

// part is the station's name on the board.
const part = "station"

const turnEvery = time.Second

// Journal keeps records.
type Journal interface {
	// Append records a body and returns its seq; what can't be kept is a recorded
	// loss with that seq.
	Append(now clock.Moment, body wire.Body) (seq uint64)
	// TryAppend records a body, or returns an error.
	TryAppend(now clock.Moment, body wire.Body) (seq uint64, err error)
}

// Screen shows verdicts to the guard. The station calls it from one goroutine,
// in order; it must not wait.
type Screen interface {
	// Passage shows a verdict that the journal holds, given at at.
	Passage(at clock.Moment, seq uint64, p wire.Passage)
	// Earlier takes a verdict of before a restart, so that nobody who still needs
	// the guard is forgotten. at is when it was given, or zero where the clocks
	// can't say. The guard has dealt with it when answered is true.
	Earlier(at clock.Moment, seq uint64, p wire.Passage, answered bool)
}

// Counter counts completed readings before they are recorded, for the proof.
type Counter interface{ Add(reading []byte) error }

// Codes knows what is in the codes of cards and of signed passes.
type Codes interface {
	// Pseudonym returns what replaces a code everywhere outside this process.
	Pseudonym(kind, code string) string
	// Others returns the pseudonyms of a code by the gate's former and next keys.
	Others(kind, code string) []string
	// Pass returns what a code says that claims to be a signed pass, and why it does not
	// count at this gate; nil and no fault for any other code.
	Pass(code string) (*wire.Pass, fact.PassFault)
}

// Options of a station.
type Options struct {
	Rules   *policy.Rules
	Zone    *time.Location // of the county: the days of cards are its days
	Codes   Codes
	Ports   devices.Ports
	Journal Journal
	Board   *status.Board
	Screen  Screen // may be nil
	Asks    bool   // the guard can answer at the screen
	// Picture returns what a display of the configuration shows now. It must not wait. It
	// is called from that display's goroutine; nil: the gate has no displays.
	Picture func(device string) image.Image
	Ledger  Counter // may be nil
	// OnPassage is called with each passage, from the station's goroutine; it must
	// not wait. May be nil.
	OnPassage func(seq uint64, p wire.Passage)
	Clock     clock.Source
	BootID    string // names what the boot clock counts from
	Log       *slog.Logger
}

// Station runs the devices of one gate. Run owns one goroutine for each sensor,
// which only reads it, one for each display, which only draws on it, one for each
// output, which only shows what comes through its channel, and the loop, to which
// everything else belongs. Until the past is restored that belongs to the goroutine
// that restores it. Only Note and Buzz may be called from any goroutine.
type Station struct {
	opts    Options
	log     *slog.Logger
	began   time.Duration // boot clock
	gate    *gate.Gate
	inputs  []*input
	outputs outputs
	others

	past    past     // of before the restart; empty after Begin
	recent  passages // the newest passages
	post    *post.Post
	told                  // what people were told last
	decided time.Duration // boot clock of the newest reading that the gate has taken
}

// others is what other goroutines use.
type others struct {
	notes chan note                    // what the guard did, on its way to the loop
	rules atomic.Pointer[policy.Rules] // in force
}

// told is what people were told last.
type told struct {
	prompts []gate.Prompt // as they were sounded
	lanes   []string      // names of the lanes, where there are several
	leavers leavers       // whom the county was told about
}

// New makes the drivers of the devices; it opens no port yet. The configuration
// must be one that Check accepts.
func New(cfg Config, opts Options) (*Station, error) {
	s := &Station{opts: opts, log: opts.Log, began: opts.Clock.Now().Boot, others: others{notes: make(chan note)},
		gate: gate.New(gate.Config{Rules: opts.Rules, Zone: opts.Zone, Lanes: cfg.lanes()})}
	s.rules.Store(opts.Rules)
	s.post = post.New(post.Config{Rules: opts.Rules.Post, Zone: opts.Zone, Guards: opts.Rules.Guards.IDs(),
		Asks: opts.Asks, Cards: opts.Rules.Guards.HaveCards() && slices.ContainsFunc(cfg.Devices, Device.reads)},
		opts.Clock.Now())
	if len(cfg.Lanes) > 1 {
		for _, l := range cfg.Lanes {
			s.lanes = append(s.lanes, l.Name)
		}
	}
	return s, s.makeDevices(cfg)
}

// Has reports whether the configuration lists a device.
func (s *Station) Has(device string) bool {
	return slices.ContainsFunc(s.inputs, func(in *input) bool { return in.cfg.Name == device }) ||
		slices.ContainsFunc(s.outputs, func(out *output) bool { return out.name == device })
}

// Run runs the gate until ctx ends, and returns when everything it started has
// ended. It opens the devices at once, and takes what they yield after restored is
// closed, which follows Begin.
func (s *Station) Run(ctx context.Context, restored <-chan struct{}) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, out := range s.outputs {
		wg.Go(func() { out.drive(ctx, s.log) })
	}
	arrivals := make(chan arrival, 16)
	for _, in := range s.inputs {
		wg.Go(func() { in.read(ctx, arrivals, s.log) })
	}
	select {
	case <-restored:
		s.loop(ctx, arrivals)
	case <-ctx.Done():
	}
}

// loop takes everything that happens at the gate, in order.
func (s *Station) loop(ctx context.Context, arrivals <-chan arrival) {
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for {
		if at, ok := s.gate.Next(); ok {
			due.Reset(max(0, at-s.opts.Clock.Now().Boot))
		}
		select {
		case <-ctx.Done():
			return
		case x := <-arrivals:
			s.arrived(s.opts.Clock.Now(), x)
		case <-due.C:
			s.drain(arrivals) // what came in time counts, however long the loop was held up
			s.tick(s.opts.Clock.Now())
		case <-turn.C:
			s.turn(s.opts.Clock.Now())
		case n := <-s.notes:
			now := s.opts.Clock.Now()
			s.note(now, n)
			s.prompt()
		}
	}
}

// drain takes what devices have yielded already.
func (s *Station) drain(arrivals <-chan arrival) {
	for {
		select {
		case x := <-arrivals:
			s.arrived(s.opts.Clock.Now(), x)
		default:
			return
		}
	}
}

// tick lets time pass at the gate.
func (s *Station) tick(now clock.Moment) {
	s.decided = max(s.decided, now.Boot)
	s.apply(now, time.Time{}, s.gate.Tick(now))
	s.prompt()
}

// turn does what is due every second.
func (s *Station) turn(now clock.Moment) {
	for _, in := range s.inputs {
		if in.meter != nil && in.state == fact.DeviceOK {
			s.watch(now, in)
		}
	}
	s.gate.SetSynchronised(now, s.opts.Clock.Synchronised())
	s.confirmReaders(now)
	s.keepUsual(now)
	s.watchChecks(now)
	s.post.Tick(now, s.sees(), s.opts.Clock.Synchronised())
	s.tell(now)
	s.publish()
	s.opts.Board.SetTurned(part, now)
}

// keepUsual records what is usual at the gate, where that is due.
func (s *Station) keepUsual(now clock.Moment) {
	for _, b := range s.gate.Baselines(now) {
		s.opts.Journal.Append(now, b)
	}
}
