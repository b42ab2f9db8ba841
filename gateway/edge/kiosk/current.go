package kiosk

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/gate"
)

// current returns what concerns the people in the lanes now: the last verdict of
// each lane, or what the gate asks since then.
func (s *Screen) current(now clock.Moment) []item {
	var out []item
	until := map[string]time.Duration{} // lanes in which a verdict stays because the visit does
	asked := map[string]bool{}
	for i := range s.status.Prompts {
		p := &s.status.Prompts[i]
		if p.Wants == gate.WantsNothing {
			until[p.Lane] = p.Until
			continue
		}
		asked[p.Lane] = true
		if p.Until > now.Boot {
			out = append(out, item{id: "a" + itoa(p.Reading) + string(p.Wants), look: wants[p.Wants], prompt: p, lane: p.Lane,
				at: p.Since, until: p.Until})
		}
	}
	for lane, v := range s.verdicts {
		if max(v.until, until[lane]) > now.Boot && !asked[lane] {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.at.Boot, b.at.Boot), cmp.Compare(a.id, b.id))
	})
	return out
}

// top is what fills the screen, or nil when nobody is there.
func (s *Screen) top(now clock.Moment) *item {
	var best *item
	for _, x := range s.current(now) {
		best = &x // the newest
	}
	for i := range s.reds {
		if r := &s.reds[i]; best == nil || ranks[r.look] > ranks[best.look] {
			best = r
		}
	}
	return best
}
