package fact

import "strings"

// Reason is a code that says why a verdict was given. The codes are explained
// in wire/WIRE.md.
type Reason string

// Reasons that come from the measurement and from the visit.
const (
	ReasonNormal        Reason = "normal"         // settled, in range, below the limit
	ReasonFever         Reason = "fever"          // screening temperature at or above the limit
	ReasonUnsettled     Reason = "unsettled"      // the value did not settle, or the person left too soon
	ReasonTooCold       Reason = "too-cold"       // screening temperature below what can be judged
	ReasonAmbientLow    Reason = "ambient-low"    // colder than the thermometer is rated for
	ReasonAmbientHigh   Reason = "ambient-high"   // warmer than that
	ReasonHotBackground Reason = "hot-background" // something as warm as a person stands behind them
	ReasonSensorDrift   Reason = "sensor-drift"   // the thermometer's own temperature is on the move
	ReasonNoTemperature Reason = "no-temperature" // a card, and nobody was measured within the window
	ReasonNoCard        Reason = "no-card"        // a measurement, and no card within the window
	ReasonOneAtATime    Reason = "one-at-a-time"  // more than one card or person in the lane: who is who is not known
	ReasonNoReader      Reason = "no-reader"      // a measurement, and no reader of the lane works
	ReasonNoThermometer Reason = "no-thermometer" // a card, and no thermometer of the lane works
	ReasonEntered       Reason = "entered"        // the guard read the value off a hand-held thermometer
	ReasonNotMeasured   Reason = "not-measured"   // the lane does not measure: the card alone decided
	ReasonHighForGate   Reason = "high-for-gate"  // below the fever limit, and well above what others read here
	ReasonDoubtful      Reason = "doubtful"       // the thermometer reads what people can't be
	ReasonUnderCheck    Reason = "under-check"    // a card, and the lane's thermometer is being checked
)

// Reasons that come from the roster and the policy.
const (
	ReasonUnknownCard Reason = "unknown-card"     // the roster does not list it
	ReasonLostCard    Reason = "lost-card"        // reported lost
	ReasonSealed      Reason = "sealed-household" // the household is sealed
	ReasonNotYet      Reason = "not-yet-valid"    // before the card's first day
	ReasonExpired     Reason = "expired"          // after the card's last day
	ReasonDirection   Reason = "direction"        // its class may not go this way
)

// Reasons that come from the rules of a class, from sealed households, and from the
// clock. Those marked (also) are said of a pass, too.
const (
	ReasonHours        Reason = "outside-hours"        // outside the hours of its class
	ReasonQuota        Reason = "quota-used"           // household or card have passed as often as they may
	ReasonUsesUp       Reason = "uses-up"              // the card was used as often as it may be
	ReasonPassback     Reason = "anti-passback"        // the card went this way last (also)
	ReasonPurpose      Reason = "purpose"              // the card names no purpose that its class may pass for
	ReasonLaneFirst    Reason = "other-lane-first"     // another lane comes first, such as the disinfection
	ReasonSealedEntry  Reason = "sealed-entry"         // somebody of a sealed household comes home (also)
	ReasonSealedVisit  Reason = "sealed-visit"         // a visitor of a sealed household (also)
	ReasonOpening      Reason = "declared-opening"     // a sealed household, in a time declared before (also)
	ReasonClockUnknown Reason = "clock-unsynchronised" // judged by the last known time (also)
)

// Reasons that come from a signed pass, shown in place of a card.
const (
	ReasonPassForged      Reason = "pass-forged"       // this county did not sign it
	ReasonPassUnreadable  Reason = "pass-unreadable"   // part of it is missing or changed
	ReasonPassElsewhere   Reason = "pass-elsewhere"    // it is for another gate
	ReasonPassNotAccepted Reason = "pass-not-accepted" // the policy takes no passes, or not of this class or length
)

// Reasons of a guard who decided against the gate's verdict; those of the gate follow.
const (
	ReasonLetPass Reason = "let-pass" // the guard let them pass
	ReasonStopped Reason = "stopped"  // the guard stopped them
)

// PassFault says why a code that claims to be a signed pass does not count at a gate,
// whatever its rules.
type PassFault string

// The faults of a pass.
const (
	PassForged     PassFault = "forged"
	PassUnreadable PassFault = "unreadable"
	PassElsewhere  PassFault = "elsewhere"
)

// Reason returns the reason of a verdict against a pass with this fault.
func (f PassFault) Reason() Reason { return Reason("pass-" + f) }

// JoinReasons returns the codes as one text, with sep between them.
func JoinReasons(reasons []Reason, sep string) string {
	var b strings.Builder
	for i, r := range reasons {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(string(r))
	}
	return b.String()
}
