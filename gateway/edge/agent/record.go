package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/sense"
	"gatehouse/gateway/wire"
)

const (
	turnEvery = time.Second
	stepLimit = 500 * time.Millisecond // a wall clock that moves more than this against the boot clock has stepped
	syncEvery = 30 * time.Second       // how often the kernel is asked whether the clock is disciplined
)

// record is the loop that everything at the gate passes through, in order:
// reading, journal, decision, journal, outputs.
func (a *Agent) record(ctx context.Context, arrivals <-chan arrival, words <-chan word, shipped <-chan error) error {
	r := &recorder{Agent: a}
	if err := r.start(); err != nil {
		return err
	}
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for {
		if at, ok := a.gate.Next(); ok {
			due.Reset(max(0, at-a.opts.Clock.Now().Boot))
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-shipped:
			if err != nil {
				return fmt.Errorf("ship the journal: %w", err)
			}
		case x := <-arrivals:
			r.arrived(x)
		case w := <-words:
			r.said(w)
		case <-due.C:
			r.drain(arrivals) // what came in time counts, however long the loop stood still
			now := a.opts.Clock.Now()
			r.decided = max(r.decided, now.Boot)
			r.apply(now, time.Time{}, a.gate.Tick(now))
			r.prompt(now)
		case <-turn.C:
			r.turn()
		case <-a.board.wake:
			r.alarms()
		case n := <-a.notes:
			r.noted(n)
			r.prompt(a.opts.Clock.Now())
		case f := <-a.journal.Faults():
			r.diskFault(f)
		}
	}
}

// recorder is the state of the record loop.
type recorder struct {
	*Agent
	shift    time.Duration // wall clock less boot clock, as last seen
	synced   bool
	syncedAt time.Duration
	answered []uint64        // passages that the guard dealt with before the restart
	feverish map[uint64]bool // passages that have an alarm, of before the restart
	given    given           // passages that were given lately
	prompts  []gate.Prompt   // as they were sounded last
	decided  time.Duration   // boot clock of the newest reading that the gate has taken
	space    journal.Space
	oldest   time.Time     // when the oldest unacknowledged record was taken
	oldestAt time.Duration // boot clock of that look
	faultAt  time.Duration // boot clock of the last failed fsync; 0: long ago
}

// start takes up where an earlier run stopped and says that this one begins.
func (r *recorder) start() error {
	now := r.opts.Clock.Now()
	r.shift = shift(now)
	r.synced, r.syncedAt = r.opts.Clock.Synchronised(), now.Boot
	r.journal.SetSynced(r.synced)
	if err := r.restore(now); err != nil {
		return err
	}
	r.append(now, &wire.Clock{Reason: "start", BootID: r.opts.BootID, Synchronised: r.synced, Version: r.opts.Version})
	r.alarms()
	r.leave(now)
	return nil
}

func shift(m clock.Moment) time.Duration {
	return time.Duration(m.Wall.UnixNano()) - m.Boot
}

// arrived handles one reading or error of a device.
func (r *recorder) arrived(x arrival) {
	now := r.opts.Clock.Now()
	if x.err != nil {
		r.failed(now, x.in, x.err)
		return
	}
	x.in.heard = now.Boot
	if x.r == nil && x.in.meter != nil {
		return // plugged in again; only a sample shows that it measures
	}
	if m := x.in.meter; m == nil || !m.Stuck() && !m.Hot() {
		r.state(now, x.in, fact.DeviceOK, "")
	}
	if x.r == nil {
		return
	}
	reading, last := r.reading(now, x.in, x.r)
	if reading != nil {
		seq := r.keep(now, reading)
		r.apply(now, last, r.gate.Observe(r.when(now, reading), seq, *reading))
	}
	if m := x.in.meter; m != nil && m.State() != x.in.presence {
		if x.in.presence = m.State(); x.in.presence == sense.Measuring {
			r.gate.Begun(now, x.in.cfg.Name)
		}
		r.show(now)
	}
	r.prompt(now)
}

// drain handles what devices have said already.
func (r *recorder) drain(arrivals <-chan arrival) {
	for {
		select {
		case x := <-arrivals:
			r.arrived(x)
		default:
			return
		}
	}
}

// when returns when a reading came, which is not when the loop gets to it. The
// gate's time never runs back.
func (r *recorder) when(now clock.Moment, reading *wire.Reading) clock.Moment {
	r.decided = max(r.decided, time.Duration(reading.BootNS))
	return now.Add(r.decided - now.Boot)
}

// keep journals a completed reading before anything is decided on it. When
// the journal can't take it the gate still decides: the loss is recorded as a
// hole, which has the seq that the passage names.
func (r *recorder) keep(now clock.Moment, reading *wire.Reading) (seq uint64) {
	if r.opts.Ledger != nil {
		if b, err := wire.EncodeBody(reading); err == nil {
			if err := r.opts.Ledger.Add(b); err != nil {
				r.log.Error("count a reading in the ledger", "err", err)
			}
		}
	}
	return r.append(now, reading)
}

// append journals a body and returns its seq. The journal's failure is an
// alarm, logged once until it works again.
func (r *recorder) append(now clock.Moment, body wire.Body) uint64 {
	rec, err := r.journal.Append(now, body)
	if errors.Is(err, journal.ErrShed) && (body.Kind() == wire.KindHealth || body.Kind() == wire.KindTrack) {
		return r.journal.Lose(journal.ReasonDiskFull) // in the stated order; fact.AlarmJournalDiskLow tells
	}
	if err != nil {
		seq := r.journal.Lose(journal.ReasonDiskFull)
		r.log.Error("a record could not be kept; it is a recorded hole", "kind", body.Kind(), "seq", seq, "err", err)
		r.board.set(fact.AlarmJournalWrite, "", "records can't be kept: "+err.Error())
		return seq
	}
	r.board.set(fact.AlarmJournalWrite, "", "")
	return rec.Seq
}

