// Package fact holds the words of the domain as types: temperatures, verdicts
// and their reasons, states, the catalogue of alarms, and the fields of a
// machine's sample. It is the ground floor: it imports nothing of gatehouse, and
// every other package may import it. What a value looks like on the wire is
// documented in wire/WIRE.md.
package fact

// ReadingType says what a reading is of.
type ReadingType string

// The types of readings.
const (
	ReadingTemperature ReadingType = "temperature" // one person's measurement
	ReadingCard        ReadingType = "card"        // one tap of a card
	ReadingCode        ReadingType = "code"        // one QR code or barcode
	ReadingEntered     ReadingType = "entered"     // a value that the guard read off a thermometer in the hand
)

// HandHeld is a kind of thermometer that is read by a person.
type HandHeld string

// The kinds of hand-held thermometers.
const (
	HandHeldContact  HandHeld = "contact"  // in the armpit or ear
	HandHeldForehead HandHeld = "forehead" // an infrared gun
)

// Valid reports whether h is one of the kinds.
func (h HandHeld) Valid() bool { return h == HandHeldContact || h == HandHeldForehead }

// CheckState says how far a field check of a thermometer is.
type CheckState string

// The states of a field check.
const (
	CheckOpen    CheckState = "open"     // people are being measured
	CheckDone    CheckState = "done"     // it has a result
	CheckGivenUp CheckState = "given-up" // it was ended without one
)

// CheckFault says what a field check found wrong with a thermometer.
type CheckFault string

// The faults that a field check finds.
const (
	// CheckOff: it differs from a contact thermometer by more than 0.5 °C in the mean.
	CheckOff CheckFault = "off"
	// CheckMisses: people read normal whom a contact thermometer finds with a fever.
	CheckMisses CheckFault = "misses-fevers"
	// CheckFlat: it hardly follows what a contact thermometer shows.
	CheckFlat CheckFault = "flat"
)

// Direction is the way in which the people at a reader go. It comes from the
// reader's configuration.
type Direction string

// The directions. A thermometer, and a reader for both ways, has none.
const (
	DirectionNone Direction = ""
	DirectionIn   Direction = "in"
	DirectionOut  Direction = "out"
)

// Valid reports whether d is one of the directions, DirectionNone included.
func (d Direction) Valid() bool {
	return d == DirectionNone || d == DirectionIn || d == DirectionOut
}

// Verdict is the decision about a person at a gate.
type Verdict string

// The verdicts, from the one that overrides all others to the one that needs
// every condition to hold.
const (
	VerdictFever   Verdict = "fever"   // screening temperature at or above the limit
	VerdictRefuse  Verdict = "refuse"  // the card may not pass
	VerdictInvalid Verdict = "invalid" // the value can't be judged: warm up, measure again
	VerdictRetest  Verdict = "retest"  // no settled value: measure again
	VerdictPass    Verdict = "pass"
)

// Valid reports whether v is one of the verdicts.
func (v Verdict) Valid() bool {
	switch v {
	case VerdictFever, VerdictRefuse, VerdictInvalid, VerdictRetest, VerdictPass:
		return true
	}
	return false
}

// Instruction says what the person at the gate has to do.
type Instruction string

// The instructions.
const (
	InstructGo            Instruction = "go"
	InstructGoHome        Instruction = "go-home"         // resident with fever: go home and wait
	InstructTurnAway      Instruction = "turn-away"       // visitor with fever, or one who may not pass
	InstructWarmUp        Instruction = "warm-up"         // too cold to judge
	InstructWait          Instruction = "wait"            // a first high reading: wait in the warm, then measure again
	InstructMeasureAgain  Instruction = "measure-again"   //
	InstructMeasure       Instruction = "measure"         // card without temperature
	InstructMeasureByHand Instruction = "measure-by-hand" // no thermometer works, or it can't judge here
	InstructCheckID       Instruction = "check-identity"  // unknown card
)
