package gate

import (
	"slices"

	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// event puts a passage together from what it was decided on; c and t may be
// nil, not both.
func (g *Gate) event(l *lane, v wire.Verdict, reasons []string, c *card, t *temp) Event {
	p := wire.Passage{Verdict: v, Reasons: slices.Clone(reasons), Lane: l.Name,
		Policy: g.cfg.Rules.Version, Limits: g.limits}
	if t != nil {
		value := *t.value
		p.Temperature = &value
		p.Amends = t.told > 0
		p.Readings = append(p.Readings, t.seqs...)
		t.told = len(t.seqs)
	}
	if c != nil {
		p.Amends = p.Amends || c.told > 0
		c.told = len(c.seqs)
		p.Readings = append(p.Readings, c.seqs...)
		p.Direction, p.Class, p.Credential = c.direction, c.standing.Class, c.credential
		if !c.standing.Allowed {
			p.Reasons = append(p.Reasons, c.standing.Reason)
		}
	}
	slices.Sort(p.Readings)
	p.Instruction = g.instruct(p, c)
	return Event{Passage: p}
}

func (g *Gate) instruct(p wire.Passage, c *card) wire.Instruction {
	switch {
	case p.Verdict == wire.VerdictPass:
		return wire.InstructGo
	case p.Verdict == wire.VerdictFever && slices.Contains(p.Reasons, ReasonOneAtATime):
		return wire.InstructMeasureAgain // who has it is not known
	case p.Verdict == wire.VerdictFever:
		return g.cfg.Rules.OnFever(p.Class)
	case p.Verdict == wire.VerdictInvalid:
		return wire.InstructWarmUp
	case slices.Contains(p.Reasons, ReasonNoTemperature):
		return wire.InstructMeasure
	case slices.Contains(p.Reasons, ReasonNoThermometer):
		return wire.InstructMeasureByHand
	case p.Verdict == wire.VerdictRetest:
		return wire.InstructMeasureAgain
	case c == nil || c.standing.Reason == policy.ReasonUnknownCard:
		return wire.InstructCheckID
	}
	return wire.InstructTurnAway
}
