package gate

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy/engine"
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
	// answered is true when the guard has dealt with the visit: what follows
	// belongs to somebody else.
	answered bool
	passed   bool
	episode  string // that the guard has picked it for; empty: none
	of       string // credential of the episode's person; empty: not known
}

// card is one credential that was tapped in a visit, once or more often.
type card struct {
	seqs       []uint64
	reported   int // how many of seqs a passage names
	credential string
	direction  fact.Direction
	at         time.Time // when it was tapped last, in the county's time, as rules judge it
	unsure     bool      // the clock was not known to be right then
	pass       *wire.Pass
	passFault  fact.PassFault
	decision   engine.Decision
	step       *wire.EpisodeStep // where its person stands in a fever episode; nil: has none
	why        fact.Reason       // why they may not pass because of that; empty: nothing but a measurement is asked
}

// temp is one person's measurement. The same person, seen higher a moment
// later, changes its value.
type temp struct {
	seqs     []uint64
	reported int               // how many of seqs a passage names
	value    *wire.Temperature // nil: not measured
	entered  *wire.Entered     // by the guard, judged in place of value; nil: none
	usual    *wire.Usual       // that value was compared with; nil: with nothing
	with     string            // thermometer
	verdict  fact.Verdict
	reasons  []fact.Reason
	step     *wire.EpisodeStep // what it meant in a fever episode; nil: nothing
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
	now := g.cardOf(at, r.Credential, r.Direction)
	now.seqs, now.pass, now.passFault = []uint64{seq}, r.Pass, r.PassFault
	if !l.Measures {
		g.ask(l, now)
		return []Event{g.unmeasured(l, at, now)}
	}
	if l.makesWay(r.Credential) {
		l.over()
	}
	v := g.enter(l, at)
	c := v.find(r.Credential)
	if c == nil {
		c = now
		v.cards = append(v.cards, c)
	} else {
		c.seqs, c.direction, c.at, c.unsure = append(c.seqs, seq), now.direction, now.at, now.unsure
	}
	g.ask(l, c)
	why := g.stands(l, c)
	switch {
	case v.mixed || len(v.cards) > 1 || v.anothers(c):
		return g.mix(l)
	case len(v.temps) == 1:
		return g.decide(l, at)
	case !l.works(l.Thermometers):
		return g.withoutCounterpart(l)
	case !c.decision.Allowed || why != "":
		return []Event{g.refuse(l, c, why)}
	}
	return nil
}

// unmeasured decides on a card in a lane that does not measure.
func (g *Gate) unmeasured(l *lane, at clock.Moment, c *card) Event {
	if why := g.stands(l, c); why != "" || !c.decision.Allowed {
		return g.refuse(l, c, why)
	}
	l.passed, l.passedAt = c.credential, at.Boot
	return g.event(l, fact.VerdictPass, []fact.Reason{fact.ReasonNotMeasured}, c, nil)
}

// temperature takes a measurement.
func (g *Gate) temperature(l *lane, at clock.Moment, seq uint64, r wire.Reading) []Event {
	t := g.judge(r.Device, r.Temperature)
	l.came = 0
	t.seqs, t.with = []uint64{seq}, r.Device
	g.learn(r.Device, t)
	if g.meters.of(r.Device).checked && t.verdict != fact.VerdictFever {
		return nil
	}
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
	return g.alone(l, v, t)
}

// alone reports a measurement of a visit that has no card yet. A normal one is not
// reported: the visit waits for the card. A fever is, and the visit waits for the card,
// which names it. Any other ends the visit, and the person measures again.
func (g *Gate) alone(l *lane, v *visit, t *temp) []Event {
	verdict, reasons, alarm := g.second(l, v, nil, t)
	if verdict == fact.VerdictPass {
		if t.step == nil {
			return nil
		}
		verdict, reasons = fact.VerdictRefuse, append(slices.Clone(reasons), fact.ReasonNoCard)
	} else if verdict != fact.VerdictFever {
		l.over()
	}
	e := g.event(l, verdict, reasons, nil, t)
	e.Alarm = alarm
	return []Event{e}
}

// decide ends a visit that has one card and one measurement.
func (g *Gate) decide(l *lane, at clock.Moment) []Event {
	e := g.settle(l, l.visit, at)
	l.over()
	return []Event{e}
}

// settle decides on a visit of the lane that has one card and one measurement.
func (g *Gate) settle(l *lane, v *visit, at clock.Moment) Event {
	c, t := v.cards[0], v.temps[0]
	g.ask(l, c) // meanwhile another lane may have let somebody of the household pass
	verdict, reasons, alarm := g.second(l, v, c, t)
	if !c.decision.Allowed && verdict != fact.VerdictFever {
		verdict, reasons = fact.VerdictRefuse, ofEpisode(reasons)
	}
	e := g.event(l, verdict, reasons, c, t)
	e.Alarm = alarm
	if verdict == fact.VerdictPass {
		l.passed, l.passedAt = c.credential, at.Boot
		v.passed = true
		g.release(c.credential)
	}
	return e
}

// release ends the other visits of somebody who has passed: no value is entered for
// them any more.
func (g *Gate) release(credential string) {
	for _, l := range g.lanes {
		l.held = slices.DeleteFunc(l.held, func(v *visit) bool { return v.find(credential) != nil })
	}
}

// mix makes the visit mixed and returns an event for each card and measurement in
// it that was not reported yet: nobody passes.
func (g *Gate) mix(l *lane) []Event {
	v := l.visit
	v.mixed = true
	var events []Event
	for _, t := range v.temps {
		if t.reported > 0 {
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
		case c.reported == len(c.seqs):
		case c.decision.Allowed:
			events = append(events, g.event(l, fact.VerdictRetest, mixed(nil), c, nil))
		default:
			events = append(events, g.event(l, fact.VerdictRefuse, nil, c, nil))
		}
	}
	return events
}

// unnamed reports a fever in a mixed visit, without a card: it is not known who has
// it.
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
		t := v.temps[0]
		if t.reported == len(t.seqs) {
			return nil
		}
		events := g.alone(l, v, t)
		if len(events) == 0 {
			events = []Event{g.event(l, fact.VerdictRefuse, []fact.Reason{fact.ReasonNoReader}, nil, t)}
		}
		return events
	}
	if len(v.cards) == 0 || v.cards[0].reported == len(v.cards[0].seqs) {
		return nil
	}
	c := v.cards[0]
	if why := g.stands(l, c); why != "" || !c.decision.Allowed {
		return []Event{g.refuse(l, c, why)}
	}
	return []Event{g.event(l, fact.VerdictRetest, []fact.Reason{l.unmeasurable()}, c, nil)}
}

// timeOut ends a visit whose window has run out.
func (g *Gate) timeOut(l *lane) []Event {
	v := l.visit
	l.over()
	if v.mixed {
		return nil
	}
	for _, t := range v.temps {
		if t.verdict == fact.VerdictPass && t.reported < len(t.seqs) {
			return []Event{g.event(l, fact.VerdictRefuse, []fact.Reason{fact.ReasonNoCard}, nil, t)}
		}
	}
	for _, c := range v.cards {
		if c.reported < len(c.seqs) {
			return []Event{g.event(l, fact.VerdictRetest, []fact.Reason{fact.ReasonNoTemperature}, c, nil)}
		}
	}
	return nil
}
