package runs

import (
	"fmt"
	"time"
)

// Grade says how well the evidence supports a run.
type Grade string

// The grades.
const (
	Proven   Grade = "proven"   // the flow was measured, and the tank fell by as much
	Measured Grade = "measured" // the flow was measured; no tank level confirms it
	Dry      Grade = "dry"      // commanded, and somebody measured that next to nothing flowed
	Leak     Grade = "leak"     // something flowed without command
	Unproven Grade = "unproven" // nobody measured the flow
	Disputed Grade = "disputed" // flow, counter and tank contradict each other
	Declared Grade = "declared" // imported or declared by hand
)

// Reasons behind a grade: codes, for screens.
const (
	ReasonAgrees     = "flow-and-tank-agree"
	ReasonNoTank     = "no-tank-sensor"
	ReasonSmall      = "too-little-for-tank-sensor"
	ReasonNoFlow     = "nothing-flowed"
	ReasonNoSensor   = "no-flow-sensor"
	ReasonUnmeasured = "flow-not-known"
	ReasonNotHeard   = "not-heard-from-since"
	ReasonUnasked    = "flowed-without-command"
	ReasonTankFull   = "tank-did-not-fall"
	ReasonNoSize     = "tank-size-not-known"
	ReasonHung       = "flow-went-on-without-tank"
	ReasonSensorMute = "tank-fell-without-flow"
	ReasonDiffers    = "flow-and-tank-differ"
	ReasonMeters     = "counter-and-flow-differ"
	ReasonUncounted  = "partly-by-flow"
	ReasonReset      = "counter-reset"
	ReasonJump       = "meter-jump"
	ReasonTurns      = "counter-turns"
	ReasonNoCommand  = "command-not-known"
	ReasonStill      = "did-not-move"
	ReasonNoFix      = "no-position"
	ReasonGaps       = "gaps"
	ReasonDeclared   = "declared"
)

// Evidence is what the samples show. A nil field is not known.
type Evidence struct {
	Commanded *bool
	Moved     *bool
	Flowed    *bool
	TankFell  *bool
}

// Run is one disinfection task of one machine: one or more sorties, with the
// pauses for refill and battery between them. All its numbers are of the samples
// from Since to Until: what comes after the last sortie, such as the refill for
// the next run, does not count.
type Run struct {
	ID      string // machine and begin; unique within the machine
	Machine string
	Start   time.Time
	End     time.Time // of the last work
	Since   time.Time // of the first sample that counts: counter and tank are read against it
	Until   time.Time // of the last sample that counts
	Working bool      // a sortie is under way
	Sorties int
	Samples int

	Commanded time.Duration // the pump was told to run
	Flowing   time.Duration // something flowed
	Gaps      time.Duration // nothing was heard, between the samples of a sortie
	// On is how long it worked: as long as it flowed and, where nobody measured that
	// or nothing flowed at all, as long as it was told to run.
	On       time.Duration
	Work     []Span  // when it worked: they add up to On
	Distance float64 // metres that it moved while it worked
	BadFixes int     // positions that could not be true

	Meter      *float64 // litres by the counter; before its first value and after its last, by flow and time
	Integrated *float64 // litres by flow and time; not across gaps
	Unasked    float64  // litres of these that flowed without command
	TankFell   *float64 // litres, where the tank's size is known; refills are not counted
	TankFirst  *float64 // percent, when it began
	TankLast   *float64 // percent, the lowest since it began or was refilled last
	Refilled   float64  // percent that refills brought: TankFirst + Refilled - TankLast is what fell
	Refills    int
	Faults     []string // codes, as the machine reports them

	Evidence Evidence
	Grade    Grade
	Reasons  []string
}

// Litres returns what was dispensed by the flow meter: its counter where it has
// one, because that counts on in gaps; nil without a flow meter.
func (r *Run) Litres() *float64 {
	if r.Meter != nil {
		return r.Meter
	}
	return r.Integrated
}

func runID(machine string, start time.Time) string {
	return fmt.Sprintf("%s-%s", machine, start.UTC().Format("20060102t150405.000z"))
}
