// Package kiosk is the guard's screen: what a person at the gate must see at
// once, served to one page on the gate's own computer. It works with the
// network cut.
package kiosk

import (
	"slices"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// Look is what fills the screen.
type Look string

// The looks, the weightiest first. Red ones stay until the guard has answered;
// the fault of a device and an offline gate become a strip then.
const (
	LookFever     Look = "fever"     // red
	LookSealed    Look = "sealed"    // red: somebody of a sealed household
	LookFault     Look = "fault"     // red: a device is broken or gone
	LookUnknown   Look = "unknown"   // red: a card of no roster
	LookRefuse    Look = "refuse"    // amber
	LookInvalid   Look = "invalid"   // amber: too cold to judge, and the like
	LookRetest    Look = "retest"    // amber
	LookPass      Look = "pass"      // light
	LookOffline   Look = "offline"   // red, once: the county does not answer
	LookApart     Look = "apart"     // amber: more than one person in the lane
	LookTapped    Look = "tapped"    // light: card read, now the temperature
	LookMeasured  Look = "measured"  // light: temperature taken, now the card
	LookMeasuring Look = "measuring" // light
	LookIdle      Look = "idle"      // light
)

// ranks orders what waits; what concerns the people in the lanes is shown over
// what the guard need not act on at once. Of two with the same rank the newer is
// shown.
var ranks = map[Look]int{LookFever: 50, LookSealed: 40, LookFault: 30, LookUnknown: 20,
	LookRefuse: 11, LookInvalid: 11, LookRetest: 11, LookApart: 11, LookPass: 10, LookTapped: 10, LookMeasured: 10,
	LookOffline: 5, LookMeasuring: 2}

// wants are the looks of what the gate asks people to do.
var wants = map[gate.Wants]Look{
	gate.WantsTemperature: LookTapped, gate.WantsCard: LookMeasured, gate.WantsApart: LookApart}

// How long a verdict that needs no answer stays.
const (
	passFor      = 3 * time.Second
	amberFor     = 6 * time.Second
	offlineAfter = 10 * time.Second // without the county, before the screen says so
	muteFor      = 2 * time.Minute
	oldest       = 10 * time.Minute // older verdicts are not put up again after a restart
	maxReds      = 50
	recentShown  = 5
)

// The guard's answers, as they stand in audit records.
const (
	ActionRetest     = "retest"
	ActionIsolate    = "isolate"
	ActionCallDoctor = "call-doctor"
	ActionSentBack   = "sent-back"
	ActionCallGrid   = "call-grid"
	ActionIDChecked  = "id-checked"
	ActionTurnedAway = "turned-away"
	ActionNoted      = "noted"
	ActionMute       = "muted"
	ActionShiftTest  = "shift-test"
)

// answers are the buttons of a look, F1 to F3.
var answers = map[Look][]string{
	LookFever:   {ActionRetest, ActionIsolate, ActionCallDoctor},
	LookSealed:  {ActionSentBack, ActionCallGrid},
	LookUnknown: {ActionIDChecked, ActionTurnedAway},
	LookFault:   {ActionNoted},
	LookOffline: {ActionNoted},
	LookIdle:    {ActionShiftTest, ActionMute},
}

// item is one thing to show.
type item struct {
	id      string
	look    Look
	seq     uint64 // of the passage; 0: none
	alarm   string // id of the agent's alarm
	device  string
	kind    string // thermometer, reader, journal
	gone    bool   // the device is gone, rather than broken
	passage wire.Passage
	prompt  *gate.Prompt // what is asked, of a prompt
	lane    string
	at      clock.Moment  // Wall is zero where it is not known; what is shown goes by the boot clock
	until   time.Duration // boot clock; 0: until answered
}

// Screen decides what the guard sees. It is pure: the agent's events, answers
// and time go in, a View comes out. It is for one goroutine at a time.
type Screen struct {
	reds     []item          // not answered, oldest first
	verdicts map[string]item // by lane, the newest that needs no answer
	strips   []item          // answered faults that still hold
	done     []item          // answered reds, so that an amendment does not put them up again
	recent   []item          // newest first
	status   status.Snapshot
	lost     time.Duration // boot clock since when the county does not answer; 0: it does
	muted    time.Duration // boot clock until when there is no sound
	wall     time.Time     // the wall clock when the boot clock was 0: it moves when the clock is set
}

// NewScreen returns a screen at a quiet gate.
func NewScreen() *Screen { return &Screen{verdicts: map[string]item{}} }

// look returns a verdict its look.
func look(p wire.Passage) Look {
	switch p.Verdict {
	case fact.VerdictPass:
		return LookPass
	case fact.VerdictFever:
		return LookFever
	case fact.VerdictInvalid:
		return LookInvalid
	case fact.VerdictRetest:
		return LookRetest
	}
	switch {
	case slices.Contains(p.Reasons, fact.ReasonUnknownCard):
		return LookUnknown
	case slices.Contains(p.Reasons, fact.ReasonSealed):
		return LookSealed
	}
	return LookRefuse
}

func red(l Look) bool { return l == LookFever || l == LookSealed || l == LookUnknown }

func shares(a, b wire.Passage) bool {
	return slices.ContainsFunc(a.Readings, func(seq uint64) bool { return slices.Contains(b.Readings, seq) })
}

// newItem returns a verdict as an item. The alarm of a fever has the seq of the
// first passage that told of it.
func newItem(at clock.Moment, seq uint64, p wire.Passage) item {
	it := item{id: "p" + itoa(seq), look: look(p), seq: seq, passage: p, lane: p.Lane, at: at}
	if it.look == LookFever {
		it.alarm = fact.AlarmFever.ID(itoa(seq))
	}
	return it
}

// Passage takes a verdict that the journal holds.
func (s *Screen) Passage(now, at clock.Moment, seq uint64, p wire.Passage) {
	it := newItem(at, seq, p)
	s.remember(it)
	if red(it.look) {
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

// Earlier takes a verdict of before a restart: only a red one that is not
// answered is shown again. at is zero when it is not known how long ago it was.
func (s *Screen) Earlier(now, at clock.Moment, seq uint64, p wire.Passage, answered bool) {
	it := newItem(at, seq, p)
	s.remember(it)
	if red(it.look) && (at.Wall.IsZero() || now.Boot-at.Boot <= oldest) {
		s.red(now, it, answered)
	}
}

// red takes a verdict that stays until it is answered.
func (s *Screen) red(now clock.Moment, it item, answered bool) {
	same := func(x item) bool { return x.seq != 0 && shares(x.passage, it.passage) }
	if answered {
		// Who answered it answered what it amends.
		s.reds = slices.DeleteFunc(s.reds, same)
		s.done = append(s.done, it)
		return
	}
	if i := slices.IndexFunc(s.reds, same); i >= 0 {
		// It is about the same person: it takes the place of what it amends.
		if s.reds[i].look == it.look {
			it.id, it.alarm = s.reds[i].id, s.reds[i].alarm
		}
		s.reds[i] = it
		return
	}
	i := slices.IndexFunc(s.done, same)
	if i >= 0 && s.done[i].look == it.look && s.done[i].passage.Instruction == it.passage.Instruction {
		s.done[i] = it
		return // dealt with
	}
	s.raise(now, it)
}

// remember puts a verdict on the list of the last ones.
func (s *Screen) remember(it item) {
	if i := slices.IndexFunc(s.recent, func(x item) bool { return it.passage.Amends && shares(x.passage, it.passage) }); i >= 0 {
		s.recent = slices.Delete(s.recent, i, i+1)
	}
	s.recent = slices.Insert(s.recent, 0, it)
	s.recent = s.recent[:min(len(s.recent), recentShown)]
}

// raise adds a red item. A new one ends the silence.
func (s *Screen) raise(now clock.Moment, it item) {
	s.reds = append(s.reds, it)
	if len(s.reds) > maxReds {
		s.reds = slices.Delete(s.reds, 0, len(s.reds)-maxReds)
	}
	if s.muted > now.Boot {
		s.muted = 0
	}
}

// Status takes how the gate stands.
func (s *Screen) Status(now clock.Moment, st status.Snapshot) {
	s.status = st
	for _, d := range st.Devices {
		s.device(now, d)
	}
	s.county(now, st.Linked)
	if st.Unkept != "" {
		s.holds(now, item{id: "f-journal", look: LookFault, device: "journal", kind: "journal", alarm: fact.AlarmJournalWrite.ID("")})
	} else {
		s.mended("f-journal")
	}
}

func (s *Screen) device(now clock.Moment, d status.Device) {
	id := "f-" + d.Name
	if d.State == fact.DeviceOK {
		s.mended(id)
		return
	}
	it := item{id: id, look: LookFault, device: d.Name, kind: kindOf(d.Kind), gone: d.State == fact.DeviceGone, alarm: fact.AlarmDeviceFault.ID(d.Name)}
	if it.gone {
		it.alarm = fact.AlarmDeviceGone.ID(d.Name)
	}
	s.holds(now, it)
}

func (s *Screen) county(now clock.Moment, linked bool) {
	switch {
	case linked:
		s.lost = 0
		s.mended("offline")
	case s.lost == 0:
		s.lost = max(now.Boot, 1)
	case now.Boot-s.lost >= offlineAfter:
		since := clock.Moment{Wall: now.Wall.Add(s.lost - now.Boot), Boot: s.lost}
		s.holds(now, item{id: "offline", look: LookOffline, at: since})
	}
}

// holds says that a condition holds: it is raised once.
func (s *Screen) holds(now clock.Moment, it item) {
	same := func(x item) bool { return x.id == it.id }
	for _, list := range [][]item{s.reds, s.strips} {
		if i := slices.IndexFunc(list, same); i >= 0 {
			list[i].gone, list[i].alarm = it.gone, it.alarm
			return
		}
	}
	if it.at.Wall.IsZero() {
		it.at = now
	}
	s.raise(now, it)
}

func (s *Screen) mended(id string) {
	same := func(x item) bool { return x.id == id }
	s.reds = slices.DeleteFunc(s.reds, same)
	s.strips = slices.DeleteFunc(s.strips, same)
}

// Press takes an answer to the item that the page showed. ok is false when it
// is no longer there, or has no such button. Keep the audit before Settle.
func (s *Screen) Press(now clock.Moment, id, action string) (audit wire.Audit, ok bool) {
	audit = wire.Audit{Actor: "guard", Action: action}
	if action == ActionMute || action == ActionShiftTest {
		return audit, true
	}
	t := s.top(now)
	if t == nil || t.id != id || !slices.Contains(answers[t.look], action) {
		return audit, false
	}
	audit.Passage, audit.Alarm = t.seq, t.alarm
	return audit, true
}

// Settle takes the item off that Press answered. What amended it since then stays:
// nobody has seen that.
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
	if it.seq == 0 {
		s.strips = append(s.strips, it)
		return
	}
	s.done = append(s.done, it)
	s.done = s.done[max(0, len(s.done)-maxReds):]
}

// Urgent reports whether something waits that must be heard.
func (s *Screen) Urgent(now clock.Moment) bool {
	t := s.top(now)
	return t != nil && t.until == 0 && t.look != LookOffline && s.muted <= now.Boot
}

// kindOf tells which devices a lamp stands for.
func kindOf(k devices.Kind) string {
	switch k {
	case devices.KindThermometer:
		return "thermometer"
	case devices.KindCardReader, devices.KindScanner:
		return "reader"
	}
	return ""
}
