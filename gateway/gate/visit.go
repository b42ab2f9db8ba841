package gate

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// visit is what is open in a lane: what one person brought, or when it is mixed
// what more than one did.
type visit struct {
	since clock.Moment
	until time.Duration // boot clock
	cards []*card
	temps []*temp
	mixed bool
	// answered: the guard has dealt with it, so that what follows is another's.
	answered bool
}

// card is one credential that was tapped in a visit, once or more often.
type card struct {
	seqs       []uint64
	told       int // how many of seqs a passage names
	credential string
	direction  fact.Direction
	standing   policy.Standing
}

// temp is one person's measurement. The same person, seen higher a moment
// later, changes its value.
type temp struct {
	seqs    []uint64
	told    int // how many of seqs a passage names
	value   *wire.Temperature
	verdict fact.Verdict
	reasons []fact.Reason
}

func (v *visit) uses(readings []uint64) bool {
	in := func(seq uint64) bool { return slices.Contains(readings, seq) }
	return slices.ContainsFunc(v.cards, func(c *card) bool { return slices.ContainsFunc(c.seqs, in) }) ||
		slices.ContainsFunc(v.temps, func(t *temp) bool { return slices.ContainsFunc(t.seqs, in) })
}

// enter returns the lane's visit with a new window; a free lane begins one.
func (g *Gate) enter(l *lane, at clock.Moment) *visit {
	if l.visit == nil {
		l.visit = &visit{since: at}
	}
	l.visit.until = at.Boot + g.window
	return l.visit
}

// tap takes a card or code.
func (g *Gate) tap(l *lane, at clock.Moment, seq uint64, r wire.Reading) []Event {
	if r.Credential == l.passed && at.Boot-l.passedAt < passAgain {
		return nil
	}
	now := card{seqs: []uint64{seq}, credential: r.Credential, direction: r.Direction,
		standing: g.cfg.Rules.Standing(r.Credential, r.Direction, at.Wall.In(g.cfg.Zone))}
	if !l.Measures {
		return []Event{g.unmeasured(l, at, &now)}
	}
	v := g.enter(l, at)
	c := v.find(r.Credential)
	if c == nil {
		c = &now
		v.cards = append(v.cards, c)
	} else {
		c.seqs, c.direction, c.standing = append(c.seqs, seq), now.direction, now.standing
	}
	switch {
	case v.mixed || len(v.cards) > 1:
		return g.mix(l)
	case len(v.temps) == 1:
		return g.decide(l, at)
	case !l.works(l.Thermometers):
		return g.withoutCounterpart(l)
	case !c.standing.Allowed:
		return []Event{g.event(l, fact.VerdictRefuse, nil, c, nil)}
	}
	return nil
}

func (v *visit) find(credential string) *card {
	for _, c := range v.cards {
		if c.credential == credential {
			return c
		}
	}
	return nil
}

// unmeasured decides on a card in a lane that does not measure.
func (g *Gate) unmeasured(l *lane, at clock.Moment, c *card) Event {
	if !c.standing.Allowed {
		return g.event(l, fact.VerdictRefuse, nil, c, nil)
	}
	l.passed, l.passedAt = c.credential, at.Boot
	return g.event(l, fact.VerdictPass, []fact.Reason{fact.ReasonNotMeasured}, c, nil)
}

// temperature takes a measurement.
func (g *Gate) temperature(l *lane, at clock.Moment, seq uint64, r wire.Reading) []Event {
	verdict, reasons := g.judge(r.Temperature)
	t := &temp{seqs: []uint64{seq}, value: r.Temperature, verdict: verdict, reasons: reasons}
	if before, ok := g.newest[r.Device]; ok && r.Temperature.Supersedes {
		return g.higher(l, at, r.Device, before, t)
	}
	return g.measured(l, at, r.Device, t)
}

// measured takes the measurement of a person who has just come.
func (g *Gate) measured(l *lane, at clock.Moment, device string, t *temp) []Event {
	v := g.enter(l, at)
	v.temps = append(v.temps, t)
	g.newest[device] = newest{v, t}
	switch {
	case v.mixed || len(v.temps) > 1:
		return g.mix(l)
	case len(v.cards) == 1:
		return g.decide(l, at)
	case !l.works(l.Readers):
		return g.withoutCounterpart(l)
	}
	return g.alone(l, t)
}

