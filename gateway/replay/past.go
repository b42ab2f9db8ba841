package replay

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

const (
	// window is how far back an agent looks after a restart for readings that nothing was
	// decided on.
	window = time.Minute
	// eventsMost and notedMost bound what is kept of the last readings and passages.
	eventsMost = 1024
	// spare is how much longer than the rules look back is kept: what is usual is recorded
	// once a day.
	spare     = 48 * time.Hour
	notedMost = 4096
)

// event is what an agent lets go through the gate again after a restart.
type event struct {
	at       clock.Moment
	seq      uint64
	reading  *wire.Reading
	answered []uint64 // readings of the passage that the guard dealt with
	device   string   // whose state changed
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
	reach  time.Duration // of the rules
	kept   []passed      // oldest first
	events []event       // oldest first
	recent []noted       // recorded passages, oldest first
	taken  []uint64      // readings that something was decided on, newest last
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

// keep keeps a record for as long as the rules look back, and a day.
func (p *past) keep(e passed) {
	if b := e.Passage; b != nil {
		p.taken = append(p.taken, b.Readings...)
		p.taken = p.taken[max(0, len(p.taken)-notedMost):]
	}
	p.kept = append(p.kept, e)
	if n := len(p.kept); n&(n-1) == 0 { // now and then
		p.prune(e.At.Add(-p.reach - spare))
	}
}

// prune forgets what is older, but not what holds still.
func (p *past) prune(oldest time.Time) {
	newer := map[string]bool{}
	for i := len(p.kept) - 1; i >= 0; i-- {
		e := &p.kept[i]
		if what := e.holds(); what != "" {
			if newer[what] {
				e.At = time.Time{}
			}
			newer[what] = true
		}
	}
	p.kept = slices.DeleteFunc(p.kept, func(e passed) bool {
		return e.At.Before(oldest) && (e.holds() == "" || e.At.IsZero())
	})
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
func (p *past) event(e event) {
	p.events = append(p.events, e)
	p.events = p.events[max(0, len(p.events)-eventsMost):]
}

// used reports whether something was decided on all of these readings.
func (p *past) used(readings []uint64) bool {
	return !slices.ContainsFunc(readings, func(seq uint64) bool { return !slices.Contains(p.taken, seq) })
}

// remember lets a new gate know the past, and returns the passages of this boot.
func (p *past) remember(g *gate.Gate, bootID string, now time.Duration) (ofThisBoot []gate.Earlier) {
	again := false
	for _, e := range p.kept {
		if e.body != nil {
			e.restore(g, bootID, now, &again)
			continue
		}
		if p.reach == 0 && e.Passage == nil {
			continue // an agent whose rules ask for nothing looks for nothing
		}
		if e.bootID != bootID {
			e.Boot = 0
		}
		g.Remember(e.Earlier)
		if e.Passage != nil && e.Boot != 0 {
			ofThisBoot = append(ofThisBoot, e.Earlier)
		}
	}
	return ofThisBoot[max(0, len(ofThisBoot)-eventsMost):]
}
