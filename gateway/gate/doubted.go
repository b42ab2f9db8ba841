package gate

import (
	"slices"

	"gatehouse/gateway/fact"
)

// SetDoubted notes whether a thermometer reads what people can't be. Its readings are
// invalid then, but for those of a fever: a thermometer that is wrong can still be right
// about one. What is usual is recorded then: which reading was the first, or the last, can't
// be told from the journal.
func (g *Gate) SetDoubted(device string, doubted bool) {
	if m := g.meters.of(device); m.doubted != doubted {
		m.doubted, g.meters.recorded = doubted, -recordAfter
	}
}

// SetChecked notes whether a thermometer is being compared with a contact thermometer.
// Who is measured with it then is not in the lane to pass, but for a fever, which is
// one. It ends a visit that waits for that thermometer alone.
func (g *Gate) SetChecked(device string, checked bool) []Event {
	l := g.by[device]
	if l == nil || g.meters.of(device).checked == checked {
		return nil
	}
	g.meters.of(device).checked = checked
	if l.checked = slices.DeleteFunc(l.checked, func(d string) bool { return d == device }); checked {
		l.checked = append(l.checked, device)
	}
	return g.giveUp(l)
}

// giveUp ends the visit of a lane that waits for what no device of the lane can give.
func (g *Gate) giveUp(l *lane) []Event {
	v := l.visit
	switch {
	case v == nil || v.mixed:
		return nil
	case len(v.temps) == 0 && !l.works(l.Thermometers), len(v.cards) == 0 && !l.works(l.Readers):
		return g.withoutCounterpart(l)
	}
	return nil
}

// unmeasurable is why nobody can be measured in a lane.
func (l *lane) unmeasurable() fact.Reason {
	if len(l.checked) > 0 {
		return fact.ReasonUnderCheck
	}
	return fact.ReasonNoThermometer
}
