package replay

import (
	"math"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

const (
	// window is how far back an agent looks after a restart for readings that nothing was
	// decided on.
	window = time.Minute
	// eventsMost and notedMost bound what is kept of the last readings and passages.
	eventsMost = 1024
	notedMost  = 4096
	// spare is for how long other records than passages are kept at least: what is usual is
	// recorded once a day.
	spare = 48 * time.Hour
	// amended is for how long a passage is kept at least: so long a later one may replace it,
	// or be the second high value of the same person.
	amended = time.Hour
	// pruneLeast is how many records are kept before any is looked at for its age.
	pruneLeast = 1024
)

// event is what an agent lets go through the gate again after a restart.
type event struct {
	at       clock.Moment
	bootID   string
	seq      uint64
	reading  *wire.Reading
	answered []uint64    // readings of the passage that the guard dealt with
	again    *wire.Audit // somebody whom the guard sent to be measured again
	device   string      // whose state changed
	works    bool
}

// passed is a record that a gate remembers over restarts.
type passed struct {
	gate.Earlier

	bootID string
	body   wire.Body // nil: it is a passage, or says what time it was
}

// noted are the readings of a passage.
type noted struct {
	seq      uint64
	readings []uint64
}

// past is what a gate learns of before a restart.
type past struct {
	rules *policy.Rules
	zone  *time.Location

	// old is of the passages, and starts, that are not kept any more: for each set of rules
	// what it asks for.
	old     map[*policy.Rules]*gate.Memory
	oldBoot string   // the boot in which the newest of them was
	kept    []passed // oldest first
	pruneAt int      // how many are kept when those that are too old are taken out; at least pruneLeast

	events []event  // oldest first
	recent []noted  // recorded passages, oldest first
	taken  []uint64 // readings that something was decided on, newest last
}

// passage keeps a recorded passage.
func (p *past) passage(x item, bootID string, body *wire.Passage) {
	e := gate.Earlier{At: x.rec.At.Time, Synchronised: !x.rec.Unsync, Boot: x.boot, Passage: body}
	p.keep(passed{e, bootID, nil})
}

// decided keeps a passage that is decided now.
func (p *past) decided(at clock.Moment, sure bool, bootID string, body *wire.Passage) {
	p.keep(passed{gate.Earlier{At: at.Wall, Synchronised: sure, Boot: at.Boot, Passage: body}, bootID, nil})
}

// clock keeps what time it was.
func (p *past) clock(x item, bootID string) {
	p.keep(passed{gate.Earlier{At: x.rec.At.Time, Synchronised: !x.rec.Unsync, Boot: x.boot}, bootID, nil})
}

// keep keeps a record.
func (p *past) keep(e passed) {
	if b := e.Passage; b != nil {
		p.taken = append(p.taken, b.Readings...)
		p.taken = p.taken[max(0, len(p.taken)-notedMost):]
		e.Passage = slim(b)
	}
	if p.kept = append(p.kept, e); len(p.kept) >= p.pruneAt {
		p.prune(e)
		p.pruneAt = max(2*len(p.kept), pruneLeast)
	}
}

// slim returns of a passage what a gate remembers over restarts.
func slim(b *wire.Passage) *wire.Passage {
	s := &wire.Passage{Verdict: b.Verdict, Reasons: b.Reasons, Readings: b.Readings, Lane: b.Lane,
		Direction: b.Direction, Class: b.Class, Credential: b.Credential, Entered: b.Entered, Basis: b.Basis,
		Episode: b.Episode}
	if t := b.Temperature; t != nil {
		s.Temperature = &wire.Temperature{Supersedes: t.Supersedes}
	}
	return s
}

// prune takes out what is too old when the newest record is now: of passages and starts it
// keeps what rules ask for; of the others those that hold until another one says otherwise.
func (p *past) prune(now passed) {
	oldest := amended
	for r := range p.old {
		if r.Episode != nil {
			oldest = max(oldest, amended+r.Episode.Expires)
		}
	}
	n := 0
	for ; n < len(p.kept) && (p.kept[n].body != nil || p.kept[n].age(now) > oldest); n++ {
		p.remember(p.kept[n])
	}
	newer := map[string]bool{}
	old := make([]bool, len(p.kept))
	for i, e := range slices.Backward(p.kept) {
		what := e.holds()
		old[i] = e.body == nil && i < n || e.body != nil && e.age(now) > spare && (what == "" || newer[what])
		newer[what] = true
	}
	i := -1
	p.kept = slices.DeleteFunc(p.kept, func(passed) bool {
		i++
		return old[i]
	})
}

// asked reports whether an agent with such rules asks for a record when it starts: for
// passages only where its rules look back.
func asked(r *policy.Rules, e passed) bool { return e.Passage == nil || r.Reach() > 0 }

// remember takes a passage, or a start, into the memory of those that are not kept.
func (p *past) remember(e passed) {
	if e.body != nil {
		return
	}
	p.inBoot(e.bootID)
	for r, m := range p.old {
		if asked(r, e) {
			m.Take(r, p.zone, e.Earlier)
		}
	}
}

// inBoot notes in which boot the newest passage, or start, was that is not kept any more.
func (p *past) inBoot(id string) {
	if id == p.oldBoot {
		return
	}
	p.oldBoot = id
	for _, m := range p.old {
		m.Rebooted()
	}
}

// age returns how long before another record this one was; of a wall clock that has been
// set back it is not known, and such a record counts as old.
func (e passed) age(now passed) time.Duration {
	age := now.At.Sub(e.At)
	if e.bootID == now.bootID {
		age = now.Boot - e.Boot
	}
	if age < 0 {
		return math.MaxInt64
	}
	return age
}

// note notes the readings of a recorded passage, which the guard may answer.
func (p *past) note(seq uint64, readings []uint64) {
	p.recent = append(p.recent, noted{seq, readings})
	p.recent = p.recent[max(0, len(p.recent)-eventsMost):]
}

// readings returns those of a recorded passage, or nil when it is too long ago.
func (p *past) readings(seq uint64) []uint64 {
	for _, n := range slices.Backward(p.recent) {
		if n.seq == seq {
			return n.readings
		}
	}
	return nil
}

// event keeps what may go through the gate again.
func (p *past) event(bootID string, e event) {
	e.bootID = bootID
	p.events = append(p.events, e)
	p.events = p.events[max(0, len(p.events)-eventsMost):]
}

// used reports whether something was decided on all of these readings.
func (p *past) used(readings []uint64) bool {
	return !slices.ContainsFunc(readings, func(seq uint64) bool { return !slices.Contains(p.taken, seq) })
}

// restore lets a new gate know the past, and returns the passages of this boot.
func (p *past) restore(g *gate.Gate, bootID string, now time.Duration) (ofThisBoot []gate.Earlier) {
	p.inBoot(bootID)
	g.Recall(p.old[p.rules])
	again := false
	for _, e := range p.kept {
		if e.body != nil {
			e.restore(g, bootID, now, &again)
			continue
		}
		if e.bootID != bootID {
			e.Boot = 0
		}
		if asked(p.rules, e) {
			g.Remember(e.Earlier)
		}
		if e.Passage != nil && e.Boot != 0 {
			ofThisBoot = append(ofThisBoot, e.Earlier)
		}
	}
	return ofThisBoot[max(0, len(ofThisBoot)-eventsMost):]
}
