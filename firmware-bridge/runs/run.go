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
	Dry      Grade = "dry"      // commanded, and next to nothing flowed
	Leak     Grade = "leak"     // something flowed without command
	Unproven Grade = "unproven" // nothing measures the flow
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
	ReasonUnasked    = "flowed-without-command"
	ReasonTankFull   = "tank-did-not-fall"
	ReasonNoSize     = "tank-size-not-known"
	ReasonHung       = "flow-went-on-without-tank"
	ReasonSensorMute = "tank-fell-without-flow"
	ReasonDiffers    = "flow-and-tank-differ"
	ReasonMeters     = "counter-and-flow-differ"
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
	Work      []Span        // when it worked: they add up to On
	Distance  float64       // metres between positions, in its sorties
	BadFixes  int           // positions that could not be true

	Meter      *float64 // litres by the counter of the flow meter; by flow and time since it was last heard
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

// On returns how long it worked: as long as it flowed, or, where nothing
// measures that, as long as it was told to.
func (r *Run) On() time.Duration {
	if r.Litres() != nil {
		return r.Flowing
	}
	return r.Commanded
}

func runID(machine string, start time.Time) string {
	return fmt.Sprintf("%s-%s", machine, start.UTC().Format("20060102t150405.000z"))
}

// least is the litres that count as having flowed.
const least = 0.1

// judge sets evidence, grade and reasons from the numbers.
func (t *Tracker) judge(r *Run, c *tally) {
	litres := r.Litres()
	r.Evidence = Evidence{}
	if c.command.known {
		r.Evidence.Commanded = new(c.command.given)
	}
	if c.fixes > 1 {
		r.Evidence.Moved = new(c.reach > movedBeyond)
	}
	if litres != nil {
		enough := least + t.cfg.MinFlow*r.Commanded.Minutes()
		// A run without a command is one only because something flowed.
		r.Evidence.Flowed = new(!c.command.given || *litres >= enough || c.flow.seen && r.Commanded < 5*time.Second)
	}
	size := t.cfg.TankLitres
	resolution := max(1, 0.05*size) // litres that a level sensor shows for certain
	if r.TankFell != nil {
		r.Evidence.TankFell = new(*r.TankFell >= resolution)
	}
	r.Grade, r.Reasons = grade(r, c.flow.stuck, resolution)
	if c.flow.both.differ() {
		r.Grade, r.Reasons = Disputed, []string{ReasonMeters}
	}
	r.Reasons = append(r.Reasons, c.flow.counterReasons()...)
	if e := r.Evidence.Moved; e != nil && !*e {
		r.Reasons = append(r.Reasons, ReasonStill)
	}
	if c.fixes == 0 {
		r.Reasons = append(r.Reasons, ReasonNoFix)
	}
	if r.Gaps > 0 {
		r.Reasons = append(r.Reasons, ReasonGaps)
	}
}

func grade(r *Run, hung bool, resolution float64) (Grade, []string) {
	litres, commanded := r.Litres(), r.Evidence.Commanded
	yes := func(b *bool) bool { return b != nil && *b }
	fell := yes(r.Evidence.TankFell)
	switch {
	case litres == nil:
		return Unproven, []string{ReasonNoSensor}
	case !yes(r.Evidence.Flowed) && fell:
		return Disputed, []string{ReasonSensorMute}
	case !yes(r.Evidence.Flowed):
		return Dry, []string{ReasonNoFlow}
	case hung:
		return Disputed, []string{ReasonHung}
	case r.TankFell != nil && *litres >= 2*resolution && *r.TankFell < 0.3**litres:
		if fell {
			return Disputed, []string{ReasonDiffers}
		}
		return Disputed, []string{ReasonTankFull}
	case commanded != nil && (!*commanded || r.Unasked >= max(0.3, 0.15**litres)):
		return Leak, []string{ReasonUnasked}
	}
	var why []string
	if commanded == nil {
		why = append(why, ReasonNoCommand)
	}
	switch {
	case r.TankFell == nil && r.TankFirst != nil:
		return Measured, append([]string{ReasonNoSize}, why...)
	case r.TankFell == nil:
		return Measured, append([]string{ReasonNoTank}, why...)
	case abs(*litres-*r.TankFell) > max(0.25**litres, resolution):
		return Disputed, append([]string{ReasonDiffers}, why...)
	case *litres < 2*resolution:
		return Measured, append([]string{ReasonSmall}, why...)
	}
	return Proven, append([]string{ReasonAgrees}, why...)
}

func abs(v float64) float64 { return max(v, -v) }
