// Package bridge turns what drones and fogging machines send into tracks and
// disinfection runs, and records them.
package bridge

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"gatehouse/devices"
	"gatehouse/firmware-bridge/mavlink"
	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// part is the bridge's name on the board.
const part = "bridge"

const (
	turnEvery   = time.Second
	goneAfter   = 15 * time.Second // a machine that sends nothing for so long is switched off or out of reach
	retrySource = 5 * time.Second  // how long a source that ended rests
)

// Journal keeps records.
type Journal interface {
	Append(now clock.Moment, body wire.Body) (seq uint64)
}

// Options of a bridge.
type Options struct {
	Ports   devices.Ports
	Journal Journal
	Board   *status.Board
	Clock   clock.Source
	BootID  string // names what the boot clock counts from
	Last    string // path of a file that keeps the machines' last values; empty: they are not kept
	Stamps  string // path of a file that keeps the time stamps of signed drones; empty: they are not kept
	Log     *slog.Logger
}

// Bridge serves the machines of one agent. Its methods belong to the goroutine
// of Run, and before Run to the one that makes the agent. Run owns one goroutine
// for each source.
type Bridge struct {
	opts      Options
	sources   []source
	machines  []*bridged
	byMachine map[string]*bridged
	past      map[string]*machine.Past // from Remember, until Begin
	last      lastValues
	stamps    *stamps
}

// bridged is one machine.
type bridged struct {
	*machine.Watch

	state   fact.DeviceState // ok or gone; empty: nothing has come since the start
	heard   time.Duration    // boot clock: when something came
	bad     uint64           // frames that can't be read and values that can't be true
	lastBad string           // the newest of them
	unheard troubles         // what its links don't understand
}

// sample is what a source yields of a machine: values, or an error.
type sample struct {
	source  string
	machine string
	values  runs.Sample
	err     error
}

// New makes a bridge and reads the files that its configuration names; it opens
// no link yet.
func New(cfg Config, opts Options) (*Bridge, error) {
	signed := openStamps(opts.Stamps, opts.Log)
	list, langs, err := sources(cfg, opts.Ports, signed)
	if err != nil {
		return nil, err
	}
	machines, err := withCounters(cfg)
	if err != nil {
		return nil, err
	}
	b := &Bridge{opts: opts, sources: list, machines: newMachines(machines, langs, opts.BootID),
		byMachine: map[string]*bridged{}, past: map[string]*machine.Past{},
		stamps: signed, last: lastValues{path: opts.Last, pending: make(chan []wire.Track, 1)}}
	for _, m := range b.machines {
		b.byMachine[m.Machine()] = m
	}
	return b, nil
}

// Has reports whether the configuration lists a machine.
func (b *Bridge) Has(machine string) bool { return b.byMachine[machine] != nil }

// Remember takes over a track or run of an earlier run of the agent. It is
// called before Begin, in the order of the records.
func (b *Bridge) Remember(body wire.Body) {
	switch x := body.(type) {
	case *wire.Track:
		b.pastOf(x.Machine).Track(x)
	case *wire.Run:
		b.pastOf(x.Machine).Run(x)
	}
}

func (b *Bridge) pastOf(id string) *machine.Past {
	if b.past[id] == nil {
		b.past[id] = &machine.Past{}
	}
	return b.past[id]
}

// Begin takes up the runs that were open when the agent stopped. It is called
// before the channel restored of Run is closed.
func (b *Bridge) Begin(now clock.Moment) {
	last, err := b.last.read()
	if err != nil {
		b.opts.Log.Warn("litres count from the first values that come", "err", err)
	}
	for i := range last {
		b.pastOf(last[i].Machine).Last(&last[i])
	}
	for _, m := range b.machines {
		if p := b.past[m.Machine()]; p != nil {
			for _, body := range m.Restore(now, *p) {
				b.opts.Journal.Append(now, body)
			}
		}
	}
	b.past = nil
	b.opts.Board.SetTurned(part, now)
}

