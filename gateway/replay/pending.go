package replay

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

const (
	// patience is how long a verdict waits for its counterpart: longer than any pairing
	// window, with which it may come later.
	patience = 3 * time.Minute
	// pendingMost bounds how many wait.
	pendingMost = 1024
	// seenMost is how many readings are remembered by their seqs.
	seenMost = 8192
)

// verdict is one without its counterpart.
type verdict struct {
	seq     uint64 // of its record; 0: it is decided now
	at      clock.Moment
	passage *wire.Passage
	amended bool          // a later one on its side replaced it
	cut     bool          // the agent ended since
	cutAt   time.Duration // boot clock of the start that followed
}

// pending pairs what was recorded with what is decided now.
type pending struct {
	recorded, decided []verdict
	readings          []uint64 // seqs that were seen, rising
	forgotten         uint64   // seqs up to this one are not remembered any more
}

// seen notes a reading.
func (p *pending) seen(seq uint64) {
	p.readings = append(p.readings, seq)
	if n := len(p.readings) - seenMost; n > 0 {
		p.forgotten = p.readings[n-1]
		p.readings = p.readings[n:]
	}
}

// missing returns a reading that was not seen; 0: all were.
func (p *pending) missing(readings []uint64) uint64 {
	for _, seq := range readings {
		if _, found := slices.BinarySearch(p.readings, seq); !found && seq > p.forgotten {
			return seq
		}
	}
	return 0
}

func (p *pending) was(x item, b *wire.Passage) {
	amend(p.recorded, b)
	p.recorded = append(p.recorded, verdict{seq: x.rec.Seq, at: x.moment(), passage: b})
}

func (p *pending) is(at clock.Moment, b *wire.Passage) {
	amend(p.decided, b)
	p.decided = append(p.decided, verdict{at: at, passage: b})
}

// amend notes which verdicts a passage replaces.
func amend(list []verdict, b *wire.Passage) {
	for i := range list {
		list[i].amended = list[i].amended || b.Amends && shares(list[i].passage, b)
	}
}

// drop takes out what is decided now on some of these readings.
func (p *pending) drop(readings []uint64) {
	p.decided = slices.DeleteFunc(p.decided, func(v verdict) bool { return common(v.passage.Readings, readings) })
}

// matched returns the verdicts of both sides on the same readings.
func (p *pending) matched() []Outcome {
	return p.pair(func(a, b verdict) bool { return slices.Equal(a.passage.Readings, b.passage.Readings) })
}

// pair takes out the verdicts that belong together. What was decided before an agent
// ended, and again after it had started, is one verdict.
func (p *pending) pair(same func(was, is verdict) bool) (out []Outcome) {
	p.recorded = slices.DeleteFunc(p.recorded, func(was verdict) bool {
		for i, is := range slices.Backward(p.decided) {
			if !same(was, is) {
				continue
			}
			out = append(out, Outcome{Seq: was.seq, At: was.at.Wall, Was: was.passage, Is: is.passage})
			p.decided = slices.Delete(p.decided, i, i+1)
			p.decided = slices.DeleteFunc(p.decided, func(v verdict) bool { return v.cut && same(was, v) })
			return true
		}
		return false
	})
	return out
}

// cut notes that the agent has ended: what it had decided last it may not have recorded.
func (p *pending) cut(boot time.Duration) {
	for _, list := range [][]verdict{p.decided, p.recorded} {
		for i := range list {
			if !list[i].cut {
				list[i].cut, list[i].cutAt = true, boot
			}
		}
	}
}

// due returns what has waited long enough, and what too many wait for.
func (p *pending) due(boot time.Duration) []Outcome {
	old := func(v verdict) bool {
		if v.cut {
			return boot < v.cutAt || boot-v.cutAt > window
		}
		return boot-v.at.Boot > patience
	}
	if len(p.recorded) > pendingMost || len(p.decided) > pendingMost {
		return p.all()
	}
	if !slices.ContainsFunc(p.recorded, old) && !slices.ContainsFunc(p.decided, old) {
		return nil
	}
	out := p.pair(func(a, b verdict) bool { return (old(a) || old(b)) && shares(a.passage, b.passage) })
	return append(out, p.alone(old)...)
}

// all returns all that waits.
func (p *pending) all() []Outcome {
	out := p.pair(func(a, b verdict) bool { return shares(a.passage, b.passage) })
	return append(out, p.alone(func(verdict) bool { return true })...)
}

// alone takes out the verdicts without a counterpart.
func (p *pending) alone(old func(verdict) bool) (out []Outcome) {
	take := func(v verdict) bool {
		if !old(v) {
			return false
		}
		o := Outcome{Seq: v.seq, At: v.at.Wall, Was: v.passage, Replaced: v.amended}
		if v.seq == 0 {
			o = Outcome{At: v.at.Wall, Is: v.passage, Replaced: v.amended, Cut: v.cut}
		}
		out = append(out, o)
		return true
	}
	p.recorded = slices.DeleteFunc(p.recorded, take)
	p.decided = slices.DeleteFunc(p.decided, take)
	return out
}

func shares(a, b *wire.Passage) bool { return common(a.Readings, b.Readings) }

func common(a, b []uint64) bool {
	return slices.ContainsFunc(a, func(seq uint64) bool { return slices.Contains(b, seq) })
}
