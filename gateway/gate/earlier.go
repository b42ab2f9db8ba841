package gate

import (
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/episode"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/policy/engine"
	"gatehouse/gateway/wire"
)

// Earlier is a record of before a restart.
type Earlier struct {
	At           time.Time     // by the wall clock
	Synchronised bool          // that was known to be right
	Boot         time.Duration // on the boot clock of now; zero when it is of an earlier boot
	Passage      *wire.Passage // nil: of another kind
}

// Memory is what is asked of the past for as long as rules look back: what has passed, and
// what time it was. It is as large as the roster at most, times the days of the longest
// quota. Its zero value is empty; it is for one goroutine.
type Memory struct {
	state engine.State
	clock engine.Clock
}

// Take takes over a record of before a restart, in the order of the journal. Zone is the
// county's.
func (m *Memory) Take(r *policy.Rules, zone *time.Location, e Earlier) {
	at, judged := e.At, false
	if p := named(r, e.Passage); p != nil {
		if judged = p.Basis != nil && p.Basis.At != nil; judged {
			at = p.Basis.At.Time
		}
		m.state.Take(r, *p, at.In(zone))
	}
	if e.Synchronised || judged {
		m.clock.Restore(at, e.Boot, e.Synchronised)
	}
}

// Rebooted notes that the computer has started again: its boot clock counts anew.
func (m *Memory) Rebooted() { m.clock.Rebooted() }

// Clone returns a copy, which shares nothing with m.
func (m *Memory) Clone() *Memory { return &Memory{state: m.state.Clone(), clock: m.clock} }

// Recall takes over a copy of a memory, in place of the gate's own. It is called before
// Remember.
func (g *Gate) Recall(m *Memory) { g.past = *m.Clone() }

// Remember takes over a record of before a restart, in the order of the journal: what
// has passed, and what time it was. A passage may be handed over twice; it counts once.
func (g *Gate) Remember(e Earlier) {
	e.Passage = named(g.cfg.Rules, e.Passage)
	if e.Passage != nil && e.Boot > 0 {
		g.meters.again(e.Boot, e.Passage)
	}
	g.restoreEpisode(e)
	g.past.Take(g.cfg.Rules, g.cfg.Zone, e)
}

// SetSynchronised notes whether the wall clock is known to be right at a moment.
func (g *Gate) SetSynchronised(at clock.Moment, is bool) {
	if g.synchronised = is; is {
		g.past.clock.Note(at)
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
