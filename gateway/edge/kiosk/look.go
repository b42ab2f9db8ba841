package kiosk

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/episode"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
)

// Look is the kind of view that fills the screen.
type Look string

// The looks, the most important first. Red ones stay until the guard has answered them;
// the fault of a device and a lost connection become a strip then.
const (
	LookFever     Look = "fever"     // red
	LookSealed    Look = "sealed"    // red: somebody of a sealed household
	LookFault     Look = "fault"     // red: a device is broken or gone
	LookSealedIn  Look = "sealed-in" // red: somebody of a sealed household comes home, and no rule says what then
	LookUnknown   Look = "unknown"   // red: the roster does not list the card
	LookRefuse    Look = "refuse"    // amber
	LookInvalid   Look = "invalid"   // amber: too cold to judge, and the like
	LookRetest    Look = "retest"    // amber
	LookPass      Look = "pass"      // light
	LookOffline   Look = "offline"   // red, once: the county does not answer
	LookApart     Look = "apart"     // amber: more than one person in the lane
	LookUnread    Look = "unread"    // amber: a code that can't be read was shown
	LookTapped    Look = "tapped"    // light: card read, now the temperature
	LookMeasured  Look = "measured"  // light: temperature taken, now the card
	LookMeasuring Look = "measuring" // light
	LookIdle      Look = "idle"      // light
	LookCheck     Look = "check"     // light: a thermometer is compared with a contact thermometer
	LookRetired   Look = "retired"   // red: the gate is out of service for good; nothing else is shown
)

// ranks orders the looks by importance: what concerns the people in the lanes comes
// before what the guard need not act on at once. Of two items with the same rank the
// newer is shown.
var ranks = map[Look]int{LookConfirmed: 55, LookFever: 50,
	LookSealed: 40, LookFault: 30, LookSealedIn: 21, LookUnknown: 20,
	LookRefuse: 11, LookInvalid: 11, LookRetest: 11, LookApart: 11, LookUnread: 11, LookPass: 10, LookTapped: 10,
	LookMeasured: 10, LookCheck: 9, LookCalled: 8, LookOffline: 5, LookMeasuring: 2}

// wants maps what a visit waits for to its look.
var wants = map[gate.Wants]Look{
	gate.WantsTemperature: LookTapped, gate.WantsCard: LookMeasured, gate.WantsApart: LookApart,
	gate.WantsCode: LookUnread}

// How long things are shown.
const (
	passFor = 3 * time.Second
	// verdictWithin is how long after the end of a visit its verdict may come; meanwhile the
	// screen must not look idle, or a key meant for that is taken by what follows.
	verdictWithin = 500 * time.Millisecond
	amberFor      = 6 * time.Second
	offlineAfter  = 10 * time.Second // without the county, before the screen says so
	muteFor       = 2 * time.Minute
	oldest        = 10 * time.Minute // older verdicts are not shown again after a restart
	maxReds       = 50
	recentShown   = 5
)

// The guard's answers, as in audit records.
const (
	ActionRetest     = "retest"
	ActionIsolate    = "isolate"
	ActionCallDoctor = "call-doctor"
	ActionSentBack   = "sent-back"
	ActionCallGrid   = "call-grid"
	ActionLetHome    = "let-home"
	ActionIDChecked  = "id-checked"
	ActionTurnedAway = "turned-away"
	ActionNoted      = "noted"
	ActionMute       = "muted"
	ActionShiftTest  = "shift-test"
	ActionTestPassed = "shift-test-passed" // all of it was seen and heard
	ActionTestFailed = "shift-test-failed"
	// ActionByHand answers the fault of a thermometer; the page opens the keys for a value.
	ActionByHand = "by-hand"
	ActionEnter  = "enter" // opens the keys for a hand-held thermometer's value; no audit record
	ActionMenu   = "menu"  // opens the guard's menu; no audit record
)

