package station

import (
	"slices"
	"strconv"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// leavesAgain is how long after an alarm another tap of the same person raises none.
const leavesAgain = 5 * time.Minute

// leaver is somebody of a sealed household who wants to leave, and whom the county knows of.
type leaver struct {
	credential string
	alarm      string        // its id
	at         time.Duration // boot clock
	passages   []uint64      // the newest that are about it
}

// leavers are the newest leavers, oldest first.
type leavers []leaver

// leaves reports whether a passage stops somebody of a sealed household who wants to leave.
func leaves(p wire.Passage) bool {
	return p.Verdict != fact.VerdictPass && p.Override == nil && p.Direction != fact.DirectionIn &&
		slices.Contains(p.Reasons, fact.ReasonSealed)
}

// came takes a passage of somebody who wants to leave. It returns the id of its alarm, and
// whether that is a new one.
func (l *leavers) came(at time.Duration, seq uint64, p wire.Passage) (alarm string, fresh bool) {
	for i := range *l {
		x := &(*l)[i]
		if x.credential == p.Credential && at-x.at < leavesAgain {
			x.passages = append(x.passages, seq)
			x.passages = x.passages[max(0, len(x.passages)-passagesKept):]
			return x.alarm, false
		}
	}
	alarm = leavingID(seq)
	*l = append(*l, leaver{p.Credential, alarm, at, []uint64{seq}})
	*l = (*l)[max(0, len(*l)-passagesKept):]
	return alarm, true
}

// of returns the id of the alarm that a passage is about; empty: there is none.
func (l leavers) of(passage uint64) string {
	for _, x := range l {
		if slices.Contains(x.passages, passage) {
			return x.alarm
		}
	}
	return ""
}

func leavingID(seq uint64) string { return fact.AlarmSealedLeaving.ID(strconv.FormatUint(seq, 10)) }

// raiseLeaving tells the county at once that somebody of a sealed household wants to leave.
func (s *Station) raiseLeaving(now clock.Moment, seq uint64, p wire.Passage) {
	if !leaves(p) {
		return
	}
	if alarm, fresh := s.leavers.came(now.Boot, seq, p); fresh {
		s.raise(now, leaving(alarm, seq, p))
	}
}

// leaving returns the alarm of a passage.
func leaving(id string, seq uint64, p wire.Passage) *wire.Alarm {
	return &wire.Alarm{ID: id, Type: fact.AlarmSealedLeaving, State: fact.AlarmRaised, Passage: seq,
		Screening: p.Screening(), Detail: "somebody of a sealed household is at the gate to leave: the guard " +
			"sends them back; call the gate if nobody answers"}
}

// restoreLeaving takes over who wanted to leave before the restart, and raises the alarms
// that the journal does not hold: the agent ended in between. What is too old is left.
func (s *Station) restoreLeaving(now clock.Moment, p past) {
	for _, e := range p.verdicts {
		if !leaves(*e.passage) {
			continue
		}
		at := now.Boot // not known how long ago: the same person raises one alarm, not many
		if when := e.when(now); !when.Wall.IsZero() {
			at = when.Boot
		}
		switch {
		case p.told[leavingID(e.seq)]:
			s.leavers = append(s.leavers, leaver{e.passage.Credential, leavingID(e.seq), at, []uint64{e.seq}})
		case now.Boot-at <= overrideFor:
			if alarm, fresh := s.leavers.came(at, e.seq, *e.passage); fresh {
				s.log.Warn("somebody of a sealed household has no alarm: it is raised now", "alarm", alarm)
				s.raise(now, leaving(alarm, e.seq, *e.passage))
			}
		}
	}
}
