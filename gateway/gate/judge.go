package gate

import (
	"slices"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// judge compares a measurement with the limits, and with what is usual. Fever comes first,
// whatever the conditions of the measurement. A condition that makes the value invalid is
// named before the value itself: nobody is too cold because a thermometer says so in the
// cold. VerdictPass means normal here: without a card nobody passes.
func (g *Gate) judge(device string, t *wire.Temperature) *temp {
	conditions := conditionsOf(t)
	if g.meters.of(device).doubted {
		conditions = append([]fact.Reason{fact.ReasonDoubtful}, conditions...)
	}
	unsettled := conditions
	if !t.Settled {
		unsettled = append(slices.Clone(conditions), fact.ReasonUnsettled)
	}
	x := &temp{value: t}
	switch {
	case t.Screening >= g.limits.Fever:
		x.verdict, x.reasons = fact.VerdictFever, append([]fact.Reason{fact.ReasonFever}, unsettled...)
	case g.meters.of(device).doubted:
		x.verdict, x.reasons = fact.VerdictInvalid, unsettled
	case !t.Settled:
		x.verdict, x.reasons = fact.VerdictRetest, append([]fact.Reason{fact.ReasonUnsettled}, conditions...)
	case t.Screening < g.limits.InvalidBelow:
		x.verdict, x.reasons = fact.VerdictInvalid, append(conditions, fact.ReasonTooCold)
	case len(conditions) > 0:
		x.verdict, x.reasons = fact.VerdictInvalid, conditions
	default:
		x.verdict, x.reasons = fact.VerdictPass, []fact.Reason{fact.ReasonNormal}
		var high bool
		if x.usual, high = g.high(device, t); high {
			x.verdict, x.reasons = fact.VerdictRetest, []fact.Reason{fact.ReasonHighForGate}
		}
	}
	return x
}

// conditionsOf returns the conditions in which a measurement does not count.
func conditionsOf(t *wire.Temperature) (out []fact.Reason) {
	if t.Ambient < t.RatedMin {
		out = append(out, fact.ReasonAmbientLow)
	}
	if t.Ambient > t.RatedMax {
		out = append(out, fact.ReasonAmbientHigh)
	}
	if t.Hot {
		out = append(out, fact.ReasonHotBackground)
	}
	if t.Drift {
		out = append(out, fact.ReasonSensorDrift)
	}
	return out
}
