package agent

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// restoreWindow is how far back a restarted agent looks for readings that
// nothing was decided on yet: the longest pairing window a rule set may have.
const restoreWindow = time.Minute

// earlier is a passage of before a restart.
type earlier struct {
	rec      wire.Record
	passage  *wire.Passage
	thisBoot bool // its boot clock is the one that runs now
}

// past is what happened before a restart: a reading inside the pairing window, an
// answer of the guard, or a device that broke or was mended.
type past struct {
	seq      uint64
	at       clock.Moment
	reading  *wire.Reading
	answered []uint64 // readings of the passage that the guard dealt with
	device   string   // whose state changed
	works    bool     // it does since then
}

// How many passages are remembered with their readings: more than a pairing
// window has; and how many answers: more than a guard gives while the screen
// would still show what they answer.
const (
	toldKept     = 64
	answeredKept = 512
)

// given are the passages that were given last, with their readings, oldest
// first.
type given []struct {
	seq      uint64
	readings []uint64
}

func (g *given) add(seq uint64, readings []uint64) {
	*g = append(*g, struct {
		seq      uint64
		readings []uint64
	}{seq, readings})
	if len(*g) > 2*toldKept {
		*g = slices.Clone((*g)[len(*g)-toldKept:])
	}
}

// readings returns those of a passage, or nothing when it is too long ago.
func (g given) readings(seq uint64) []uint64 {
	for _, x := range g {
		if x.seq == seq {
			return x.readings
		}
	}
	return nil
}

// restoreLast is how many records, the newest, are searched for readings,
// passages and answers: more than a gate completes while any of them matters.
const restoreLast = 8192

// restore reads the journal: readings still inside the pairing window and what
// the guard answered go through the gate again, and what was not decided before is
// decided now; alarms that were raised are known, so that they can be cleared, and those that the county may not have
// heard of go ahead of the backlog again. However long a backlog is, a
// gate must not stay deaf for it.
func (r *recorder) restore(now clock.Moment) error {
	machines, err := r.restoreConditions()
	if err != nil {
		return err
	}
	recent, last, err := r.recent(now)
	if err != nil {
		return err
	}
	r.restoreMachines(now, machines)
	r.show(now)
	r.reshow(now, last)
	r.show(now)
	r.again(now, recent, last)
	r.alarmFevers(now, last)
	r.prompt(now)
	return nil
}

// again lets what happened before the restart go through the gate, and gives what
// was not decided then. Who was to pass has left or tries anew when that is longer
// ago than a pass is shown: the barrier stays down.
func (r *recorder) again(now clock.Moment, recent []past, last []earlier) {
	used := map[uint64]bool{}
	for _, e := range last {
		for _, seq := range e.passage.Readings {
			used[seq] = true
		}
	}
	for _, x := range recent {
		switch {
		case x.device != "":
			r.late(now, now, undecided(r.gate.SetWorks(x.device, x.works), used))
		case x.reading == nil:
			r.gate.Answered(x.answered)
		default:
			r.decided = max(r.decided, x.at.Boot)
			r.late(now, x.at, undecided(r.gate.Observe(x.at, x.seq, *x.reading), used))
		}
	}
	r.apply(now, time.Time{}, undecided(r.gate.Tick(now), used))
	for _, in := range r.inputs {
		r.gate.SetWorks(in.cfg.Name, true) // until it says otherwise
	}
}

// passShown is how long a pass is shown.
const passShown = 3 * time.Second

// late applies events of before the restart; passes of longer ago are kept and
// no more.
func (r *recorder) late(now, at clock.Moment, events []gate.Event) {
	for _, e := range events {
		if e.Passage.Verdict == fact.VerdictPass && now.Boot-at.Boot > passShown {
			seq := r.append(now, &e.Passage)
			r.given.add(seq, e.Passage.Readings)
			continue
		}
		r.apply(now, time.Time{}, []gate.Event{e})
	}
}

// alarmFevers raises the alarms of fevers whose passages the journal holds and
// their alarms it does not: the agent ended in between.
func (r *recorder) alarmFevers(now clock.Moment, last []earlier) {
	alarmed := map[uint64]bool{} // readings
	for _, e := range last {
		p := e.passage
		if p.Verdict != fact.VerdictFever || p.Temperature == nil {
			continue
		}
		known := r.feverish[e.rec.Seq] || slices.ContainsFunc(p.Readings, func(seq uint64) bool { return alarmed[seq] })
		if !known {
			r.log.Warn("a fever of before the restart has no alarm: it is raised now", "passage", e.rec.Seq)
			r.fever(now, e.rec.Seq, p)
		}
		for _, seq := range p.Readings {
			alarmed[seq] = true
		}
	}
}

// undecided returns the events that use a reading which no passage used.
func undecided(events []gate.Event, used map[uint64]bool) []gate.Event {
	return slices.DeleteFunc(events, func(e gate.Event) bool {
		return !slices.ContainsFunc(e.Passage.Readings, func(seq uint64) bool { return !used[seq] })
	})
}

