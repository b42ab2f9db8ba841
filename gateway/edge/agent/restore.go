package agent

import (
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

// restore reads the journal once: readings still inside the pairing window go
// through the gate again unless a passage used them, and alarms that were
// raised are known, so that they can be cleared.
func (r *recorder) restore(now clock.Moment) error {
	var recent []unused
	used := map[uint64]bool{}
	var last []wire.Record // passages
	past := map[string]*machine.Past{}
	for from := r.journal.First(); from != 0 && from <= r.journal.Durable(); {
		chunk, err := r.journal.Read(from, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil {
			return fmt.Errorf("read the journal from %d: %w", from, err)
		}
		for _, e := range chunk.Entries {
			switch e.Record.Kind {
			case wire.KindAlarm, wire.KindReading, wire.KindAudit, wire.KindTrack, wire.KindRun:
			case wire.KindPassage:
				last = append(last, e.Record)
				if len(last) > 2*shownAgain {
					last = slices.Delete(last, 0, len(last)-shownAgain)
				}
				if len(recent) == 0 {
					continue // what it used is older than the window
				}
			default:
				continue
			}
			body, err := e.Record.DecodeBody()
			if err != nil {
				r.log.Warn("a record of the journal can't be read", "seq", e.Record.Seq, "err", err)
				continue
			}
			switch b := body.(type) {
			case *wire.Track, *wire.Run:
				remember(past, b)
			case *wire.Audit:
				if b.Passage != 0 {
					r.answered = append(r.answered, b.Passage)
				}
			case *wire.Alarm:
				r.board.restore(b)
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
	if len(r.answered) > shownAgain {
		r.answered = slices.Clone(r.answered[len(r.answered)-shownAgain:])
	}
	r.restoreMachines(now, past)
	r.show(now)
	r.reshow(now, last[max(0, len(last)-shownAgain):])
	for _, u := range recent {
		if !used[u.seq] {
			r.apply(now, time.Time{}, r.gate.Observe(u.at, u.seq, u.reading))
		}
	}
	r.apply(now, time.Time{}, r.gate.Tick(now))
	return nil
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
