package policy

import (
	"time"

	"gatehouse/gateway/fact"
)

// Passback reports whether the class's last direction matters.
func (k Class) Passback() bool {
	return k.AntiPassback == PassbackSoft || k.AntiPassback == PassbackHard
}

// Forgets returns after how long the last direction of its cards is forgotten.
func (k Class) Forgets() time.Duration {
	if k.Amnesty == 0 {
		return DefaultAmnesty
	}
	return k.Amnesty
}

// Times returns how often may be passed.
func (q Quota) Times() int { return q.Exits + q.Entries }

// Direction returns the direction that is counted.
func (q Quota) Direction() fact.Direction {
	if q.Entries > 0 {
		return fact.DirectionIn
	}
	return fact.DirectionOut
}

// Rules is a policy with its roster. It is never changed after LoadRules.
type Rules struct {
	Policy
	Guards Guards // who may be on duty; set once, before the rules are used
	people people
	byCard map[string]int32  // by each pseudonym: row of people
	same   map[string]string // name in force of people and households, by each other one
	sealed map[string]bool   // households with a card that is sealed
	usable int               // most days of a card whose uses are counted
}

// Person looks a credential up.
func (r *Rules) Person(credential string) (p Person, known bool) {
	i, known := r.byCard[credential]
	if !known {
		return Person{}, false
	}
	return r.people.at(i), true
}

// Knows reports whether the roster lists a credential.
func (r *Rules) Knows(credential string) bool {
	_, known := r.byCard[credential]
	return known
}

// People returns the number of credentials in the roster.
func (r *Rules) People() int { return len(r.people.rows) }

// All calls visit with each credential and its person, in the order of the roster's
// lines, until it returns false.
func (r *Rules) All(visit func(credential string, p Person) bool) {
	cards := make([]string, r.People())
	for card, i := range r.byCard {
		if _, other := r.same[card]; !other {
			cards[i] = card
		}
	}
	for i, card := range cards {
		if !visit(card, r.people.at(int32(i))) {
			return
		}
	}
}

// IsSealed reports whether somebody's household is sealed. Without a rule for sealed
// households it is as their own card says.
func (r *Rules) IsSealed(p Person) bool {
	return p.Status == StatusSealed || r.Sealed != nil && p.Household != "" && r.sealed[p.Household]
}

// Reach returns how far back passages matter for what is decided now: 0 when none do.
func (r *Rules) Reach() time.Duration {
	days, span := r.usable, time.Duration(0)
	for _, k := range r.Classes {
		if k.Quota != nil {
			days = max(days, k.Quota.Days)
		}
		if k.Passback() {
			span = max(span, k.Forgets())
		}
		for _, b := range k.Before {
			span = max(span, b.Within)
		}
	}
	if r.Episode != nil {
		span = max(span, r.Episode.Expires)
	}
	if r.Passes != nil {
		days = max(days, r.Passes.Days)
	}
	if r.Baseline != nil {
		span = max(span, RetestWithin)
	}
	return max(span, time.Duration(days)*24*time.Hour)
}