// alone tells of a measurement without a card. A normal one waits for it in
// silence, and a fever so that it gets a name; any other is over once it is told,
// and the person measures again.
func (g *Gate) alone(l *lane, t *temp) []Event {
	if t.verdict == fact.VerdictPass {
		return nil
	}
	fever := t.verdict == fact.VerdictFever
	e := g.event(l, t.verdict, t.reasons, nil, t)
	e.Alarm = fever && !e.Passage.Amends
	if !fever {
		l.over()
	}
	return []Event{e}
}

// decide ends a visit that has one card and one measurement.
func (g *Gate) decide(l *lane, at clock.Moment) []Event {
	v := l.visit
	c, t := v.cards[0], v.temps[0]
	verdict, reasons := t.verdict, t.reasons
	if !c.standing.Allowed && verdict != fact.VerdictFever {
		verdict, reasons = fact.VerdictRefuse, nil
	}
	first := t.told == 0
	e := g.event(l, verdict, reasons, c, t)
	e.Alarm = verdict == fact.VerdictFever && first
	if verdict == fact.VerdictPass {
		l.passed, l.passedAt = c.credential, at.Boot
	}
	l.over()
	return []Event{e}
}

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
		return []Event{g.event(l, t.verdict, t.reasons, v.cards[0], x)}
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
	same := t.verdict == x.verdict && slices.Equal(t.reasons, x.reasons)
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
	if same && !fever {
		return nil
	}
	return g.alone(l, x)
}

// take makes x what t is, which the same person was measured with later.
func (x *temp) take(t *temp) {
	x.seqs, x.value, x.verdict, x.reasons = append(x.seqs, t.seqs...), t.value, t.verdict, t.reasons
}

// mix tells everybody in a visit with more than one person in it who was not
// told yet, that nobody passes.
func (g *Gate) mix(l *lane) []Event {
	v := l.visit
	v.mixed = true
	var events []Event
	for _, t := range v.temps {
		if t.told > 0 {
			continue
		}
		if t.verdict == fact.VerdictFever {
			events = append(events, g.unnamed(l, t))
			continue
		}
		events = append(events, g.event(l, fact.VerdictRetest, mixed(t.reasons), nil, t))
	}
	for _, c := range v.cards {
		switch {
		case c.told == len(c.seqs):
		case c.standing.Allowed:
			events = append(events, g.event(l, fact.VerdictRetest, mixed(nil), c, nil))
		default:
			events = append(events, g.event(l, fact.VerdictRefuse, nil, c, nil))
		}
	}
	return events
}

// unnamed tells of a fever of somebody in a mixed visit: whose it is is not known.
func (g *Gate) unnamed(l *lane, t *temp) Event {
	e := g.event(l, fact.VerdictFever, append(slices.Clone(t.reasons), fact.ReasonOneAtATime), nil, t)
	e.Alarm = true
	return e
}

// mixed returns the reasons of somebody in a mixed visit.
func mixed(reasons []fact.Reason) []fact.Reason {
	out := []fact.Reason{fact.ReasonOneAtATime}
	for _, r := range reasons {
		if r != fact.ReasonNormal {
			out = append(out, r)
		}
	}
	return out
}

// withoutCounterpart ends a visit whose other half can't come, because no device
// of the lane that could give it works.
func (g *Gate) withoutCounterpart(l *lane) []Event {
	v := l.visit
	l.over()
	if len(v.temps) == 1 {
		if t := v.temps[0]; t.verdict == fact.VerdictPass {
			return []Event{g.event(l, fact.VerdictRefuse, []fact.Reason{fact.ReasonNoReader}, nil, t)}
		} else if t.told < len(t.seqs) {
			return g.alone(l, t)
		}
		return nil
	}
	c := v.cards[0]
	switch {
	case c.told == len(c.seqs):
		return nil
	case !c.standing.Allowed:
		return []Event{g.event(l, fact.VerdictRefuse, nil, c, nil)}
	}
	return []Event{g.event(l, fact.VerdictRetest, []fact.Reason{fact.ReasonNoThermometer}, c, nil)}
}

// timeOut ends a visit whose window has run out.
func (g *Gate) timeOut(l *lane) []Event {
	v := l.visit
	l.over()
	if v.mixed {
		return nil
	}
	for _, t := range v.temps {
		if t.verdict == fact.VerdictPass {
			return []Event{g.event(l, fact.VerdictRefuse, []fact.Reason{fact.ReasonNoCard}, nil, t)}
		}
	}
	for _, c := range v.cards {
		if c.told < len(c.seqs) {
			return []Event{g.event(l, fact.VerdictRetest, []fact.Reason{fact.ReasonNoTemperature}, c, nil)}
		}
	}
	return nil
}
