package gate

import (
	"errors"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/episode"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// retestWithin is how long the lane waits for somebody whom the guard has sent to be
// measured again: they come from the warm place.
const retestWithin = time.Minute

// Why a person can't be measured again.
var (
	ErrNoEpisode = errors.New("it is over: let the person tap the card, or measure as anybody")
	ErrTooEarly  = errors.New("too early: wait until the time is over, or enter a contact thermometer's value")
)

// episodes is what the gate knows of fevers that are not settled.
type episodes struct {
	book       *episode.Book         // nil: the policy has no rule for them
	unresolved []episode.Episode     // ended since Unresolved was called
	passes     map[string]*wire.Pass // signed passes of those who have none but them, by credential
	at         clock.Moment          // of what is decided on
}

// Episodes returns the fever episodes, the oldest first.
func (g *Gate) Episodes() []episode.Episode {
	if g.fevers.book == nil {
		return nil
	}
	return g.fevers.book.All()
}

// Unresolved returns the episodes that have ended since the last call and that nothing
// has settled. The agent raises an alarm for each.
func (g *Gate) Unresolved() []episode.Episode {
	out := g.fevers.unresolved
	g.fevers.unresolved = nil
	return out
}

// lapse ends the episodes whose time is over.
func (g *Gate) lapse(at clock.Moment) {
	if g.fevers.at = at; g.fevers.book != nil {
		g.fevers.unresolved = append(g.fevers.unresolved, g.fevers.book.Lapse(at)...)
	}
}

// EpisodeEnded notes an episode that ended before a restart without being settled.
func (g *Gate) EpisodeEnded(id string) {
	if g.fevers.book != nil {
		g.fevers.book.End(id)
	}
}

// episodeOf returns the episode that one of these readings has opened.
func (g *Gate) episodeOf(readings []uint64) (e episode.Episode, ok bool) {
	for _, seq := range readings {
		if g.fevers.book == nil || ok {
			break
		}
		e, ok = g.fevers.book.Find(wire.EpisodeID(seq))
	}
	return e, ok
}

// second judges a measurement in the fever episode of the person, or opens one. c may be
// nil. It returns what the measurement says by itself where there is none. alarm reports
// whether somebody must be told.
func (g *Gate) second(l *lane, v *visit, c *card, t *temp) (verdict fact.Verdict, reasons []fact.Reason, alarm bool) {
	first := t.reported == 0
	verdict, reasons, alarm = t.verdict, t.reasons, t.verdict == fact.VerdictFever && first
	if g.fevers.book == nil || v.mixed {
		return verdict, reasons, alarm
	}
	p := episode.Person{Lane: l.Name}
	if c != nil {
		p.Credential, p.Class, p.Direction = c.credential, c.decision.Class, c.direction
	}
	e, step, fresh := g.fevers.book.Judge(g.fevers.at, v.episode, p, t.evidence())
	if step == "" {
		return verdict, reasons, alarm
	}
	if t.step = e.Wire(g.fevers.at, step); c != nil && c.pass != nil {
		g.keepPass(c)
	}
	switch step {
	case fact.EpisodeOpened:
		return verdict, reasons, alarm
	case fact.EpisodeConfirmed:
		if t.verdict != fact.VerdictFever {
			verdict, reasons = fact.VerdictRefuse, []fact.Reason{fact.ReasonFeverConfirmed}
		}
		return verdict, reasons, fresh
	case fact.EpisodeEarly, fact.EpisodeContact:
		verdict, reasons = held(step, t)
	}
	return verdict, reasons, false
}

// held returns verdict and reasons of a measurement that could not settle an episode.
func held(step fact.EpisodeStep, t *temp) (fact.Verdict, []fact.Reason) {
	why := map[fact.EpisodeStep]fact.Reason{fact.EpisodeEarly: fact.ReasonTooEarly,
		fact.EpisodeContact: fact.ReasonContactNeeded}[step]
	others := slices.DeleteFunc(slices.Clone(t.reasons), func(r fact.Reason) bool { return r == fact.ReasonNormal })
	switch t.verdict {
	case fact.VerdictFever:
		return t.verdict, append([]fact.Reason{why}, others...)
	case fact.VerdictInvalid:
		return t.verdict, others
	}
	return fact.VerdictRetest, append([]fact.Reason{why}, others...)
}

// ofEpisode returns the reasons that come from a fever episode.
func ofEpisode(reasons []fact.Reason) (out []fact.Reason) {
	for _, r := range reasons {
		switch r {
		case fact.ReasonTooEarly, fact.ReasonContactNeeded, fact.ReasonFeverConfirmed:
			out = append(out, r)
		}
	}
	return out
}

// evidence returns the measurement as an episode judges it.
func (t *temp) evidence() episode.Evidence {
	ev := episode.Evidence{Reading: t.seqs[0], Value: t.screening(), With: t.with}
	if t.entered != nil {
		ev.With, ev.Contact = string(t.entered.With), t.entered.With == fact.HandHeldContact
	}
	switch t.verdict {
	case fact.VerdictFever:
		ev.Finding = episode.Fever
	case fact.VerdictPass:
		ev.Finding = episode.Normal
	case fact.VerdictRetest:
		if slices.Contains(t.reasons, fact.ReasonHighForGate) {
			ev.Finding = episode.High
		}
	}
	return ev
}

// stands notes on a card that its person has an episode, and returns why they may not
// pass now; empty: they may, if they are measured.
func (g *Gate) stands(l *lane, c *card) fact.Reason {
	c.step, c.why = nil, ""
	if g.fevers.book == nil {
		return ""
	}
	e, ok := g.fevers.book.Of(c.credential)
	if !ok {
		return ""
	}
	step := e.Stands(g.fevers.at)
	c.step = e.Wire(g.fevers.at, step)
	switch {
	case step == fact.EpisodeEarly:
		c.why = fact.ReasonTooEarly
	case step == fact.EpisodeContact:
		c.why = fact.ReasonContactNeeded
	case step == fact.EpisodeConfirmed:
		c.why = fact.ReasonFeverConfirmed
	case !l.Measures:
		c.why = fact.ReasonRetestDue
	}
	return c.why
}

// keepPass remembers the signed pass of somebody with an episode: a value that is entered
// for them later is judged with it.
func (g *Gate) keepPass(c *card) {
	for credential := range g.fevers.passes {
		if _, open := g.fevers.book.Of(credential); !open {
			delete(g.fevers.passes, credential)
		}
	}
	g.fevers.passes[c.credential] = c.pass
}

// Retest lets the next measurement in a lane be the second one of an episode: the guard
// has picked whose it is. With an error nothing is changed. Retestable returns the same
// error.
func (g *Gate) Retest(at clock.Moment, lane, id string) error {
	l, e, err := g.retestable(at, lane, id)
	if err == nil {
		l.visit = g.visitOf(at, l, e)
		l.visit.until = at.Boot + retestWithin
	}
	return err
}

// Retestable returns why a person can't be measured again now, or nil.
func (g *Gate) Retestable(at clock.Moment, lane, id string) error {
	_, _, err := g.retestable(at, lane, id)
	return err
}

func (g *Gate) retestable(at clock.Moment, lane, id string) (l *lane, e episode.Episode, err error) {
	var open bool
	if g.fevers.book != nil {
		e, open = g.fevers.book.Find(id)
	}
	if !open || e.Until <= at.Boot {
		return nil, e, ErrNoEpisode
	}
	l = g.laneFor(lane, e)
	switch {
	case l == nil || !l.Measures:
		return nil, e, ErrNotMeasured
	case l.visit != nil && l.visit.until > at.Boot:
		return nil, e, ErrOccupied
	case e.Stands(at) == fact.EpisodeEarly:
		return nil, e, ErrTooEarly
	}
	return l, e, nil
}

// laneFor returns the lane with a name; where none is named, the one in which the
// episode began.
func (g *Gate) laneFor(name string, e episode.Episode) *lane {
	for _, want := range []string{name, e.Lane} {
		for _, l := range g.lanes {
			if l.Name == want {
				return l
			}
		}
	}
	return nil
}

// visitOf returns a visit of somebody with an episode who has not tapped again; how long it
// may take is set by who begins it. Somebody whose card the roster lists has it; others tap
// once more.
func (g *Gate) visitOf(at clock.Moment, l *lane, e episode.Episode) *visit {
	v := &visit{since: at, episode: e.ID, of: e.Credential}
	pass := g.fevers.passes[e.Credential]
	if e.Credential == "" || pass == nil && !g.cfg.Rules.Knows(e.Credential) {
		return v
	}
	c := g.cardOf(at, e.Credential, e.Direction)
	c.pass = pass
	g.ask(l, c)
	g.stands(l, c)
	v.cards = []*card{c}
	return v
}
