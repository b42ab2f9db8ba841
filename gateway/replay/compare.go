package replay

import (
	"slices"
	"time"

	"gatehouse/gateway/wire"
)

// Change says how far a verdict differs from the one that was recorded.
type Change string

// How far it differs.
const (
	Same     Change = ""         // in nothing
	Decides  Change = "verdict"  // another verdict, or none on one side
	Reasons  Change = "reason"   // the same verdict for other reasons, by another rule, or with another instruction
	Figures  Change = "figures"  // the same by the same rule, which counted otherwise
	Replaced Change = "replaced" // on one side only, and only until it was replaced
	Unknown  Change = "unknown"  // it can't be decided again: a reading is not there
	Unruled  Change = "unruled"  // it can't be decided again: the rules of then are not at hand
	Ended    Change = "ended"    // the agent ended before it could record a verdict: there is nothing to compare
)

// Change compares both sides.
func (o Outcome) Change() Change {
	switch {
	case o.Unruled:
		return Unruled
	case o.Missing != 0:
		return Unknown
	case o.Cut && o.Was == nil:
		return Ended
	case o.Replaced:
		return Replaced
	case o.Was == nil || o.Is == nil || o.Was.Verdict != o.Is.Verdict:
		return Decides
	case !slices.Equal(o.Was.Reasons, o.Is.Reasons), o.Was.Instruction != o.Is.Instruction, rule(o.Was) != rule(o.Is):
		return Reasons
	case step(o.Was) != step(o.Is), o.Was.Class != o.Is.Class, o.Was.Credential != o.Is.Credential,
		!sameBasis(o.Was.Basis, o.Is.Basis):
		return Figures
	}
	return Same
}

// step returns the step of a fever episode.
func step(p *wire.Passage) string {
	if p.Episode == nil {
		return ""
	}
	return p.Episode.ID + " " + string(p.Episode.Step)
}

func rule(p *wire.Passage) string {
	if p.Basis == nil {
		return ""
	}
	return p.Basis.Rule
}

// sameBasis compares what a rule was applied to.
func sameBasis(a, b *wire.Basis) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Household == b.Household && a.Pass == b.Pass && a.Used == b.Used &&
		a.Times == b.Times && near(a.Last, b.Last) && near(a.Next, b.Next)
}

// tolerance is how far two times may be apart that are the same: a clock that is not
// synchronised is known to the second in which it was last.
const tolerance = 2 * time.Second

func near(a, b *wire.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Sub(b.Time).Abs() <= tolerance
}
