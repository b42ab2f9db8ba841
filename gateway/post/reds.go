package post

import (
	"slices"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

const (
	mostReds = 50 // that wait, and that are remembered when they are answered
	redsFor  = 10 * time.Minute
)

// Red returns the reason for which a verdict stays on the screen until the guard has
// answered it; empty: it does not.
func Red(p wire.Passage) fact.Reason {
	switch {
	case p.Verdict == fact.VerdictFever && stepOf(p) == fact.EpisodeEarly:
		return "" // the guard has sent them to wait, and nothing is decided
	case p.Verdict == fact.VerdictFever:
		return fact.ReasonFever
	case p.Verdict != fact.VerdictRefuse || p.Override != nil:
		return ""
	case slices.Contains(p.Reasons, fact.ReasonUnknownCard):
		return fact.ReasonUnknownCard
	case slices.Contains(p.Reasons, fact.ReasonSealed):
		return fact.ReasonSealed
	}
	return ""
}

// stepOf returns the step of a passage in a fever episode; empty: it is in none.
func stepOf(p wire.Passage) fact.EpisodeStep {
	if p.Episode == nil {
		return ""
	}
	return p.Episode.Step
}

// red is a verdict that waits for the guard.
type red struct {
	first   uint64 // seq of the first passage about it
	seq     uint64 // of the newest
	passage wire.Passage
	kind    fact.Reason
	since   time.Duration // boot clock
}

func newRed(at time.Duration, seq uint64, x wire.Passage) red {
	return red{first: seq, seq: seq, passage: x, kind: Red(x), since: at}
}

// reds are the verdicts that wait, as the screen shows them: one that amends another
// takes its place, and one that was answered does not come back unless it says
// something else.
type reds struct {
	open, done []red // oldest first
}

// same reports whether a passage is about the same visit.
func (r red) same(x wire.Passage) bool { return shares(r.passage.Readings, x.Readings) }

func shares(a, b []uint64) bool {
	return slices.ContainsFunc(a, func(seq uint64) bool { return slices.Contains(b, seq) })
}

// answeredBy reports whether a passage shows what the guard did about the person: they
// have entered a value, or the second measurement of the fever episode has settled it.
func (r red) answeredBy(x wire.Passage) bool {
	episode := r.passage.Episode != nil && x.Episode != nil && r.passage.Episode.ID == x.Episode.ID
	of := r.same(x) || episode
	switch step := stepOf(x); {
	case x.Entered != nil && !sameEntry(x.Entered, r.passage.Entered):
		return of || shares(r.passage.Readings, x.Entered.Of)
	case step == fact.EpisodeConfirmed:
		return of && stepOf(r.passage) != step
	case step == fact.EpisodeCleared:
		return of
	}
	return false
}

// sameEntry reports whether two passages have one entered value: the later one amends the
// other for another reason.
func sameEntry(x, y *wire.Entered) bool {
	return y != nil && x.Value == y.Value && x.With == y.With && slices.Equal(x.Of, y.Of)
}

func (r *reds) show(at time.Duration, seq uint64, x wire.Passage) {
	same := func(d red) bool { return d.same(x) }
	if x.Override != nil {
		r.open = slices.DeleteFunc(r.open, same) // the guard has decided
		return
	}
	answered := r.settle(x)
	n := newRed(at, seq, x)
	if n.kind == "" {
		return
	}
	if i := slices.IndexFunc(r.open, same); i >= 0 {
		if r.open[i].kind == n.kind {
			n.first, n.since = r.open[i].first, r.open[i].since
		}
		r.open[i] = n
		return
	}
	if i := slices.IndexFunc(r.done, same); i >= 0 && !answered && r.done[i].kind == n.kind &&
		r.done[i].passage.Instruction == x.Instruction {
		r.done[i] = n
		return
	}
	r.open = append(r.open, n)
	r.open = r.open[max(0, len(r.open)-mostReds):]
}

// settle closes the reds that a passage answers, and reports whether there are any.
func (r *reds) settle(x wire.Passage) (answered bool) {
	r.open = slices.DeleteFunc(r.open, func(d red) bool {
		if !d.answeredBy(x) {
			return false
		}
		r.close(d)
		answered = true
		return true
	})
	return answered
}

// earlier takes a verdict of before a restart.
func (r *reds) earlier(at time.Duration, seq uint64, x wire.Passage, answered bool) {
	if !answered {
		r.show(at, seq, x)
		return
	}
	r.settle(x)
	r.open = slices.DeleteFunc(r.open, func(d red) bool { return d.same(x) })
	if d := newRed(at, seq, x); d.kind != "" {
		r.close(d)
	}
}

// answered takes the guard's answer to a passage.
func (r *reds) answered(seq uint64) {
	if i := slices.IndexFunc(r.open, func(d red) bool { return d.seq == seq }); i >= 0 {
		r.close(r.open[i])
		r.open = slices.Delete(r.open, i, i+1)
	}
}

func (r *reds) close(d red) {
	r.done = append(r.done, d)
	r.done = r.done[max(0, len(r.done)-mostReds):]
}

// late returns those that have waited for so long.
func (r *reds) late(now, limit time.Duration) (out []red) {
	for _, d := range r.open {
		if now-d.since >= limit {
			out = append(out, d)
		}
	}
	return out
}

// What answers count as unread: 5 of the last 6 reds within a second.
const (
	fastLast = 6
	fastOf   = 5
	fastFor  = time.Second
)

// fast is how long the last red verdicts had been on the screen when they were answered.
type fast struct{ last []time.Duration }

func (f *fast) add(a wire.Audit) {
	if a.AfterMS <= 0 {
		return // not known
	}
	f.last = append(f.last, time.Duration(a.AfterMS)*time.Millisecond)
	f.last = f.last[max(0, len(f.last)-fastLast):]
}

func (f *fast) count() (n int) {
	for _, d := range f.last {
		if d < fastFor {
			n++
		}
	}
	return n
}
