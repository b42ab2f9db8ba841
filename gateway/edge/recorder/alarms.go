package recorder

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// How soon the alarm of a condition is recorded again when its detail changes.
// The detail may count down, on a disk that has little room: a change of numbers
// alone can wait. Once a day keeps the alarm among the records that a journal
// keeps, for a restart.
const (
	afterOtherWords   = time.Minute
	afterOtherNumbers = 10 * time.Minute
	afterNoChange     = 24 * time.Hour
)

// alarms is which alarms are raised by the journal's records. Those that no part of
// the agent posts are not among them: fevers, and guards who ask for help.
type alarms struct {
	raised map[string]raised // by id
}

// raised is a condition as its alarm was last recorded.
type raised struct {
	status.Condition
	seq uint64    // of the record that raised it
	at  time.Time // of the last one, by the wall clock
}

func newAlarms() alarms { return alarms{raised: map[string]raised{}} }

// changes returns the alarms that make what is raised equal to what holds at
// now, by the wall clock. Each that the journal takes goes to recorded; one that
// it does not take is returned again.
func (a alarms) changes(holds map[string]status.Condition, now time.Time) (out []*wire.Alarm) {
	for _, id := range slices.Sorted(maps.Keys(a.raised)) {
		if c := a.raised[id]; holds[id].Type == "" {
			out = append(out, &wire.Alarm{ID: id, Type: c.Type, State: fact.AlarmCleared, Device: c.Device,
				Passage: c.Passage})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(holds)) {
		c := holds[id]
		was, ok := a.raised[id]
		if ok && now.Sub(was.at).Abs() < repeatAfter(was.Detail, c.Detail) {
			continue
		}
		out = append(out, &wire.Alarm{ID: id, Type: c.Type, State: fact.AlarmRaised, Device: c.Device,
			Passage: c.Passage, Detail: c.Detail, Updates: was.seq})
	}
	return out
}

// repeatAfter returns how long after its last record an alarm is recorded again
// when its detail was was and is is.
func repeatAfter(was, is string) time.Duration {
	withoutDigits := func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}
	switch {
	case was == is:
		return afterNoChange
	case strings.Map(withoutDigits, was) == strings.Map(withoutDigits, is):
		return afterOtherNumbers
	}
	return afterOtherWords
}

// recorded notes that the journal has taken an alarm as seq.
func (a alarms) recorded(al *wire.Alarm, seq uint64, now time.Time) {
	if al.State == fact.AlarmCleared {
		delete(a.raised, al.ID)
		return
	}
	a.raised[al.ID] = raised{condition(al), cmp.Or(al.Updates, seq), now}
}

// remember takes over an alarm record of an earlier run.
func (a alarms) remember(al *wire.Alarm, seq uint64, at time.Time) {
	if al.Type.Alarm().Posted() {
		a.recorded(al, seq, at)
	}
}

func condition(al *wire.Alarm) status.Condition {
	return status.Condition{Type: al.Type, Device: al.Device, Passage: al.Passage, Detail: al.Detail}
}

// raiseAlarms turns changed conditions into alarm records. One that the journal
// can't take is tried again at the next turn.
func (r *Recorder) raiseAlarms(now clock.Moment) {
	for _, al := range r.alarms.changes(r.board.Conditions(), now.Wall) {
		r.log.Warn("alarm", "id", al.ID, "state", al.State, "detail", al.Detail)
		if seq, err := r.queue.put(now, al, wantRetry); err == nil {
			r.alarms.recorded(al, seq, now.Wall)
		} else {
			r.log.Error("an alarm could not be kept; it is tried again", "id", al.ID, "err", err)
		}
	}
}
