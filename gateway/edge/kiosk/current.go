package kiosk

import (
	"cmp"
	"slices"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/gate"
)

// current returns what concerns the people in the lanes now: the last verdict of each
// lane, or what the visit after it waits for. The most important comes last.
func (s *Screen) current(now clock.Moment) []item {
	var out []item
	waits := map[string]*gate.Prompt{} // visits whose verdict is shown as long as they last
	asked := map[string]bool{}
	for i := range s.status.Prompts {
		p := &s.status.Prompts[i]
		if p.Wants == gate.WantsNothing {
			waits[p.Lane] = p
			continue
		}
		asked[p.Lane] = true
		if p.Until+verdictWithin > now.Boot {
			out = append(out, item{id: "a" + itoa(p.Reading) + string(p.Wants), look: wants[p.Wants], prompt: p,
				lane: p.Lane,
				at:   p.Since, until: p.Until})
		}
	}
	for lane, v := range s.verdicts {
		if p := waits[lane]; p != nil && v.at.Boot >= p.Since.Boot {
			v.until = max(v.until, p.Until)
		}
		if v.until > now.Boot && !asked[lane] {
			out = append(out, v)
		}
	}
	for i := range s.status.Checks {
		out = append(out, checkItem(&s.status.Checks[i]))
	}
	slices.SortFunc(out, func(a, b item) int {
		return cmp.Or(cmp.Compare(ranks[a.look], ranks[b.look]), cmp.Compare(a.at.Boot, b.at.Boot),
			cmp.Compare(a.id, b.id))
	})
	return out
}

// shown returns what fills the screen: of people in the lanes or red, else somebody who
// waits to be measured again; nil: the idle view.
func (s *Screen) shown(now clock.Moment) *item {
	if t := s.top(now); t != nil {
		return t
	}
	return s.waiting(now)
}

// top returns what fills the screen of people in the lanes or red, or nil.
func (s *Screen) top(now clock.Moment) *item {
	var best *item
	for _, x := range s.current(now) {
		best = &x
	}
	if c := s.called(now); c != nil && (best == nil || ranks[c.look] > ranks[best.look]) {
		best = c
	}
	for i := range s.reds {
		if r := &s.reds[i]; best == nil || ranks[r.look] > ranks[best.look] {
			best = r
		}
	}
	return best
}
