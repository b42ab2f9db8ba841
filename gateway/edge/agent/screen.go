package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse/devices"
	"gatehouse/devices/detect"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// Screen is what the guard looks at. The record loop calls it, in order; it
// must not wait.
type Screen interface {
	// Passage shows a verdict that the journal holds. at is when it was given;
	// after a restart the last ones are shown again, so that nobody who must be
	// dealt with is forgotten.
	Passage(at clock.Moment, seq uint64, p wire.Passage)
	// Status shows how the gate stands: at each change, and every second.
	Status(at clock.Moment, s Status)
}

// Status is how the gate stands.
type Status struct {
	Devices   []DeviceStatus
	Measuring bool          // somebody stands at a thermometer and is not judged yet
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
	Kind  devices.Kind
	State string        // ok, fault, gone
	Idle  time.Duration // since it last said anything
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
	c := cues[wire.VerdictFever]
	c.hold = 2 * time.Second
	a.cue(c)
}

// cue sends a cue to all outputs.
func (a *Agent) cue(c cue) {
	for _, out := range a.cueing {
		select {
		case out <- c:
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
	n.kept <- err
}

// show tells the screen how the gate stands.
func (r *recorder) show(now clock.Moment) {
	if r.opts.Screen == nil {
		return
	}
	s := Status{Measuring: r.measuring(), Linked: r.link.get(), Pending: r.journal.Last() - min(r.journal.Last(), r.journal.State().Through),
		Oldest: r.oldest, FullIn: r.space.FullIn, Unkept: r.board.detail(TroubleJournal), Answered: r.answered}
	for _, in := range r.inputs {
		s.Devices = append(s.Devices, DeviceStatus{Name: in.cfg.Name, Kind: in.model.Kind, State: in.state, Idle: now.Boot - max(in.heard, r.began)})
	}
	r.shown = s.Measuring
	r.opts.Screen.Status(now, s)
}

// measuring tells whether somebody stands at a thermometer and is not judged.
func (r *recorder) measuring() bool {
	for _, in := range r.inputs {
		if in.meter != nil && in.state == stateOK && in.meter.State() == detect.Measuring {
			return true
		}
	}
	return false
}

// shownAgain is how many of the last passages a restarted agent's screen shows.
const shownAgain = 20

// reshow shows the screen the last passages that the journal holds.
func (r *recorder) reshow(now clock.Moment, last []wire.Record) {
	if r.opts.Screen == nil {
		return
	}
	for _, rec := range last {
		body, err := rec.DecodeBody()
		p, ok := body.(*wire.Passage)
		if err == nil && !ok {
			err = errors.New("it is no passage")
		}
		if err != nil {
			r.log.Warn("a passage of the journal can't be shown", "seq", rec.Seq, "err", err)
			continue
		}
		age := now.Wall.Sub(rec.At.Time)
		r.opts.Screen.Passage(clock.Moment{Wall: rec.At.Time, Boot: now.Boot - age}, rec.Seq, *p)
	}
}
