package gate

import (
	"slices"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// event puts a passage together from what it was decided on; c and t may be
// nil, not both.
func (g *Gate) event(l *lane, v fact.Verdict, reasons []fact.Reason, c *card, t *temp) Event {
	p := wire.Passage{Verdict: v, Reasons: slices.Clone(reasons), Lane: l.Name,
		Policy: g.cfg.Rules.Version, Limits: g.limits}
	if t != nil {
		if t.value != nil {
			value := *t.value
			p.Temperature = &value
		}
		p.Entered, p.Episode, p.Limits.Usual = t.entered, t.step, t.usual
		p.Amends = t.reported > 0
		p.Readings = append(p.Readings, t.seqs...)
		t.reported = len(t.seqs)
	}
	if c != nil {
		p.Amends = p.Amends || c.reported > 0
		c.reported = len(c.seqs)
		p.Readings = append(p.Readings, c.seqs...)
		p.Direction, p.Class, p.Credential = c.direction, c.decision.Class, c.credential
		basis := c.decision.Basis
		p.Basis = &basis
		if !c.decision.Allowed {
			p.Reasons = append(p.Reasons, c.decision.Reason)
		}
		p.Reasons = append(p.Reasons, c.decision.Notes...)
		if g.stands(l, c); p.Episode == nil {
			p.Episode = c.step
		}
	}
	slices.Sort(p.Readings)
	p.Instruction = g.instruct(p, c)
	if g.meters.again(g.now, &p) {
		p.Instruction = fact.InstructMeasureByHand
	}
	if c != nil {
		g.past.state.Take(g.cfg.Rules, p, c.at)
	}
	return Event{Passage: p}
}

// instructLater returns what somebody with a fever episode has to do; empty: what anybody
// has.
func (g *Gate) instructLater(p wire.Passage, c *card) fact.Instruction {
	sent := p.Verdict == fact.VerdictRefuse && c != nil && !c.decision.Allowed && !c.decision.Identify &&
		c.decision.Reason != fact.ReasonUnknownCard
	switch step := p.Episode.Step; {
	case step == fact.EpisodeConfirmed:
		return g.cfg.Rules.OnFever(p.Class)
	case sent:
		return fact.InstructTurnAway
	case step == fact.EpisodeOpened, step == fact.EpisodeEarly:
		return fact.InstructWait
	case step == fact.EpisodeContact:
		return fact.InstructMeasureByHand
	case step == fact.EpisodeDue && slices.Contains(p.Reasons, fact.ReasonRetestDue):
		return fact.InstructMeasure
	}
	return ""
}

func (g *Gate) instruct(p wire.Passage, c *card) fact.Instruction {
	switch {
	case p.Verdict == fact.VerdictPass:
		return fact.InstructGo
	case p.Episode != nil && !slices.Contains(p.Reasons, fact.ReasonOneAtATime):
		if i := g.instructLater(p, c); i != "" {
			return i
		}
	}
	switch {
	case p.Verdict == fact.VerdictFever && slices.Contains(p.Reasons, fact.ReasonOneAtATime):
		return fact.InstructMeasureAgain // who has it is not known
	case p.Verdict == fact.VerdictFever:
		return g.cfg.Rules.OnFever(p.Class)
	case slices.Contains(p.Reasons, fact.ReasonUnderCheck):
		return fact.InstructMeasureByHand
	case p.Verdict == fact.VerdictInvalid && p.Reasons[0] == fact.ReasonTooCold:
		return fact.InstructWarmUp
	case p.Verdict == fact.VerdictInvalid:
		return fact.InstructMeasureByHand // once more at the same thermometer would be as invalid
	case slices.Contains(p.Reasons, fact.ReasonNoTemperature):
		return fact.InstructMeasure
	case slices.Contains(p.Reasons, fact.ReasonNoThermometer):
		return fact.InstructMeasureByHand
	case p.Verdict == fact.VerdictRetest:
		return fact.InstructMeasureAgain
	case c == nil || c.decision.Reason == fact.ReasonUnknownCard || c.decision.Identify:
		return fact.InstructCheckID
	}
	return fact.InstructTurnAway
}
