// Package episode settles whether somebody has a fever. One reading that is too high
// does not: it opens an episode for the person, who waits in the warm and is measured a
// second time. A value of a contact thermometer settles it at once. An episode ends in
// any case: with a normal second measurement, or when its time is over.
//
// The package is pure: measurements, records of before a restart, and the time go in.
// It knows people by the pseudonym of their card. Somebody without a card has an
// episode of their own, which is named when they are measured again.
package episode

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// Most is how many episodes a gate keeps. When there is one more, the oldest ends.
const Most = 100

// Finding is what one measurement says by itself.
type Finding int

// What it says.
const (
	Unjudged Finding = iota // it can't be judged
	Normal
	High  // no fever, and too high to show that there is none
	Fever // at or above the limit
)

// Evidence is one measurement.
type Evidence struct {
	Reading uint64 // seq of the first reading that it is of
	Value   fact.Temp
	Finding Finding
	With    string // thermometer: a device of the gate, or contact or forehead
	Contact bool   // it is a contact thermometer, which settles it
}

// Person is who was measured, as far as it is known.
type Person struct {
	Credential string // empty: without a card
	Class      string
	Lane       string
	Direction  fact.Direction
}

// Episode is what is known of one person.
type Episode struct {
	Person
	ID    string
	First fact.Temp // the first value, °C
	With  string    // its thermometer
	Since time.Time // by the wall clock of that time
	// State is EpisodeOpened until a second measurement counts; EpisodeContact when a
	// contact value is asked for; EpisodeConfirmed when it is a fever.
	State fact.EpisodeStep
	Ready time.Duration // boot clock: from when a second measurement counts
	Until time.Duration // boot clock: when the episode ends

	carried *carried // of an earlier boot, and not counted by this one's clock for sure
}

// Book holds the episodes of a gate. It is for one goroutine.
type Book struct {
	rules policy.Episode
	open  []*Episode // oldest first
	ended []string   // ids of the last that have ended, oldest first
}

// New returns an empty book.
func New(rules policy.Episode) *Book { return &Book{rules: rules} }

// Of returns the episode of a card. It returns false for no card.
func (b *Book) Of(credential string) (Episode, bool) {
	if e := b.of(credential); e != nil {
		return *e, true
	}
	return Episode{}, false
}

// Find returns the episode with an id.
func (b *Book) Find(id string) (Episode, bool) {
	if e := b.find(id); e != nil {
		return *e, true
	}
	return Episode{}, false
}

// All returns the episodes, the oldest first.
func (b *Book) All() (out []Episode) {
	for _, e := range b.open {
		out = append(out, *e)
	}
	return out
}

// Rename gives cards the names that same returns.
func (b *Book) Rename(same func(string) string) {
	for _, e := range b.open {
		e.Credential = same(e.Credential)
	}
}

func (b *Book) of(credential string) *Episode {
	return b.first(func(e *Episode) bool { return credential != "" && e.Credential == credential })
}

func (b *Book) find(id string) *Episode {
	return b.first(func(e *Episode) bool { return e.ID == id })
}

func (b *Book) first(is func(*Episode) bool) *Episode {
	if i := slices.IndexFunc(b.open, is); i >= 0 {
		return b.open[i]
	}
	return nil
}

// add adds an episode in the order of the first readings.
func (b *Book) add(e *Episode) {
	i := slices.IndexFunc(b.open, func(x *Episode) bool {
		return wire.EpisodeReading(x.ID) > wire.EpisodeReading(e.ID)
	})
	if i < 0 {
		i = len(b.open)
	}
	b.open = slices.Insert(b.open, i, e)
}

// Judge takes a measurement of a person. picked is the episode that the guard has picked
// for it; empty: none. It returns what the measurement means: the step is empty when the
// person has no episode and it opens none. fresh reports whether the step was not taken
// before.
func (b *Book) Judge(
	at clock.Moment,
	picked string,
	p Person,
	ev Evidence,
) (e Episode, s fact.EpisodeStep, fresh bool) {
	x := b.whose(picked, p.Credential, ev)
	if x == nil {
		if ev.Finding < Fever || slices.Contains(b.ended, wire.EpisodeID(ev.Reading)) {
			return Episode{}, "", false
		}
		x = &Episode{Person: p, ID: wire.EpisodeID(ev.Reading), First: ev.Value, With: ev.With, Since: at.Wall,
			State: fact.EpisodeOpened, Ready: at.Boot + b.rules.Wait, Until: at.Boot + b.rules.Expires}
		b.add(x)
		fresh = true
	}
	x.name(p)
	s, changed := b.weigh(at, x, ev)
	if s == fact.EpisodeCleared {
		b.end(x.ID)
	}
	return *x, s, fresh || changed
}