// restoreConditions looks through the whole journal for what lasts: alarms,
// what the guard did, the runs of machines.
func (r *recorder) restoreConditions() (map[string]*machine.Past, error) {
	past := map[string]*machine.Past{}
	r.feverish = map[uint64]bool{}
	through := r.journal.State().Through
	var waiting []overtaker
	err := r.journal.Walk(r.journal.First(), func(raw []byte) {
		switch wire.PeekKind(raw) {
		case wire.KindAlarm, wire.KindAudit, wire.KindTrack, wire.KindRun:
		default:
			return
		}
		rec, err := wire.DecodeRecord(raw)
		switch b := r.body(rec, err).(type) {
		case *wire.Track, *wire.Run:
			remember(past, b)
		case *wire.Audit:
			if b.Passage != 0 {
				r.answered = append(r.answered, b.Passage)
			}
		case *wire.Alarm:
			if b.Type == fact.AlarmFever {
				r.feverish[b.Passage] = true
			}
			r.board.restore(b, rec.Seq, rec.At.Time)
			if rec.Seq > through {
				// Its bytes and its seq are what is sent.
				e := wire.Entry{Record: wire.Record{Seq: rec.Seq}, Raw: bytes.Clone(raw)}
				waiting = bounded(append(waiting, overtaker{e, b.Type == fact.AlarmFever}))
			}
		}
	})
	r.Agent.alarms.add(waiting...)
	r.board.forget(r.has)
	if r.board.detail(fact.AlarmJournalSync) != "" {
		r.faultAt = r.opts.Clock.Now().Boot
	}
	if len(r.answered) > answeredKept {
		r.answered = slices.Clone(r.answered[len(r.answered)-answeredKept:])
	}
	return past, err
}

// recent returns what happened inside the pairing window, and the last passages,
// both oldest first.
func (r *recorder) recent(now clock.Moment) (recent []past, last []earlier, err error) {
	durable, boot := r.journal.Durable(), ""
	for from := max(r.journal.First(), durable-min(durable, restoreLast)); from != 0 && from <= durable; {
		chunk, err := r.journal.Read(from, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil {
			return nil, nil, fmt.Errorf("read the journal from %d: %w", from, err)
		}
		for _, e := range chunk.Entries {
			switch e.Record.Kind {
			case wire.KindReading, wire.KindPassage, wire.KindAudit, wire.KindClock, wire.KindHealth:
			default:
				continue
			}
			switch b := r.body(e.Record, nil).(type) {
			case *wire.Clock:
				boot = b.BootID
			case *wire.Reading:
				boot = b.BootID
				if age := now.Boot - time.Duration(b.BootNS); boot == r.opts.BootID && age >= 0 && age < restoreWindow {
					recent = append(recent, past{seq: e.Record.Seq, reading: b,
						at: clock.Moment{Wall: e.Record.At.Time, Boot: time.Duration(b.BootNS)}})
				}
			case *wire.Passage:
				r.given.add(e.Record.Seq, b.Readings)
				last = append(last, earlier{e.Record, b, boot == r.opts.BootID})
			case *wire.Health:
				recent = append(recent, past{device: b.Device, works: b.State == fact.DeviceOK})
			case *wire.Audit:
				if readings := r.given.readings(b.Passage); readings != nil {
					recent = append(recent, past{answered: readings})
				}
			}
		}
		if chunk.To < from {
			break
		}
		from = chunk.To + 1
	}
	return recent, last, nil
}

// body reads a record's body, or says that it can't and gives nil.
func (r *recorder) body(rec wire.Record, err error) wire.Body {
	var b wire.Body
	if err == nil {
		b, err = rec.DecodeBody()
	}
	if err != nil {
		r.log.Warn("a record of the journal can't be read", "seq", rec.Seq, "err", err)
		return nil
	}
	return b
}

// has reports whether the configuration still lists a device or machine.
func (r *recorder) has(device string) bool {
	return r.byMachine[device] != nil ||
		slices.ContainsFunc(r.inputs, func(in *input) bool { return in.cfg.Name == device })
}

// provenAfter is how long after its start an agent knows what a device that
// says nothing of itself would have said: a port that can't be opened is told
// at once, a thermometer that repeats itself after half a minute.
const provenAfter = 35 * time.Second

// hold tells the board how a device stands.
func (r *recorder) hold(now clock.Moment, in *input, state fact.DeviceState, detail string) {
	gone, fault := "", ""
	switch state {
	case fact.DeviceGone:
		gone = detail
	case fact.DeviceFault:
		fault = detail
	}
	r.board.set(fact.AlarmDeviceGone, in.cfg.Name, gone)
	if state == fact.DeviceOK && in.meter != nil && now.Boot-r.began < provenAfter {
		return // that it measures proves nothing yet
	}
	r.board.set(fact.AlarmDeviceFault, in.cfg.Name, fault)
}

// prove ends what an earlier run raised of readers that nobody has used since:
// their ports are open, or they would have said so.
func (r *recorder) prove(now clock.Moment) {
	if now.Boot-r.began < provenAfter {
		return
	}
	for _, in := range r.inputs {
		if in.meter == nil && !in.reported {
			r.hold(now, in, fact.DeviceOK, "")
		}
	}
}
