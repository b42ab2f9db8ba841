package trial

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/policy/engine"
)

// Change is a situation that two versions of the rules decide otherwise, for people who
// have the same in the roster.
type Change struct {
	Who    string // class, and the status if it is not active
	Way    fact.Direction
	Lane   string // empty: any that does not ask for another one first
	Before string // what has passed before; empty: whatever has
	Lines  []int  // of the people in the new roster
	Difference
}

// Difference is what is decided otherwise, and when in the week: "at any time", "every
// day 20:00-21:00".
type Difference struct {
	Old, New, When string
	Passes         bool // whether they pass differs, and not only why
}

// Comparison is how two versions of the rules differ.
type Comparison struct {
	Rules   []string // settings that are not about one situation, such as limits.fever_c
	Changes []Change // sorted
	Added   []int    // lines of the new roster whose cards the old one does not list
	Removed []int    // lines of the old roster whose cards the new one does not list
	Locked  []string // ways on which somebody could pass before and nobody can now
}

// slots are the half hours of a week, in which situations are tried.
const slots = 7 * 48

// signature is what decides about a person; who has the same is decided alike.
type signature struct{ old, new trait }

// trait is what one version of the roster says of a person.
type trait struct {
	class, from, until, purpose string
	status                      policy.Status
	sealed, home                bool
	uses                        int
	opening                     policy.Opening
}

func traitOf(r *policy.Rules, p policy.Person) trait {
	t := trait{class: p.Class, from: p.From, until: p.Until, purpose: p.Purpose, status: p.Status,
		sealed: r.IsSealed(p), home: p.Household != "", uses: p.Uses}
	if p.Opening != nil {
		t.opening = *p.Opening
	}
	return t
}

// group are the people of one signature.
type group struct {
	card  string // of one of them
	lines []int  // in the new roster
}

// Compare tries every situation of a week that begins on a day, in the county's time,
// on both versions of the rules.
func Compare(before, after *policy.Rules, day time.Time) Comparison {
	c := Comparison{Rules: settings(before.Policy, after.Policy)}
	groups := map[signature]*group{}
	for card, p := range after.All {
		was, known := before.Person(card)
		if !known {
			c.Added = append(c.Added, p.Line)
			continue
		}
		s := signature{traitOf(before, was), traitOf(after, p)}
		if groups[s] == nil {
			groups[s] = &group{card: card}
		}
		groups[s].lines = append(groups[s].lines, p.Line)
	}
	for card, p := range before.All {
		if !after.Knows(card) {
			c.Removed = append(c.Removed, p.Line)
		}
	}
	found := map[string]*Change{}
	same := sameClasses(before.Policy, after.Policy)
	for s, g := range groups {
		if s.old == s.new && same[s.new.class] {
			continue // nothing that decides about them differs
		}
		w := week{before, after, day, g.card}
		for _, x := range w.changes(s) {
			key := fmt.Sprintf("%q", []string{x.Who, string(x.Way), x.Lane, x.Before, x.Old, x.New, x.When})
			if found[key] == nil {
				found[key] = &x
			}
			found[key].Lines = append(found[key].Lines, g.lines...)
		}
	}
	for _, x := range found {
		slices.Sort(x.Lines)
		c.Changes = append(c.Changes, *x)
	}
	slices.SortFunc(c.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Lines[0], b.Lines[0]), cmp.Compare(a.Way, b.Way), cmp.Compare(a.Lane, b.Lane),
			cmp.Compare(a.Before, b.Before), cmp.Compare(a.When, b.When), cmp.Compare(a.New, b.New))
	})
	for _, way := range []fact.Direction{fact.DirectionIn, fact.DirectionOut} {
		if n := able(before, way, day); n > 0 && able(after, way, day) == 0 {
			c.Locked = append(c.Locked, fmt.Sprintf("%s: %d could before", way, n))
		}
	}
	return c
}

