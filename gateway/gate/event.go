package gate

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// event puts a passage together from what it was decided on; c and t may be
// nil, not both.
func (g *Gate) event(v wire.Verdict, reasons []string, c *card, seqs []uint64, t *wire.Temperature) Event {
	p := wire.Passage{Verdict: v, Reasons: slices.Clone(reasons), Readings: slices.Clone(seqs), Policy: g.cfg.Rules.Version, Limits: g.limits}
	if t != nil {
		value := *t
		p.Temperature = &value
	}
	if c != nil {
		p.Amends = c.told > 0
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
	switch p.Verdict {
	case wire.VerdictPass:
		return wire.InstructGo
	case wire.VerdictFever:
		return g.cfg.Rules.OnFever(p.Class)
	case wire.VerdictInvalid:
		return wire.InstructWarmUp
	case wire.VerdictRetest:
		if p.Temperature == nil {
			return wire.InstructMeasure
		}
		return wire.InstructMeasureAgain
	}
	if c == nil || c.standing.Reason == policy.ReasonUnknownCard {
		return wire.InstructCheckID
	}
	return wire.InstructTurnAway
}

// Tick lets time pass: what waited for longer than the window is decided on
// without its other half. The agent calls it when Next is due.
func (g *Gate) Tick(at clock.Moment) []Event {
	var events []Event
	over := func(until time.Duration) bool { return until <= at.Boot }
	for len(g.temps) > 0 && over(g.temps[0].until) {
		t := g.temps[0]
		g.temps = g.temps[1:]
		for _, d := range g.last {
			if d.waiting == t {
				d.waiting, d.verdict = nil, wire.VerdictRefuse
			}
		}
		events = append(events, g.event(wire.VerdictRefuse, []string{ReasonNoCard}, nil, t.seqs, t.value))
	}
	// A card's deadline moves when it is tapped again: they do not expire in
	// order.
	g.cards = slices.DeleteFunc(g.cards, func(c *card) bool {
		if !over(c.until) {
			return false
		}
		if c.told < len(c.seqs) {
			events = append(events, g.event(wire.VerdictRetest, []string{ReasonNoTemperature}, c, nil, nil))
		}
		return true
	})
	g.fevers = slices.DeleteFunc(g.fevers, func(t *temp) bool { return over(t.until) })
	return events
}

// Next tells when Tick is due on the boot clock; ok is false while nothing
// waits.
func (g *Gate) Next() (boot time.Duration, ok bool) {
	due := func(until time.Duration) {
		if !ok || until < boot {
			boot, ok = until, true
		}
	}
	for _, t := range g.temps {
		due(t.until)
	}
	for _, c := range g.cards {
		due(c.until)
	}
	for _, t := range g.fevers {
		due(t.until)
	}
	return boot, ok
}
