// Package kiosk is the guard's screen, served to pages on the gate's own computer. It
// works without the network.
package kiosk

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/wire"
)

// Screen decides what the guard sees. It is pure: events of the station, answers and
// time go in, a View comes out. It is for one goroutine at a time.
type Screen struct {
	reds     []item          // not answered, oldest first
	verdicts map[string]item // by lane, the newest that needs no answer
	strips   []item          // answered faults that still hold
	done     []item          // answered reds: an amendment does not show them again
	recent   []item          // newest first
	status   status.Snapshot
	delivers bool          // the county answers, and what is sent arrives
	lost     time.Duration // boot clock since when it does not; 0: it does
	muted    time.Duration // boot clock until when there is no sound
	last     answer        // what the guard answered last
	chosen
	times
}

// chosen is what the guard looks at, and what not.
type chosen struct {
	turn turning                        // whom of those who wait
	back map[string]putBack             // calls that the guard has put back, by their ids
	who  func(credential string) string // what the guard sees of somebody, of the roster
}

// times are what ages and answers are reckoned from.
type times struct {
	seen seen
	wall time.Time // the wall clock when the boot clock was 0; changes when the wall clock is set
}

// seen is what fills the screen, and since when on the boot clock.
type seen struct {
	id string
	at time.Duration
}

// NewScreen returns the screen of an idle gate.
func NewScreen() *Screen {
	return &Screen{verdicts: map[string]item{}, chosen: chosen{turn: turning{later: map[string]time.Duration{}},
		back: map[string]putBack{}, who: func(string) string { return "" }}}
}

// Passage shows a verdict. seq is its record in the journal; at is when it was given.
func (s *Screen) Passage(now, at clock.Moment, seq uint64, p wire.Passage) {
	it := newItem(at, seq, p)
	s.remember(it)
	s.settled(p)
	if p.Override != nil { // the guard has decided
		s.reds = slices.DeleteFunc(s.reds, func(x item) bool { return x.seq != 0 && shares(x.passage, p) })
	}
	if red(it.look) && p.Override == nil {
		delete(s.verdicts, it.lane) // it must not come back when this is answered
		s.red(now, it, false)
		return
	}
	it.until = at.Boot + amberFor
	if it.look == LookPass {
		it.until = at.Boot + passFor
	}
	s.verdicts[it.lane] = it
}

// Earlier takes a verdict from before a restart. Only a red one that is not answered is
// shown again. at.Wall is zero when it is not known how long ago it was.
func (s *Screen) Earlier(now, at clock.Moment, seq uint64, p wire.Passage, answered bool) {
	it := newItem(at, seq, p)
	s.remember(it)
	s.settled(p)
	if red(it.look) && (at.Wall.IsZero() || now.Boot-at.Boot <= oldest) {
		s.red(now, it, answered)
	}
}

// red shows a verdict until it is answered.
func (s *Screen) red(now clock.Moment, it item, answered bool) {
	same := func(x item) bool { return x.seq != 0 && shares(x.passage, it.passage) }
	if answered {
		// The answer is for what it amends, too.
		s.reds = slices.DeleteFunc(s.reds, same)
		s.done = append(s.done, it)
		return
	}
	if i := slices.IndexFunc(s.reds, same); i >= 0 {
		// It is about the same person, and replaces what it amends.
		if s.reds[i].look == it.look {
			it.id, it.alarm = s.reds[i].id, s.reds[i].alarm
		}
		s.reds[i] = it
		return
	}
	i := slices.IndexFunc(s.done, same)
	if i >= 0 && s.done[i].look == it.look && s.done[i].passage.Instruction == it.passage.Instruction {
		s.done[i] = it
		return // answered
	}
	s.raise(now, it)
}

// remember adds a verdict to the list of recent ones.
func (s *Screen) remember(it item) {
	if i := slices.IndexFunc(s.recent, func(x item) bool {
		return it.passage.Amends &&
			shares(x.passage, it.passage)
	}); i >= 0 {
		s.recent = slices.Delete(s.recent, i, i+1)
	}
	s.recent = slices.Insert(s.recent, 0, it)
	s.recent = s.recent[:min(len(s.recent), recentShown)]
}

// raise adds a red item. It ends a mute.
func (s *Screen) raise(now clock.Moment, it item) {
	s.reds = append(s.reds, it)
	if len(s.reds) > maxReds {
		s.reds = slices.Delete(s.reds, 0, len(s.reds)-maxReds)
	}
	if s.muted > now.Boot {
		s.muted = 0
	}
}

// Press checks an answer to the item that the page showed and returns its audit record.
// ok is false when the item is no longer shown, or has no such button. The caller
// journals the audit, then calls Settle.
func (s *Screen) Press(now clock.Moment, id, action string) (audit wire.Audit, ok bool) {
	audit = wire.Audit{Actor: "guard", Action: action}
	if slices.Contains(ofNobody, action) {
		return audit, true
	}
	t := s.top(now)
	same := t != nil && (t.id == id || t.call != nil && t.call.ID == callOf(id))
	if !same || slices.Contains(ofThePage, action) || !slices.Contains(buttons(t.look, t.kind), action) {
		return audit, false
	}
	audit.Passage, audit.Alarm = t.seq, t.alarm
	if s.seen.id == t.id && t.seq != 0 {
		audit.AfterMS = (now.Boot - s.seen.at).Milliseconds()
	}
	return audit, true
}

// Settle removes the item that Press answered. An item that has amended it since then
// stays: the guard has not seen it.
func (s *Screen) Settle(now clock.Moment, id string, audit wire.Audit) {
	if audit.Action == ActionMute {
		s.muted = now.Boot + muteFor
		return
	}
	i := slices.IndexFunc(s.reds, func(x item) bool { return x.id == id && x.seq == audit.Passage })
	if i < 0 {
		return
	}
	it := s.reds[i]
	s.reds = slices.Delete(s.reds, i, i+1)
	s.last = answer{it, audit.Action, now.Boot + answeredFor}
	if it.seq == 0 {
		s.strips = append(s.strips, it)
		return
	}
	s.done = append(s.done, it)
	s.done = s.done[max(0, len(s.done)-maxReds):]
}

// Urgent reports whether the buzzer must sound.
func (s *Screen) Urgent(now clock.Moment) bool {
	t := s.top(now)
	return t != nil && t.until == 0 && t.call == nil && t.look != LookOffline && s.muted <= now.Boot
}
