package gate

import (
	"errors"
	"slices"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// Why a guard can't decide against a verdict.
var (
	ErrNoOverride  = errors.New("the policy does not let a guard decide against this verdict")
	ErrNoReason    = errors.New("the reason is not among the policy's overrides.reasons")
	ErrNever       = errors.New("nobody lets a fever, or a forged pass, through")
	ErrNobody      = errors.New("it is not known who that was: let everybody step back first, and tap again")
	ErrSealedHouse = errors.New("somebody of a sealed household leaves for a medical emergency only: " +
		"choose a reason that the policy marks emergency, and call the county")
)

// Overridable returns why a guard may not decide against a passage for a reason, or nil.
func Overridable(o *policy.Overrides, p wire.Passage, reason string) error {
	why, ok := o.Reason(reason)
	has := func(r fact.Reason) bool { return slices.Contains(p.Reasons, r) }
	against := p.Verdict
	if p.Override != nil {
		against = p.Override.Against
	}
	stops := p.Verdict == fact.VerdictPass
	switch {
	case !stops && (against == fact.VerdictFever || has(fact.ReasonFever) || has(fact.ReasonFeverConfirmed) ||
		has(fact.ReasonPassForged) || p.Episode != nil && p.Episode.Step != fact.EpisodeCleared):
		return ErrNever
	case o == nil || p.Override == nil && !slices.Contains(o.Verdicts, p.Verdict):
		return ErrNoOverride
	case !ok:
		return ErrNoReason
	case has(fact.ReasonOneAtATime):
		return ErrNobody
	case !stops && has(fact.ReasonSealed) && !why.Emergency:
		return ErrSealedHouse
	}
	return nil
}

// Override decides as a guard does, for a reason, against the verdict of a passage: who
// was stopped passes, who passed is stopped. The passage that it returns amends that
// one and counts like any other. It ends the visit.
func (g *Gate) Override(at clock.Moment, p wire.Passage, guard, reason string) (Event, error) {
	if err := Overridable(g.cfg.Rules.Overrides, p, reason); err != nil {
		return Event{}, err
	}
	if g.fevers.book != nil && p.Verdict != fact.VerdictPass {
		if _, open := g.fevers.book.Of(p.Credential); open {
			return Event{}, ErrNever // a second measurement decides, not the guard
		}
	}
	judged, _ := g.past.clock.Judge(at, g.synchronised, g.cfg.Rules.Unsynchronised == policy.OwnClock)
	judged = judged.In(g.cfg.Zone)
	o := wire.Override{Guard: guard, Reason: reason, Against: p.Verdict}
	if p.Override != nil {
		o.Against = p.Override.Against
	}
	p.Reasons = slices.DeleteFunc(slices.Clone(p.Reasons), func(r fact.Reason) bool {
		return r == fact.ReasonLetPass || r == fact.ReasonStopped
	})
	if p.Verdict == fact.VerdictPass {
		p.Verdict, p.Instruction = fact.VerdictRefuse, fact.InstructTurnAway
		p.Reasons = slices.Insert(p.Reasons, 0, fact.ReasonStopped)
	} else {
		p.Verdict, p.Instruction = fact.VerdictPass, fact.InstructGo
		p.Reasons = slices.Insert(p.Reasons, 0, fact.ReasonLetPass)
	}
	p.Override, p.Amends, p.LatencyUS, p.Readings = &o, true, 0, slices.Clone(p.Readings)
	p.Episode = nil // it is no step of one
	p.Policy, p.Limits = g.cfg.Rules.Version, g.limits
	if p.Basis != nil {
		basis := *p.Basis // with the time by which it counts, so that a restart counts it alike
		when := wire.At(judged)
		basis.At = &when
		p.Basis = &basis
	}
	g.past.state.Take(g.cfg.Rules, p, judged)
	g.Overruled(at, p)
	return Event{Passage: p}, nil
}

// Overruled notes in the lanes that a guard has decided about somebody: it ends their visit.
// It is called with a passage that the journal holds, which Remember counts.
func (g *Gate) Overruled(at clock.Moment, p wire.Passage) {
	g.Answered(p.Readings)
	g.meters.again(at.Boot, &p)
	if p.Credential == "" {
		return
	}
	if p.Verdict == fact.VerdictPass {
		g.release(p.Credential)
	}
	for _, l := range g.lanes {
		switch {
		case l.Name != p.Lane:
		case p.Verdict == fact.VerdictPass:
			l.passed, l.passedAt = p.Credential, at.Boot
		case l.passed == p.Credential:
			l.passed = ""
		}
	}
}
