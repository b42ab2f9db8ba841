package agent

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/sense"
	"gatehouse/gateway/wire"
)

// Screen is what the guard looks at. The record loop calls it, in order; it
// must not wait.
type Screen interface {
	// Passage shows a verdict that the journal holds. at is when it was given.
	Passage(at clock.Moment, seq uint64, p wire.Passage)
	// Earlier takes a verdict of before a restart, so that nobody who must be
	// dealt with is forgotten. at is when it was given, or zero where the clocks
	// do not tell.
	Earlier(at clock.Moment, seq uint64, p wire.Passage)
	// Status shows how the gate stands: at each change, and every second.
	Status(at clock.Moment, s Status)
}

// Status is how the gate stands.
type Status struct {
	Devices   []DeviceStatus
	Lanes     []string      // names, where there are several
	Measuring []string      // lanes in which somebody stands at a thermometer and is not measured yet
	Measured  []string      // lanes in which somebody does who was: only who steps back is measured again
	Prompts   []gate.Prompt // what people in the lanes are asked to do
	Linked    bool          // the county answers
	Pending   uint64        // records that the county has not acknowledged
	Oldest    time.Time     // when the oldest of them was taken, at most 10 s ago; zero: none waits
	FullIn    time.Duration // until the disk is full if nothing is acknowledged; 0: not known
	Unkept    string        // why records can't be kept, or ""
	// Answered are the passages that the guard dealt with before a restart.
	Answered []uint64
}

// DeviceStatus is one device as the screen shows it.
type DeviceStatus struct {
	Name  string
	Lane  string
	Kind  devices.Kind
	State fact.DeviceState // ok, fault, gone
	Idle  time.Duration    // since it last said anything
}

// linkState is what the ship loop leaves for the screen.
type linkState struct {
	mu sync.Mutex
	up bool
}

func (l *linkState) set(up bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = up
}

func (l *linkState) get() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up
}

// note is something the guard did, on its way into the journal.
type note struct {
	audit wire.Audit
	kept  chan error
}

// Note journals what the guard did. It returns when the journal has it.
func (a *Agent) Note(ctx context.Context, audit wire.Audit) error {
	n := note{audit: audit, kept: make(chan error, 1)}
	select {
	case a.notes <- n:
	case <-ctx.Done():
		return fmt.Errorf("keep what the guard did: %w", ctx.Err())
	}
	select {
	case err := <-n.kept:
		return err
	case <-ctx.Done():
		return fmt.Errorf("keep what the guard did: %w", ctx.Err())
	}
}

// Buzz sounds the buzzer once, as for a fever: the screen calls it while an
// alarm waits and no page is there to sound.
func (a *Agent) Buzz() {
	c := cues[fact.VerdictFever]
	c.hold = 2 * time.Second
	for _, out := range a.outputs {
		a.cue(out.lane, c)
	}
}

// cue sends a cue to the outputs of a lane.
func (a *Agent) cue(lane string, c cue) {
	for _, out := range a.outputs {
		if out.lane != "" && out.lane != lane {
			continue
		}
		select {
		case out.cues <- c:
		default: // four cues wait already; the newest of them will be shown
		}
	}
}

// noted journals what the guard did.
func (r *recorder) noted(n note) {
	_, err := r.journal.Append(r.opts.Clock.Now(), &n.audit)
	if err != nil {
		err = fmt.Errorf("keep what the guard did: %w", err)
		r.log.Error("an answer of the guard could not be kept", "action", n.audit.Action, "err", err)
	}
	r.gate.Answered(r.given.readings(n.audit.Passage))
	n.kept <- err
}

// show tells the screen how the gate stands.
func (r *recorder) show(now clock.Moment) {
	if r.opts.Screen == nil {
		return
	}
	last := r.journal.Last()
	s := Status{Prompts: r.gate.Prompts(), Linked: r.link.get(), Pending: last - min(last, r.journal.State().Through), Oldest: r.oldest,
		FullIn: r.space.FullIn, Unkept: r.board.detail(fact.AlarmJournalWrite), Answered: r.answered}
	if len(r.cfg.Lanes) > 1 {
		for _, l := range r.cfg.Lanes {
			s.Lanes = append(s.Lanes, l.Name)
		}
	}
	for _, in := range r.inputs {
		s.Devices = append(s.Devices, DeviceStatus{Name: in.cfg.Name, Lane: in.lane.Name, Kind: in.model.Kind,
			State: in.state, Idle: now.Boot - max(in.heard, r.began)})
		switch in.presence {
		case sense.Measuring:
			s.Measuring = append(s.Measuring, in.lane.Name)
		case sense.Measured:
			s.Measured = append(s.Measured, in.lane.Name)
		}
	}
	r.opts.Screen.Status(now, s)
}

// prompt shows and sounds what people are asked to do, where that has changed.
func (r *recorder) prompt(now clock.Moment) {
	before, after := r.prompts, r.gate.Prompts()
	if reflect.DeepEqual(before, after) {
		return
	}
	r.prompts = after
	for _, p := range after {
		same := func(x gate.Prompt) bool { return x.Reading == p.Reading && x.Wants == p.Wants }
		if (p.Wants == gate.WantsCard || p.Wants == gate.WantsTemperature) && !slices.ContainsFunc(before, same) {
			r.cue(p.Lane, prompting)
		}
	}
	r.show(now)
}

// reshow shows the screen the last passages that the journal holds.
func (r *recorder) reshow(now clock.Moment, last []earlier) {
	if r.opts.Screen == nil {
		return
	}
	for _, e := range last {
		var at clock.Moment
		age := now.Wall.Sub(e.rec.At.Time)
		if e.thisBoot {
			age = now.Boot - time.Duration(e.rec.BootNS)
		}
		if age >= 0 { // a clock that is behind does not tell how long ago it was
			at = clock.Moment{Wall: now.Wall.Add(-age), Boot: now.Boot - age}
		}
		r.opts.Screen.Earlier(at, e.rec.Seq, *e.passage)
	}
}
