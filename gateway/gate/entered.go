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

const (
	// entryFor is how long after a visit has begun the guard may enter a value for it:
	// a contact thermometer takes up to five minutes in the armpit.
	entryFor = 10 * time.Minute
	// heldMost is how many visits of a lane that are over can still be entered for.
	heldMost = 16
)

// Why a value can't be entered.
var (
	ErrNotMeasured = errors.New("nobody is measured in this lane: the card alone decides")
	ErrOccupied    = errors.New("somebody else is in the lane: wait until they have gone, then enter the value")
	ErrTooLate     = errors.New("it is not known any more whose value that is: tap the card again, then enter it")
	ErrMixed       = errors.New("more than one person is in the lane: let everybody step back first")
	ErrFever       = errors.New("a fever was measured: answer the alarm, then let the person tap again")
)

// Enterable returns why no value can be entered, or nil. of are readings of the person
// whom it is of; without them it begins a visit in the lane of that name.
func (g *Gate) Enterable(at clock.Moment, lane string, of []uint64) error {
	_, _, err := g.entryTo(at, lane, of)
	return err
}

// entryTo returns the lane and the visit that an entered value belongs to; a nil visit
// is a new one.
func (g *Gate) entryTo(at clock.Moment, lane string, of []uint64) (l *lane, v *visit, err error) {
	for _, x := range g.lanes {
		if len(of) == 0 && x.Name == lane {
			l = x
		} else if found := x.enterable(at, of); found != nil {
			l, v = x, found
		}
	}
	e, ill := g.illness(v, of)
	if l == nil && ill {
		l = g.laneFor(lane, e)
	}
	switch {
	case l == nil:
		return nil, nil, ErrTooLate
	case !l.Measures:
		return nil, nil, ErrNotMeasured
	case l.visit != nil && l.visit.mixed:
		return nil, nil, ErrMixed
	case l.visit != nil && l.visit != v && (!ill || !l.visit.uses(of)):
		return nil, nil, ErrOccupied
	case v != nil && v.fever() && !ill:
		return nil, nil, ErrFever
	case ill && (v == nil || v.fever()):
		v = g.visitOf(at, l, e)
	}
	return l, v, nil
}

// fever reports whether a fever was measured in the visit.
func (v *visit) fever() bool {
	return slices.ContainsFunc(v.temps, func(t *temp) bool { return t.verdict == fact.VerdictFever })
}

// illness returns the fever episode of the person of a visit, or the one that one of
// these readings has opened.
func (g *Gate) illness(v *visit, of []uint64) (e episode.Episode, ok bool) {
	if v != nil && len(v.cards) == 1 && g.fevers.book != nil {
		if e, ok = g.fevers.book.Of(v.cards[0].credential); ok {
			return e, true
		}
	}
	if v != nil {
		of = slices.Concat(of, v.readings())
	}
	return g.episodeOf(of)
}

// readings returns those of a visit.
func (v *visit) readings() (out []uint64) {
	for _, c := range v.cards {
		out = append(out, c.seqs...)
	}
	for _, t := range v.temps {
		out = append(out, t.seqs...)
	}
	return out
}

// enterable returns the visit of a lane, open or over, that used one of these readings
// and may still get a value.
func (l *lane) enterable(at clock.Moment, of []uint64) *visit {
	l.held = slices.DeleteFunc(l.held, func(v *visit) bool {
		return v.mixed || v.answered || v.passed || at.Boot-v.since.Boot > entryFor
	})
	if l.visit != nil && l.visit.uses(of) {
		return l.visit
	}
	if i := slices.IndexFunc(l.held, func(v *visit) bool { return v.uses(of) }); i >= 0 {
		return l.held[i]
	}
	return nil
}

// entered takes a value that the guard has entered. One that belongs to nobody who can
// be told is not judged: Enterable says so before it is recorded.
func (g *Gate) entered(at clock.Moment, seq uint64, r wire.Reading) []Event {
	l, v, err := g.entryTo(at, r.Lane, r.Entered.Of)
	if err != nil {
		return nil
	}
	verdict, reasons := g.judgeEntered(r.Entered.Value)
	t := &temp{seqs: []uint64{seq}, entered: r.Entered, verdict: verdict, reasons: reasons}
	if v != nil && v != l.visit && !slices.Contains(l.held, v) { // of a fever episode: it begins now
		l.over()
		l.visit = v
	}
	if v != nil {
		t = v.enter(t)
	}
	var events []Event
	if v != nil && len(v.cards) == 1 {
		events = []Event{g.settle(l, v, at)}
		l.over()
	} else {
		events = g.enteredFirst(l, v, at, t)
	}
	for i := range events {
		if p := events[i].Passage; p.Episode == nil || p.Episode.Step == fact.EpisodeOpened {
			events[i].Alarm = p.Verdict == fact.VerdictFever
		}
	}
	return events
}

// enteredFirst takes an entered value of somebody who has not tapped: the lane's visit
// waits for the card.
func (g *Gate) enteredFirst(l *lane, v *visit, at clock.Moment, t *temp) []Event {
	if v != nil {
		l.held = slices.DeleteFunc(l.held, func(x *visit) bool { return x == v })
		l.visit = v
	}
	v = g.enter(l, at)
	if len(v.temps) == 0 {
		v.temps = append(v.temps, t)
	}
	if !l.works(l.Readers) {
		return g.withoutCounterpart(l)
	}
	return g.alone(l, v, t)
}

// enter gives the visit an entered value. What was measured stays beside it.
func (v *visit) enter(t *temp) *temp {
	if len(v.temps) == 0 {
		v.temps = append(v.temps, t)
		return t
	}
	x := v.temps[0]
	x.seqs, x.entered, x.verdict, x.reasons = append(x.seqs, t.seqs...), t.entered, t.verdict, t.reasons
	return x
}

// judgeEntered compares an entered value with the limits.
func (g *Gate) judgeEntered(value fact.Temp) (fact.Verdict, []fact.Reason) {
	switch {
	case value >= g.limits.Fever:
		return fact.VerdictFever, []fact.Reason{fact.ReasonFever, fact.ReasonEntered}
	case value < g.limits.InvalidBelow:
		return fact.VerdictInvalid, []fact.Reason{fact.ReasonTooCold, fact.ReasonEntered}
	}
	return fact.VerdictPass, []fact.Reason{fact.ReasonNormal, fact.ReasonEntered}
}

// screening returns the temperature that is judged.
func (t *temp) screening() fact.Temp {
	if t.entered != nil {
		return t.entered.Value
	}
	return t.value.Screening
}
