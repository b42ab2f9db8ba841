package gate

import (
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
)

// higher takes a measurement of a thermometer in front of which somebody has
// stood since the one before: nearly always the same person, but it can be one
// close behind. The highest value counts. When it turns to a fever it is not
// known whose it is.
func (g *Gate) higher(l *lane, at clock.Moment, device string, before newest, t *temp) []Event {
	v, x := before.visit, before.temp
	fever, was := t.verdict == fact.VerdictFever, x.verdict == fact.VerdictFever
	switch {
	case was && !fever: // a fever stays one
	case l.visit == v:
		return g.rises(l, at, x, t)
	case was && l.visit == nil && v == l.last && !v.mixed && !v.answered && len(v.cards) == 1:
		x.take(t)
		verdict, reasons, _ := g.second(l, v, v.cards[0], x)
		return []Event{g.event(l, verdict, reasons, v.cards[0], x)}
	case fever:
		g.enter(l, at).mixed = true
		return g.measured(l, at, device, t)
	case l.visit == nil && len(v.cards) == 0:
		return g.measured(l, at, device, t) // no card came for what was measured before
	}
	// Decided already, or somebody else has tapped: who steps back is measured anew.
	return nil
}

// rises takes a higher value of a person in the visit that is open.
func (g *Gate) rises(l *lane, at clock.Moment, x, t *temp) []Event {
	v := g.enter(l, at)
	fever, was := t.verdict == fact.VerdictFever, x.verdict == fact.VerdictFever
	switch {
	case fever && (v.mixed || !was):
		v.mixed = true
		x.take(t)
		e := g.unnamed(l, x)
		e.Alarm = !was
		return []Event{e}
	case v.mixed:
		x.seqs = append(x.seqs, t.seqs...)
		return nil
	}
	x.take(t)
	if t.verdict == fact.VerdictPass {
		return nil // as before: the visit waits for the card
	}
	return g.alone(l, v, x)
}

// take makes x what t is, which the same person was measured with later.
func (x *temp) take(t *temp) {
	x.entered, x.usual, x.with = nil, t.usual, t.with
	x.seqs, x.value, x.verdict, x.reasons = append(x.seqs, t.seqs...), t.value, t.verdict, t.reasons
}
