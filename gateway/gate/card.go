package gate

import (
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/policy/engine"
)

// cardOf returns a card that is shown now.
func (g *Gate) cardOf(at clock.Moment, credential string, d fact.Direction) *card {
	judged, unsure := g.past.clock.Judge(at, g.synchronised, g.cfg.Rules.Unsynchronised == policy.OwnClock)
	return &card{credential: credential, direction: d, at: judged.In(g.cfg.Zone), unsure: unsure}
}

// refuse reports a card that may not pass now. why is the reason that comes from a fever
// episode; empty: none does.
func (g *Gate) refuse(l *lane, c *card, why fact.Reason) Event {
	switch {
	case why == "":
		return g.event(l, fact.VerdictRefuse, nil, c, nil)
	case why == fact.ReasonFeverConfirmed || !c.decision.Allowed:
		return g.event(l, fact.VerdictRefuse, []fact.Reason{why}, c, nil)
	}
	return g.event(l, fact.VerdictRetest, []fact.Reason{why}, c, nil)
}

// ask decides on a card. What has passed since it was asked last counts.
func (g *Gate) ask(l *lane, c *card) {
	c.decision = engine.Decide(g.cfg.Rules, &g.past.state, engine.Ask{Credential: c.credential, Direction: c.direction,
		Lane: l.Name, At: c.at, Unsure: c.unsure, Readings: c.seqs, Pass: c.pass, PassFault: c.passFault})
}

func (v *visit) find(credential string) *card {
	for _, c := range v.cards {
		if c.credential == credential {
			return c
		}
	}
	return nil
}

// makesWay reports whether the lane's visit is over because the next card is shown: its
// person was refused by their card, and nobody stands at a thermometer. Where somebody
// does, it can be either of the two.
func (l *lane) makesWay(next string) bool {
	v := l.visit
	return v != nil && !v.mixed && v.episode == "" && len(v.temps) == 0 && len(v.cards) == 1 &&
		v.cards[0].reported > 0 && v.cards[0].credential != next &&
		(l.came == 0 || l.came+measuredWithin < v.since.Boot)
}

// anothers reports whether a card is not of the person whom the guard has picked the visit
// for: what was measured or entered for one is never put on the other.
func (v *visit) anothers(c *card) bool {
	return v.of != "" && v.of != c.credential || v.episode != "" && c.step != nil && c.step.ID != v.episode
}
