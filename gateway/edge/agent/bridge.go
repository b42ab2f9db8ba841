package agent

import (
	"context"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// bridged is one machine with what the record loop knows of its bridge.
type bridged struct {
	*machine.Watch

	state   fact.DeviceState // ok, gone; empty: not heard of since the start
	heard   time.Duration
	bad     uint64 // frames and values that could not be true
	lastBad string // told once, until another comes
}

// goneAfter is how long a machine may say nothing before it is gone: switched
// off, or out of reach.
const goneAfter = 15 * time.Second

// retrySource is how long a source that ended with an error rests.
const retrySource = 5 * time.Second

// speak runs one source until ctx ends, and again when it fails.
func (a *Agent) speak(ctx context.Context, s source, words chan<- word) {
	out := func(machine string, sample runs.Sample, err error) {
		select {
		case words <- word{machine, sample, err}:
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		if err := s.run(ctx, out); err != nil && ctx.Err() == nil {
			a.log.Error("a source of machines has ended", "source", s.name, "err", err, "next", retrySource)
		}
		pause(ctx, retrySource)
	}
}

// said takes what a source says of a machine.
func (r *recorder) said(w word) {
	m := r.byMachine[w.machine]
	if m == nil {
		r.log.Warn("a link of machines", "err", w.err)
		return
	}
	if w.err != nil {
		r.doubt(m, w.err)
		return
	}
	now := r.opts.Clock.Now()
	m.heard = now.Boot
	for _, err := range m.Take(now, w.s) {
		r.doubt(m, err)
	}
	if m.state != fact.DeviceOK {
		m.state = fact.DeviceOK
		r.append(now, &wire.Health{Device: m.Machine(), Model: "machine", State: fact.DeviceOK, BadFrames: m.bad})
	}
}

// doubt counts what can't be true or could not be read, and tells it once.
func (r *recorder) doubt(m *bridged, err error) {
	m.bad++
	if text := err.Error(); text != m.lastBad {
		m.lastBad = text
		r.log.Warn("a machine", "machine", m.Machine(), "err", err)
	}
}

// turnMachines lets a second pass: what the machines are by now is kept, then
// judged.
func (r *recorder) turnMachines(now clock.Moment) {
	beats := make([]wire.BeatMachine, 0, len(r.machines))
	for _, m := range r.machines {
		for _, body := range m.Turn(now) {
			r.append(now, body)
			if run, ok := body.(*wire.Run); ok && run.State == fact.RunClosed {
				r.log.Info("run", "machine", run.Machine, "run", run.ID, "grade", run.Grade, "sorties", run.Sorties)
			}
		}
		b := m.Beat(now)
		beats = append(beats, b)
		if m.state == fact.DeviceOK && now.Boot-m.heard > goneAfter {
			m.state = fact.DeviceGone
			r.append(now, &wire.Health{Device: m.Machine(), Model: "machine", State: fact.DeviceGone, Detail: m.lastBad, BadFrames: m.bad})
		}
		if m.state != "" { // before it was heard of, an earlier run's word stands
			r.board.set(fact.AlarmMachineFault, m.Machine(), b.Fault)
		}
	}
	r.pulse.setMachines(beats)
}

// restoreMachines takes up the runs that were open when the agent stopped.
func (r *recorder) restoreMachines(now clock.Moment, past map[string]*machine.Past) {
	for _, m := range r.machines {
		if p := past[m.Machine()]; p != nil {
			for _, body := range m.Restore(now, *p) {
				r.append(now, body)
			}
		}
	}
}

// remember notes a track or run of an earlier run of the agent.
func remember(past map[string]*machine.Past, body wire.Body) {
	of := func(id string) *machine.Past {
		if past[id] == nil {
			past[id] = &machine.Past{}
		}
		return past[id]
	}
	switch b := body.(type) {
	case *wire.Track:
		of(b.Machine).Track(b)
	case *wire.Run:
		of(b.Machine).Run(b)
	}
}