// whose returns the episode that a measurement belongs to; nil: none yet. Of two episodes
// of one person, the one without a card is withdrawn.
func (b *Book) whose(picked, credential string, ev Evidence) *Episode {
	own, card := b.find(wire.EpisodeID(ev.Reading)), b.of(credential)
	switch {
	case card != nil:
		if own != nil && own != card {
			b.remove(own.ID)
		}
		return card
	case own != nil:
		return own
	}
	return b.find(picked)
}

// name notes whose card it is, once that is known.
func (e *Episode) name(p Person) {
	if e.Credential == "" && p.Credential != "" {
		e.Person = p
	}
}

// weigh says what a measurement means in an episode, and notes it.
func (b *Book) weigh(at clock.Moment, e *Episode, ev Evidence) (s fact.EpisodeStep, fresh bool) {
	switch {
	case ev.Finding == Unjudged:
		return e.step(fact.EpisodeUnjudged), false
	case ev.Contact && ev.Finding == Fever:
		return e.turn(fact.EpisodeConfirmed)
	case ev.Contact:
		return fact.EpisodeCleared, true
	case wire.EpisodeID(ev.Reading) == e.ID && e.State == fact.EpisodeOpened:
		e.First = max(e.First, ev.Value) // the first measurement once more
		return fact.EpisodeOpened, false
	case e.State != fact.EpisodeConfirmed && at.Boot < e.Ready:
		return e.step(fact.EpisodeEarly), false
	case ev.Finding == Fever:
		return e.turn(fact.EpisodeConfirmed)
	case e.State == fact.EpisodeConfirmed:
		return fact.EpisodeConfirmed, false
	case ev.Finding == Normal && b.clears(e, ev):
		return fact.EpisodeCleared, true
	}
	return e.turn(fact.EpisodeContact)
}

// clears reports whether a normal infrared value shows that somebody has no fever.
func (b *Book) clears(e *Episode, ev Evidence) bool {
	switch b.rules.Second {
	case policy.SecondAny:
		return true
	case policy.SecondContact:
		return false
	}
	return ev.With != e.With
}

// turn gives the episode a state, and reports whether it had another one.
func (e *Episode) turn(to fact.EpisodeStep) (s fact.EpisodeStep, fresh bool) {
	fresh = e.State != to
	e.State = to
	return to, fresh
}

// step returns the step of a measurement that decides nothing: the state, where that says
// more than that.
func (e *Episode) step(s fact.EpisodeStep) fact.EpisodeStep {
	if e.State == fact.EpisodeOpened {
		return s
	}
	return e.State
}

// Stands returns the step of somebody who comes and is not measured yet.
func (e *Episode) Stands(at clock.Moment) fact.EpisodeStep {
	if at.Boot < e.Ready {
		return e.step(fact.EpisodeEarly)
	}
	return e.step(fact.EpisodeDue)
}

// Lapse ends the episodes whose time is over, and the oldest of those that are too many.
// It returns the ones that nothing has settled: somebody must hear of them.
func (b *Book) Lapse(at clock.Moment) (unresolved []Episode) {
	for _, e := range slices.Clone(b.open) {
		counts := e.carried == nil || e.carried.counts
		if counts && e.Until <= at.Boot || len(b.open) > Most {
			b.end(e.ID)
			if e.State != fact.EpisodeConfirmed {
				unresolved = append(unresolved, *e)
			}
		}
	}
	return unresolved
}

// Next returns when the next episode ends on the boot clock; ok is false without any.
func (b *Book) Next() (boot time.Duration, ok bool) {
	for _, e := range b.open {
		if !ok || e.Until < boot {
			boot, ok = e.Until, true
		}
	}
	return boot, ok
}

// End ends an episode.
func (b *Book) End(id string) { b.end(id) }

func (b *Book) end(id string) {
	b.remove(id)
	b.ended = append(b.ended, id)
	b.ended = b.ended[max(0, len(b.ended)-Most):]
}

func (b *Book) remove(id string) {
	b.open = slices.DeleteFunc(b.open, func(e *Episode) bool { return e.ID == id })
}

// SetRules puts other rules into force: what is open keeps its times.
func (b *Book) SetRules(rules policy.Episode) { b.rules = rules }
