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

// red is a verdict that waits for the guard.
type red struct {
	first    uint64 // seq of the first passage about it
	seq      uint64 // of the newest
	readings []uint64
	kind     fact.Reason
	told     fact.Instruction
	since    time.Duration // boot clock
}

// reds are the verdicts that wait, as the screen shows them: one that amends another
// takes its place, and one that was answered does not come back unless it says
// something else.
type reds struct {
	open, done []red // oldest first
}

func (r red) same(x wire.Passage) bool {
	return slices.ContainsFunc(r.readings, func(seq uint64) bool { return slices.Contains(x.Readings, seq) })
}

func (r *reds) show(at time.Duration, seq uint64, x wire.Passage) {
	same := func(d red) bool { return d.same(x) }
	n := red{first: seq, seq: seq, readings: slices.Clone(x.Readings), kind: Red(x), told: x.Instruction, since: at}
	if x.Override != nil {
		r.open = slices.DeleteFunc(r.open, same) // the guard has decided
		return
	}
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
	if i := slices.IndexFunc(r.done, same); i >= 0 && r.done[i].kind == n.kind && r.done[i].told == n.told {
		r.done[i] = n
		return
	}
	r.open = append(r.open, n)
	r.open = r.open[max(0, len(r.open)-mostReds):]
}

// earlier takes a verdict of before a restart.
func (r *reds) earlier(at time.Duration, seq uint64, x wire.Passage, answered bool) {
	if !answered {
		r.show(at, seq, x)
		return
	}
	r.open = slices.DeleteFunc(r.open, func(d red) bool { return d.same(x) })
	if kind := Red(x); kind != "" {
		r.close(red{first: seq, seq: seq, readings: x.Readings, kind: kind, told: x.Instruction, since: at})
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
