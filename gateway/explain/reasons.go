package explain

import (
	"strings"

	"gatehouse/gateway/fact"
)

// reason is how a reason is explained.
type reason struct {
	with string // names of the values in the sentence that says what happened
	// pass is the code of the sentence that says what would have let the person pass, and
	// passWith are the values in it. Empty: nothing stood in the way.
	pass, passWith string
}

// reasons explains each reason that a passage can have.
var reasons = map[fact.Reason]reason{
	fact.ReasonNormal:    {with: "value low fever"},
	fact.ReasonEntered:   {with: "with"},
	fact.ReasonFever:     {"value fever", "reading", "low fever"},
	fact.ReasonTooCold:   {"value low", "warmer", "low fever"},
	fact.ReasonUnsettled: {"samples seconds", "steady", "low fever"},

	fact.ReasonAmbientLow:    {"ambient min max", "ambient", "min max"},
	fact.ReasonAmbientHigh:   {"ambient min max", "ambient", "min max"},
	fact.ReasonHotBackground: {"background", "background", ""},
	fact.ReasonSensorDrift:   {"", "drift", ""},
	fact.ReasonNoTemperature: {"pairing", "measured", "pairing low fever"},
	fact.ReasonNoCard:        {"pairing", "card", "pairing"},
	fact.ReasonOneAtATime:    {"", "alone", ""},
	fact.ReasonNoReader:      {"", "reader", ""},
	fact.ReasonNoThermometer: {"", "by-hand", "low fever"},
	fact.ReasonNotMeasured:   {},
	fact.ReasonHighForGate:   {"measured high median readings", "high", "low high"},
	fact.ReasonDoubtful:      {"", "by-hand", "low fever"},
	fact.ReasonUnderCheck:    {"", "by-hand", "low fever"},

	fact.ReasonUnknownCard: {"card", "listed", ""},
	fact.ReasonLostCard:    {"", "lost", ""},
	fact.ReasonSealed:      {"", "sealed", ""},
	fact.ReasonNotYet:      {"at next", "from", "next"},
	fact.ReasonExpired:     {"at", "valid", "at"},
	fact.ReasonDirection:   {"class direction", "direction", "class"},

	fact.ReasonHours:        {"at class direction", "from", "next"},
	fact.ReasonQuota:        {"used times", "quota", "next"},
	fact.ReasonUsesUp:       {"used times", "uses", ""},
	fact.ReasonPassback:     {"last direction", "passback", "next"},
	fact.ReasonPurpose:      {"class", "purpose", "class"},
	fact.ReasonLaneFirst:    {"last", "lane-first", "rule"},
	fact.ReasonSealedEntry:  {"", "sealed-entry", ""},
	fact.ReasonSealedVisit:  {"", "sealed-visit", ""},
	fact.ReasonOpening:      {with: "at"},
	fact.ReasonClockUnknown: {with: "at"},

	fact.ReasonLetPass: {with: "guard why"},
	fact.ReasonStopped: {"guard why", "stopped", "guard"},

	fact.ReasonTooEarly:       {"first ready", "waited", "ready low fever"},
	fact.ReasonRetestDue:      {"first", "second", "low fever"},
	fact.ReasonContactNeeded:  {"first", "contact", "low fever"},
	fact.ReasonFeverConfirmed: {"until", "contact", "low fever"},

	fact.ReasonPassForged:      {"", "pass-signed", ""},
	fact.ReasonPassUnreadable:  {"", "pass-readable", ""},
	fact.ReasonPassElsewhere:   {"", "pass-here", ""},
	fact.ReasonPassNotAccepted: {"policy", "pass-accepted", ""},
}

// because says what a reason means here. A reason that this version does not know is
// said by its code.
func (x *explained) because(r fact.Reason) {
	code, with := "reason."+string(r), reasons[r].with
	if r == fact.ReasonExpired && x.Basis != nil && x.Basis.Until != nil {
		code, with = code+".since", with+" end"
	}
	x.say(PartBecause, code, strings.Fields(with)...)
}

// wouldPass says what would have let the person pass.
func (x *explained) wouldPass() {
	for _, r := range x.Reasons {
		e, known := reasons[r]
		switch {
		case x.note(r):
		case !known:
			x.say(PartPass, "pass.unknown")
		case e.pass != "":
			code, with := x.variant(r, e)
			x.say(PartPass, "pass."+code, strings.Fields(with)...)
		}
	}
}

// note reports whether a reason only says something besides a decision that let the card
// pass: the fever stands in the way, not the card.
func (x *explained) note(r fact.Reason) bool {
	if x.Verdict == fact.VerdictRefuse {
		return false
	}
	switch r {
	case fact.ReasonSealedEntry, fact.ReasonSealedVisit:
		return true // with a fever it is not known which of both it was
	case fact.ReasonPassback:
		return x.Basis == nil || x.Basis.Next == nil
	}
	return false
}

// variant returns the sentence that says what would have let the person pass, and the
// values in it, where they depend on what is known.
func (x *explained) variant(r fact.Reason, e reason) (code, with string) {
	b := x.Basis
	timeless := b == nil || b.Next == nil
	switch r {
	case fact.ReasonNotYet, fact.ReasonHours, fact.ReasonQuota, fact.ReasonPassback:
		if timeless {
			return e.pass + ".later", ""
		}
		if r == fact.ReasonQuota && b.Household != "" {
			return "quota.household", e.passWith
		}
	case fact.ReasonLostCard:
		if x.Instruction == fact.InstructCheckID {
			return "lost.identify", ""
		}
	}
	return e.pass, e.passWith
}