// apply journals and shows what the gate decided. last is when the last byte
// of the reading that caused it arrived; zero when time alone did.
func (r *recorder) apply(now clock.Moment, last time.Time, events []gate.Event) {
	for _, e := range events {
		p := e.Passage
		if !last.IsZero() {
			p.LatencyUS = time.Since(last).Microseconds()
		}
		r.cue(p.Lane, cues[p.Verdict])
		seq := r.append(now, &p)
		r.given.add(seq, p.Readings)
		if r.opts.Screen != nil {
			r.opts.Screen.Passage(now, seq, p)
		}
		if e.Alarm {
			r.fever(now, seq, &p)
		}
		if r.opts.OnPassage != nil {
			r.opts.OnPassage(seq, p)
		}
	}
}

// fever raises the alarm of a passage.
func (r *recorder) fever(now clock.Moment, seq uint64, p *wire.Passage) {
	t := p.Temperature.Screening
	alarm := &wire.Alarm{ID: fmt.Sprintf("%s:%d", fact.AlarmFever, seq), Type: fact.AlarmFever,
		State: fact.AlarmRaised, Passage: seq, Screening: &t}
	if !r.raise(now, alarm) {
		r.append(now, alarm) // once more; what fails again is a hole
	}
}

// raise journals an alarm and sends its copy ahead of the backlog; false when
// the journal could not take it.
func (r *recorder) raise(now clock.Moment, al *wire.Alarm) bool {
	rec, err := r.journal.Append(now, al)
	if err != nil {
		r.log.Error("an alarm could not be kept", "id", al.ID, "err", err)
		return false
	}
	raw, err := wire.EncodeRecord(rec)
	if err != nil {
		r.log.Error("encode an alarm", "err", err)
		return true
	}
	r.Agent.alarms.add(overtaker{wire.Entry{Record: rec, Raw: raw}, al.Type == fact.AlarmFever})
	return true
}

// alarms turns changed conditions into alarm records. One that the journal
// can't take is tried again at the next turn.
func (r *recorder) alarms() {
	now := r.opts.Clock.Now()
	for _, al := range r.board.changes(now.Wall) {
		r.log.Warn("alarm", "id", al.ID, "state", al.State, "detail", al.Detail)
		if r.raise(now, al) {
			r.board.said(al, r.journal.Last(), now.Wall)
		}
	}
}

// failed handles what a sensor could not do.
func (r *recorder) failed(now clock.Moment, in *input, err error) {
	state, detail := judge(err)
	if state == "" {
		in.badFrames++
		r.log.Debug("bad frame", "device", in.cfg.Name, "err", err)
		return
	}
	r.state(now, in, state, detail)
}

// state notes a device's state; each change is a health record and an alarm.
func (r *recorder) state(now clock.Moment, in *input, state fact.DeviceState, detail string) {
	r.hold(now, in, state, detail)
	if in.reported && in.state == state {
		return
	}
	in.state, in.reported = state, true
	if state != fact.DeviceOK {
		in.presence = sense.Idle
	}
	r.append(now, &wire.Health{Device: in.cfg.Name, Model: in.model.Name, State: state, Detail: detail, BadFrames: in.badFrames})
	r.apply(now, time.Time{}, r.gate.SetWorks(in.cfg.Name, state == fact.DeviceOK))
	r.show(now)
}

// turn looks every second at what nothing announces: silence and the clocks.
func (r *recorder) turn() {
	now := r.opts.Clock.Now()
	for _, in := range r.inputs {
		if in.meter != nil && in.state == fact.DeviceOK {
			r.watch(now, in)
		}
	}
	if moved := shift(now) - r.shift; moved > stepLimit || moved < -stepLimit {
		r.shift = shift(now)
		r.append(now, &wire.Clock{Reason: "step", BootID: r.opts.BootID, StepMS: moved.Milliseconds(), Synchronised: r.opts.Clock.Synchronised()})
	}
	if now.Boot-r.syncedAt > syncEvery {
		r.syncedAt = now.Boot
		if s := r.opts.Clock.Synchronised(); s != r.synced {
			r.synced = s
			r.journal.SetSynced(s)
			r.append(now, &wire.Clock{Reason: "synchronised", BootID: r.opts.BootID, Synchronised: s})
		}
	}
	r.turnMachines(now)
	r.room(now)
	r.prove(now)
	r.alarms()
	r.leave(now)
}

// watch looks for what a thermometer does not say of itself.
func (r *recorder) watch(now clock.Moment, in *input) {
	switch {
	case now.Boot-max(in.heard, r.began) > silentAfter:
		r.state(now, in, fact.DeviceFault, fmt.Sprintf("no reading for %s", silentAfter))
	case in.meter.Stuck():
		r.state(now, in, fact.DeviceFault, "it repeats the same value: switch it off and on")
	case in.meter.Hot():
		r.state(now, in, fact.DeviceFault, "what it sees with nobody there is as warm as people: shade it, or turn it away from the sun")
	}
}

// leave tells the heartbeat how things stand.
func (r *recorder) leave(now clock.Moment) {
	states := make([]deviceState, 0, len(r.inputs))
	for _, in := range r.inputs {
		states = append(states, deviceState{name: in.cfg.Name, state: in.state, heard: max(in.heard, r.began)})
	}
	r.pulse.set(now, states)
	r.show(now)
}
