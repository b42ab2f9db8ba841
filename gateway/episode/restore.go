package episode

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Record is a passage of before a restart.
type Record struct {
	At       clock.Moment // when it was recorded
	ThisBoot bool         // At.Boot counts from the same boot as the clock of now
	Sure     bool         // the wall clock was known to be right
	Person
	Readings []uint64
	Step     *wire.EpisodeStep // nil: it is of no episode
}

// carried is when an episode of an earlier boot is ready and ends by the wall clock.
type carried struct {
	ready, until time.Time
	sure         bool // the wall clock was known to be right
	counts       bool // Ready and Until count from a moment of this boot
}

// Take takes over a passage of before a restart. They come in the order of the journal;
// one may come twice.
func (b *Book) Take(r Record) {
	id := ""
	if r.Step != nil {
		id = r.Step.ID
	}
	for _, seq := range r.Readings {
		if own := wire.EpisodeID(seq); own != id {
			b.remove(own) // of a person who turned out to have another one
		}
	}
	switch {
	case r.Step == nil || slices.Contains(b.ended, id):
		return
	case r.Step.Step == fact.EpisodeCleared:
		b.end(id)
		return
	}
	e := b.find(id)
	if e == nil {
		e = &Episode{ID: id, Person: r.Person, State: fact.EpisodeOpened}
		b.add(e)
	}
	e.name(r.Person)
	e.First, e.With, e.Since = r.Step.First, r.Step.With, r.Step.Since.Time
	switch r.Step.Step {
	case fact.EpisodeOpened, fact.EpisodeContact, fact.EpisodeConfirmed:
		e.State = r.Step.Step
	}
	if !r.ThisBoot {
		e.carried = &carried{ready: r.Step.Ready.Time, until: r.Step.Until.Time, sure: r.Sure}
		return
	}
	b.times(e, r.At.Boot, r.Step.Ready.Sub(r.At.Wall), r.Step.Until.Sub(r.At.Wall))
	if e.carried != nil {
		e.carried.counts = true
	}
}

// times sets when an episode is ready and ends: so long after a moment of the boot clock,
// and no longer than the rules say.
func (b *Book) times(e *Episode, from, ready, until time.Duration) {
	e.Ready, e.Until = from+min(ready, b.rules.Wait), from+min(until, b.rules.Expires)
}

// Carry counts what is left of episodes of an earlier boot from a moment of this one: by
// the wall clock if that was known to be right then and is now; else the wait starts
// anew, until it is known. It is called after Take, and whenever it becomes known.
func (b *Book) Carry(at clock.Moment, sure bool) {
	for _, e := range b.open {
		c := e.carried
		switch {
		case c == nil:
		case c.sure && sure:
			b.times(e, at.Boot, c.ready.Sub(at.Wall), c.until.Sub(at.Wall))
			e.carried = nil
		case !c.counts:
			b.times(e, at.Boot, b.rules.Wait, b.rules.Expires)
			c.counts = true
		}
	}
}

// Wire returns a step of an episode as a passage carries it.
func (e *Episode) Wire(at clock.Moment, s fact.EpisodeStep) *wire.EpisodeStep {
	return &wire.EpisodeStep{ID: e.ID, Step: s, First: e.First, With: e.With, Since: wire.At(e.Since),
		Ready: wire.At(at.Add(e.Ready - at.Boot).Wall), Until: wire.At(at.Add(e.Until - at.Boot).Wall)}
}