// Run serves the machines until ctx ends, and returns when everything it started
// has ended. It opens the links at once, and takes what they yield after restored
// is closed.
func (b *Bridge) Run(ctx context.Context, restored <-chan struct{}) {
	samples := make(chan sample, 256)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, s := range b.sources {
		wg.Go(func() { b.read(ctx, s, samples) })
	}
	wg.Go(func() {
		b.stamps.run(ctx, func(err error) { b.opts.Log.Warn("the agent's folder", "source", "mavlink", "err", err) })
	})
	wg.Go(func() {
		b.last.run(ctx, func(err error) { b.opts.Log.Warn("the agent's folder", "source", "machines", "err", err) })
	})
	select {
	case <-restored:
	case <-ctx.Done():
		return
	}
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-samples:
			b.take(b.opts.Clock.Now(), s)
		case <-turn.C:
			b.turn(b.opts.Clock.Now())
		}
	}
}

// read runs one source until ctx ends, and again when it ends before.
func (b *Bridge) read(ctx context.Context, s source, samples chan<- sample) {
	out := func(machine string, values runs.Sample, err error) {
		select {
		case samples <- sample{s.name, machine, values, err}:
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		if err := s.run(ctx, out); err != nil && ctx.Err() == nil {
			b.opts.Log.Error("a source of machines has ended", "source", s.name, "err", err, "next", retrySource)
		}
		retry.Sleep(ctx, retrySource)
	}
}

// take takes what a source yields.
func (b *Bridge) take(now clock.Moment, s sample) {
	m := b.byMachine[s.machine]
	if m == nil {
		b.opts.Log.Warn("a link of machines", "link", s.source, "err", s.err)
		return
	}
	var note *mavlink.Note
	switch {
	case s.err == nil:
	case b.misunderstood(now, m, s.source, s.err):
		return
	case errors.As(s.err, &note):
		b.opts.Log.Info("a part of a machine", "machine", s.machine, "says", note.Text)
		return
	default:
		b.reject(m, s.err)
		return
	}
	b.understood(m, s.source)
	m.heard = now.Boot
	for _, err := range m.Take(now, s.values) {
		b.reject(m, err)
	}
	if m.state != fact.DeviceOK {
		b.setState(now, m, fact.DeviceOK, "")
	}
}

// reject counts and logs what can't be true or can't be read.
func (b *Bridge) reject(m *bridged, err error) {
	m.bad++
	m.lastBad = err.Error()
	b.opts.Log.Warn("a machine", "machine", m.Machine(), "err", err)
}

func (b *Bridge) setState(now clock.Moment, m *bridged, state fact.DeviceState, detail string) {
	m.state = state
	b.opts.Journal.Append(now, &wire.Health{
		Device:    m.Machine(),
		Model:     "machine",
		State:     state,
		Detail:    detail,
		BadFrames: m.bad,
	})
}

// turn does what is due every second: it records what has come of the machines
// and posts their state.
func (b *Bridge) turn(now clock.Moment) {
	beats := make([]wire.BeatMachine, 0, len(b.machines))
	for _, m := range b.machines {
		for _, body := range m.Turn(now) {
			b.opts.Journal.Append(now, body)
			if run, ok := body.(*wire.Run); ok && run.State == fact.RunClosed {
				b.opts.Log.Info("run", "machine", run.Machine, "run", run.ID,
					"grade", run.Grade, "sorties", run.Sorties)
			}
		}
		beats = append(beats, b.post(now, m))
	}
	b.last.keep(now, b.machines)
	b.opts.Board.SetMachines(beats)
	b.opts.Board.SetTurned(part, now)
}

// post notes when a machine has gone, posts what is wrong with it, and returns its
// state for the heartbeat.
func (b *Bridge) post(now clock.Moment, m *bridged) wire.BeatMachine {
	beat := m.Beat(now)
	if m.state == fact.DeviceOK && now.Boot-m.heard > goneAfter {
		b.setState(now, m, fact.DeviceGone, m.whyGone())
	}
	hold := func(t fact.AlarmType, detail string) {
		b.opts.Board.Set(status.Condition{Type: t, Device: m.Machine(), Detail: detail})
	}
	b.forget(now, m)
	// Before something came, what an earlier run recorded holds.
	if m.heard > 0 {
		hold(fact.AlarmMachineFault, beat.Fault)
	}
	if m.state != "" {
		hold(fact.AlarmMachineUnheard, m.unheard.text())
	}
	if beat.State == fact.MachineGone && len(m.unheard) > 0 {
		beat.Fault = m.unheard.text()
	}
	return beat
}