// answers are the buttons of a look, F1 to F3.
var answers = map[Look][]string{
	LookFever:     {ActionRetest, ActionIsolate, ActionCallDoctor},
	LookSealed:    {ActionSentBack, ActionCallGrid},
	LookSealedIn:  {ActionCallGrid, ActionLetHome},
	LookUnknown:   {ActionIDChecked, ActionTurnedAway, ActionCallCommunity},
	LookFault:     {ActionByHand, ActionNoted, ActionCallIT},
	LookCalled:    {ActionReached, ActionArrived, ActionBack},
	LookOffline:   {ActionNoted},
	LookInvalid:   {ActionEnter},
	LookRetest:    {ActionEnter},
	LookIdle:      {ActionShiftTest, ActionMenu, ActionEnter},
	LookConfirmed: {ActionIsolate, ActionCallDoctor, ActionTurnedAway},
	LookWaiting:   {ActionWaiters, ActionEnter, ActionLater},
	LookReady:     {ActionRetestNow, ActionEnter, ActionLater},
	LookContact:   {ActionEnter, ActionRetestNow, ActionLater},
}

// ofNobody are what the guard does that answers no alarm.
var ofNobody = []string{ActionMute, ActionShiftTest, ActionTestPassed, ActionTestFailed, post.SignOut, post.TookOver,
	post.StillHere}

// ofThePage are the buttons that answer nothing by themselves: the page opens something.
var ofThePage = []string{ActionEnter, ActionMenu, ActionRetestNow}

// buttons returns the buttons of a look; kind is that of a fault.
func buttons(l Look, kind string) []string {
	out := append([]string{}, answers[l]...)
	switch {
	case l == LookFault && kind == "check-due":
		return []string{ActionCheck, ActionNoted}
	case l == LookFault && kind == "doubtful":
		return []string{ActionByHand, ActionNoted, ActionCheck} // a screen has three buttons
	}
	if l == LookFault && kind != "thermometer" {
		out = slices.DeleteFunc(out, func(a string) bool { return a == ActionByHand })
	}
	return out
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
	prompt  *gate.Prompt     // of a prompt
	call    *status.Call     // of a call
	check   *status.Check    // of a field check
	episode *episode.Episode // of somebody who waits to be measured again
	lane    string
	at      clock.Moment  // Wall is zero if unknown; the screen is timed by the boot clock
	until   time.Duration // boot clock; 0: until answered
}

// look returns the look of a verdict.
func look(p wire.Passage) Look {
	switch p.Verdict {
	case fact.VerdictPass:
		return LookPass
	case fact.VerdictFever:
		return feverOf(p.Episode)
	case fact.VerdictInvalid:
		return LookInvalid
	case fact.VerdictRetest:
		return LookRetest
	}
	switch {
	case slices.Contains(p.Reasons, fact.ReasonUnknownCard):
		return LookUnknown
	case slices.Contains(p.Reasons, fact.ReasonSealed) && p.Direction == fact.DirectionIn:
		return LookSealedIn
	case slices.Contains(p.Reasons, fact.ReasonSealed):
		return LookSealed
	}
	return LookRefuse
}

// feverOf returns the look of a fever by where it stands in its episode.
func feverOf(e *wire.EpisodeStep) Look {
	switch {
	case e != nil && e.Step == fact.EpisodeConfirmed:
		return LookConfirmed
	case e != nil && e.Step == fact.EpisodeEarly:
		return LookRetest // the guard knows of it, and it decides nothing
	}
	return LookFever
}

// red reports whether a verdict stays on the screen until it is answered.
func red(l Look) bool {
	return l == LookFever || l == LookConfirmed || l == LookSealed || l == LookSealedIn || l == LookUnknown
}

func shares(a, b wire.Passage) bool {
	return slices.ContainsFunc(a.Readings, func(seq uint64) bool { return slices.Contains(b.Readings, seq) })
}

// newItem returns a verdict as an item. The id of a fever's alarm holds the seq of the
// first passage about it.
func newItem(at clock.Moment, seq uint64, p wire.Passage) item {
	it := item{id: "p" + itoa(seq), look: look(p), seq: seq, passage: p, lane: p.Lane, at: at}
	if it.look == LookFever {
		it.alarm = fact.AlarmFever.ID(itoa(seq))
	}
	if it.look == LookConfirmed {
		it.alarm = fact.AlarmFeverConfirmed.ID(p.Episode.ID)
	}
	return it
}
