package gate

import (
	"gatehouse/gateway/episode"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// Free reports whether nobody is in a lane.
func (g *Gate) Free() bool {
	for _, l := range g.lanes {
		if l.visit != nil {
			return false
		}
	}
	return true
}

// SetRules puts other rules into force. past is what has passed, as far as r asks for it;
// nil: r asks for nothing. Somebody in a lane, of whom nothing was reported yet, is judged by
// r alone. Fever episodes go on, if r has a rule for them.
func (g *Gate) SetRules(r *policy.Rules, past *Memory) {
	g.SetNames(r)
	g.window = r.Limits.Pairing
	g.limits = wire.Limits{Fever: r.Limits.Fever, InvalidBelow: r.Limits.InvalidBelow,
		PairingMS: r.Limits.Pairing.Milliseconds()}
	if past != nil {
		g.past.state = past.state
	}
	switch {
	case r.Episode == nil:
		g.fevers = episodes{at: g.fevers.at}
	case g.fevers.book == nil:
		g.fevers.book, g.fevers.passes = episode.New(*r.Episode), map[string]*wire.Pass{}
	default:
		g.fevers.book.SetRules(*r.Episode)
	}
	for _, l := range g.lanes {
		for _, v := range append(l.held, l.visit) {
			if v != nil {
				g.rejudge(l, v)
			}
		}
	}
}

// rejudge judges what a visit has brought and was not reported by the rules in force.
func (g *Gate) rejudge(l *lane, v *visit) {
	for _, c := range v.cards {
		g.ask(l, c)
	}
	for _, t := range v.temps {
		switch {
		case t.reported > 0:
		case t.entered != nil:
			t.verdict, t.reasons = g.judgeEntered(t.entered.Value)
		case t.value != nil:
			x := g.judge(t.with, t.value)
			t.verdict, t.reasons, t.usual = x.verdict, x.reasons, x.usual
		}
	}
}
