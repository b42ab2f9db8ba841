package agent

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// restoreWindow is how far back a restarted agent looks for readings that
// nothing was decided on yet: the longest pairing window a rule set may have.
const restoreWindow = time.Minute

// unused is a reading that a killed agent had kept but not decided on.
type unused struct {
	seq     uint64
	at      clock.Moment
	reading wire.Reading
}

// restoreLast is how many records, the newest, are searched for readings and
// passages: what no gate completes within restoreWindow.
const restoreLast = 8192

// restore reads the journal: readings still inside the pairing window go
// through the gate again unless a passage used them, alarms that were raised are
// known, so that they can be cleared, and those that the county may not have
// heard of go ahead of the backlog again. However long a backlog is, a
// gate must not stay deaf for it.
func (r *recorder) restore(now clock.Moment) error {
	past, err := r.restoreConditions()
	if err != nil {
		return err
	}
	recent, last, err := r.recent(now)
	if err != nil {
		return err
	}
	r.restoreMachines(now, past)
	r.show(now)
	r.reshow(now, last)
	for _, u := range recent {
		r.apply(now, time.Time{}, r.gate.Observe(u.at, u.seq, u.reading))
	}
	r.apply(now, time.Time{}, r.gate.Tick(now))
	return nil
}

// restoreConditions looks through the whole journal for what lasts: alarms,
// what the guard did, the runs of machines.
func (r *recorder) restoreConditions() (map[string]*machine.Past, error) {
	past := map[string]*machine.Past{}
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
			r.board.restore(b)
			if rec.Seq > through {
				// Its bytes and its seq are what is sent.
				e := wire.Entry{Record: wire.Record{Seq: rec.Seq}, Raw: bytes.Clone(raw)}
				waiting = bounded(append(waiting, overtaker{e, b.Type == TroubleFever}))
			}
		}
	})
	r.Agent.alarms.add(waiting...)
	if len(r.answered) > shownAgain {
		r.answered = slices.Clone(r.answered[len(r.answered)-shownAgain:])
	}
	return past, err
}

// recent gives the readings inside the pairing window that no passage used, and
// the last passages, oldest first.
func (r *recorder) recent(now clock.Moment) (recent []unused, last []wire.Record, err error) {
	used := map[uint64]bool{}
	durable := r.journal.Durable()
	for from := max(r.journal.First(), durable-min(durable, restoreLast)); from != 0 && from <= durable; {
		chunk, err := r.journal.Read(from, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil {
			return nil, nil, fmt.Errorf("read the journal from %d: %w", from, err)
		}
		for _, e := range chunk.Entries {
			switch e.Record.Kind {
			case wire.KindReading:
			case wire.KindPassage:
				last = append(last, e.Record)
			default:
				continue
			}
			switch b := r.body(e.Record, nil).(type) {
			case *wire.Reading:
				if age := now.Boot - time.Duration(b.BootNS); b.BootID == r.opts.BootID && age >= 0 && age < restoreWindow {
					recent = append(recent, unused{e.Record.Seq, clock.Moment{Wall: e.Record.At.Time, Boot: time.Duration(b.BootNS)}, *b})
				}
			case *wire.Passage:
				for _, seq := range b.Readings {
					used[seq] = true
				}
			}
		}
		if chunk.To < from {
			break
		}
		from = chunk.To + 1
	}
	recent = slices.DeleteFunc(recent, func(u unused) bool { return used[u.seq] })
	return recent, slices.Clone(last[max(0, len(last)-shownAgain):]), nil
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

// restore takes over an alarm of an earlier run. Fevers are not conditions of
// the agent: people close them.
func (b *board) restore(a *wire.Alarm) {
	if a.Type == TroubleFever {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.State == wire.AlarmRaised {
		b.raised[a.ID] = condition{a.Type, a.Device, a.Detail}
	} else {
		delete(b.raised, a.ID)
	}
}
