package gate

import (
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/episode"
	"gatehouse/gateway/wire"
)

// Earlier is a record of before a restart.
type Earlier struct {
	At           time.Time     // by the wall clock
	Synchronised bool          // that was known to be right
	Boot         time.Duration // on the boot clock of now; zero when it is of an earlier boot
	Passage      *wire.Passage // nil: of another kind
}

// Remember takes over a record of before a restart, in the order of the journal: what
// has passed, and what time it was. A passage may be handed over twice; it counts once.
func (g *Gate) Remember(e Earlier) {
	at, judged := e.At, false
	if p := e.Passage; p != nil {
		if judged = p.Basis != nil && p.Basis.At != nil; judged {
			at = p.Basis.At.Time
		}
		g.state.Take(g.cfg.Rules, *p, at.In(g.cfg.Zone))
		if e.Boot > 0 {
			g.meters.again(e.Boot, p)
		}
	}
	g.restoreEpisode(e)
	if e.Synchronised || judged {
		g.clock.Restore(at, e.Boot, e.Synchronised)
	}
}

// SetSynchronised notes whether the wall clock is known to be right at a moment.
func (g *Gate) SetSynchronised(at clock.Moment, is bool) {
	if g.synchronised = is; is {
		g.clock.Note(at)
	}
	if g.fevers.book != nil {
		g.fevers.book.Carry(at, is)
	}
}

// restoreEpisode takes over what a record says of fever episodes.
func (g *Gate) restoreEpisode(e Earlier) {
	if g.fevers.book == nil {
		return
	}
	at := clock.Moment{Wall: e.At, Boot: e.Boot}
	if e.Boot != 0 {
		g.fevers.book.Carry(at, e.Synchronised)
	}
	if p := e.Passage; p != nil {
		g.fevers.book.Take(episode.Record{At: at, ThisBoot: e.Boot != 0, Sure: e.Synchronised, Readings: p.Readings,
			Person: episode.Person{Credential: p.Credential, Class: p.Class, Lane: p.Lane, Direction: p.Direction},
			Step:   p.Episode})
	}
}