// able returns how many people may pass on a way at some time of a week.
func able(r *policy.Rules, way fact.Direction, day time.Time) (n int) {
	known := map[trait]bool{}
	for card, p := range r.All {
		t := traitOf(r, p)
		may, seen := known[t]
		if !seen {
			may = passesOnce(r, card, way, day)
			known[t] = may
		}
		if may {
			n++
		}
	}
	return n
}

// passesOnce reports whether a card that has not passed yet may pass on a way at some
// time of a week.
func passesOnce(r *policy.Rules, card string, way fact.Direction, day time.Time) bool {
	for _, lane := range lanesOf(r, card) {
		for slot := range slots {
			at := day.Add(time.Duration(slot) * 30 * time.Minute)
			if decide(r, histories()[0], engine.Ask{Credential: card, Direction: way, Lane: lane, At: at}).Allowed {
				return true
			}
		}
	}
	return false
}

// week is a card for which a week is tried.
type week struct {
	before, after *policy.Rules
	day           time.Time
	card          string
}

// changes returns what is decided otherwise about a card, without lines of a roster.
func (w week) changes(s signature) (out []Change) {
	who := s.new.class
	if s.old.class != s.new.class {
		who = s.old.class + " → " + who
	}
	if s.old.status != s.new.status {
		who += fmt.Sprintf(" (%s → %s)", s.old.status, s.new.status)
	} else if s.new.status != policy.StatusActive {
		who += fmt.Sprintf(" (%s)", s.new.status)
	}
	lanes := append(lanesOf(w.before, w.card), lanesOf(w.after, w.card)...)
	slices.Sort(lanes)
	lanes = slices.Compact(lanes)
	for _, lane := range lanes {
		for _, way := range []fact.Direction{fact.DirectionIn, fact.DirectionOut} {
			out = append(out, w.whenever(lane, way, len(lanes) > 1 || w.asks())...)
		}
	}
	for i := range out {
		out[i].Who = who
	}
	return out
}

// asks reports whether the card's class must pass another lane first.
func (w week) asks() bool {
	first := func(r *policy.Rules) bool {
		p, _ := r.Person(w.card)
		return len(r.Classes[p.Class].Before) > 0
	}
	return first(w.before) || first(w.after)
}

// whenever returns what is decided otherwise in one lane and on one way. What is the
// same after several histories is one change.
func (w week) whenever(lane string, way fact.Direction, lanesFirst bool) (out []Change) {
	tried := 0
	after := map[Difference][]string{}
	for _, h := range histories() {
		if !h.lanes && !lanesFirst {
			continue
		}
		tried++
		for _, d := range w.differ(lane, way, h) {
			after[d] = append(after[d], h.name)
		}
	}
	for d, names := range after {
		x := Change{Way: way, Lane: lane, Difference: d, Before: strings.Join(names, "; ")}
		if len(names) == tried {
			x.Before = ""
		}
		out = append(out, x)
	}
	return out
}

// differ returns what is decided otherwise in one lane, on one way, after one history,
// with the times.
func (w week) differ(lane string, way fact.Direction, h history) (out []Difference) {
	times := map[Difference]*[slots]bool{}
	for slot := range slots {
		at := w.day.Add(time.Duration(slot) * 30 * time.Minute)
		ask := engine.Ask{Credential: w.card, Direction: way, Lane: lane, At: at}
		old, now := decide(w.before, h, ask), decide(w.after, h, ask)
		key := Difference{Old: words(old), New: words(now), Passes: old.Allowed != now.Allowed}
		if key.Old == key.New {
			continue
		}
		if times[key] == nil {
			times[key] = new([slots]bool)
		}
		times[key][slot] = true
	}
	for key, when := range times {
		key.When = spans(when, w.day.Weekday())
		out = append(out, key)
	}
	return out
}

// words returns a decision in words.
func words(d engine.Decision) string {
	reasons := append(slices.Clone(d.Notes), d.Reason)
	if d.Allowed {
		reasons = d.Notes
	}
	s := "refused"
	if d.Allowed {
		s = "passes"
	}
	if len(reasons) > 0 {
		s += " (" + fact.JoinReasons(reasons, ", ") + ")"
	}
	return s
}
