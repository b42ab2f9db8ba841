// Package engine decides who may pass now. It is pure: rules, what has passed before,
// and somebody who asks go in; a decision comes out, with the rule that decided. What
// has passed is a State, which is rebuilt from the passages in the journal.
package engine

import (
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// Ask is a card that was shown.
type Ask struct {
	Credential string
	Direction  fact.Direction // DirectionNone: of a reader for both ways
	Lane       string
	At         time.Time // in the county's time zone
	Unsure     bool      // At is the last known time: the clock is not known to be right
	// Readings are those of the visit. A passage that used one of them is what this
	// decision replaces: it is not counted.
	Readings []uint64

	Pass      *wire.Pass     // that was shown in place of a card
	PassFault fact.PassFault // what was shown claims to be a pass
}

// Decision says whether a card may pass, and why.
type Decision struct {
	Class    string // of the card; empty: not listed
	Allowed  bool
	Reason   fact.Reason   // why not; empty: it may
	Notes    []fact.Reason // what must be said besides
	Identify bool          // refused, but the guard may find out who it is and let them pass
	Basis    wire.Basis
}

// asked is an Ask with what the rules know of it.
type asked struct {
	Ask
	rules  *policy.Rules
	state  *State
	card   string // by which it is counted
	person policy.Person
	class  policy.Class
	d      Decision
	timed  bool // a rule asked what time it is
}

// Decide says whether a card may pass. It changes nothing: what passes is counted by
// State.Take. The first rule that refuses decides, in the order of rules.
func Decide(r *policy.Rules, s *State, a Ask) Decision {
	x := asked{Ask: a, rules: r, state: s, card: a.Credential}
	if a.PassFault != "" {
		d := Decision{Reason: a.PassFault.Reason(), Basis: wire.Basis{Rule: "passes"}}
		if a.Pass != nil {
			d.Basis.Pass = a.Pass.ID
		}
		return d
	}
	p, known := r.Person(a.Credential)
	if a.Pass != nil {
		p, known = bearer(a.Pass), true
		x.card = counted(a.Credential, a.Pass.ID)
	}
	if !known {
		return Decision{Reason: fact.ReasonUnknownCard, Basis: wire.Basis{Rule: "default"}}
	}
	x.person, x.class, x.d.Class = p, r.Classes[p.Class], p.Class
	for _, rule := range []func(*asked) bool{(*asked).pass, (*asked).lost, (*asked).sealed, (*asked).days,
		(*asked).uses, (*asked).directions, (*asked).purposes, (*asked).before, (*asked).hours, (*asked).passback,
		(*asked).quota} {
		if rule(&x) {
			break
		}
	}
	if x.d.Reason == "" {
		x.d.Allowed = true
		if x.d.Basis.Rule == "" {
			x.d.Basis.Rule = "classes." + p.Class
		}
	}
	if x.timed {
		x.d.Basis.At = instant(a.At)
		if a.Unsure {
			x.d.Notes = append(x.d.Notes, fact.ReasonClockUnknown)
		}
	}
	return x.d
}

func instant(t time.Time) *wire.Time {
	at := wire.At(t)
	return &at
}

// refuse decides against the card, and returns true. What was to be said of a pass is
// not said.
func (x *asked) refuse(why fact.Reason, rule string) bool {
	x.d.Reason, x.d.Basis.Rule, x.d.Notes = why, rule, nil
	return true
}

// note says something besides, and names the rule that let the card pass.
func (x *asked) note(what fact.Reason, rule string) {
	x.d.Notes, x.d.Basis.Rule = append(x.d.Notes, what), rule
}

// rule returns the path of a rule of the class.
func (x *asked) rule(name string) string { return "classes." + x.person.Class + "." + name }

func (x *asked) lost() bool {
	if x.person.Status != policy.StatusLost {
		return false
	}
	x.d.Identify = x.rules.Lost.Pass == policy.LostIdentify
	return x.refuse(fact.ReasonLostCard, "lost.pass")
}

// sealed judges a card of a sealed household: who lives there, and who visits it.
func (x *asked) sealed() bool {
	if !x.rules.IsSealed(x.person) {
		return false
	}
	s := x.rules.Sealed
	switch {
	case s == nil:
		return x.refuse(fact.ReasonSealed, "roster.status")
	case slices.Contains(s.Visits, x.person.Class) || slices.Contains(s.Visits, x.person.Purpose):
		x.note(fact.ReasonSealedVisit, "sealed.visits")
		return false
	case x.class.Fever == fact.InstructTurnAway && x.Direction == fact.DirectionIn:
		return x.refuse(fact.ReasonSealedVisit, "sealed.visits")
	case x.Direction == fact.DirectionIn && s.In == policy.EntryAllow:
		x.note(fact.ReasonSealedEntry, "sealed.in")
		return false
	case x.Direction == fact.DirectionIn:
		return x.refuse(fact.ReasonSealedEntry, "sealed.in")
	case s.Openings == policy.OpeningsDeclared && x.person.Opening != nil:
		x.timed = true
		if x.person.Opening.Open(x.At) {
			x.note(fact.ReasonOpening, "sealed.openings")
			return false
		}
	}
	return x.refuse(fact.ReasonSealed, "sealed")
}

// days judges the first and the last day of the card.
func (x *asked) days() bool {
	if x.person.From == "" && x.person.Until == "" {
		return false
	}
	x.timed = true
	day := x.At.Format(time.DateOnly)
	switch {
	case x.person.From != "" && day < x.person.From:
		if from, err := time.ParseInLocation(time.DateOnly, x.person.From, x.At.Location()); err == nil {
			x.d.Basis.Next = instant(from)
		}
		return x.refuse(fact.ReasonNotYet, "roster.from")
	case x.person.Until != "" && day > x.person.Until:
		if last, err := time.ParseInLocation(time.DateOnly, x.person.Until, x.At.Location()); err == nil {
			x.d.Basis.Until = instant(last.AddDate(0, 0, 1))
		}
		return x.refuse(fact.ReasonExpired, "roster.until")
	}
	return false
}

// uses judges how often the card was used in its direction.
func (x *asked) uses() bool {
	if x.person.Uses == 0 {
		return false
	}
	from, err := time.Parse(time.DateOnly, x.person.From)
	if err != nil {
		return x.refuse(fact.ReasonNotYet, "roster.from") // the roster was checked: it has a first day
	}
	used, _ := x.count(x.card, x.Direction, dayOf(from), x.person.Uses)
	x.d.Basis.Used, x.d.Basis.Times = used, x.person.Uses
	return used >= x.person.Uses && x.refuse(fact.ReasonUsesUp, "roster.uses")
}

func (x *asked) directions() bool {
	return x.Direction != fact.DirectionNone && !slices.Contains(x.class.Directions, x.Direction) &&
		x.refuse(fact.ReasonDirection, x.rule("directions"))
}

func (x *asked) purposes() bool {
	return len(x.class.Purposes) > 0 && !slices.Contains(x.class.Purposes, x.person.Purpose) &&
		x.refuse(fact.ReasonPurpose, x.rule("purposes"))
}

// before judges whether the card has passed the lanes that come first.
func (x *asked) before() bool {
	for i, b := range x.class.Before {
		x.timed = true
		if !x.wants(b) {
			continue
		}
		at, passed := x.state.lanes[laneKey{x.card, b.Lane}]
		if passed {
			x.d.Basis.Last = instant(at)
		}
		if !passed || x.At.Sub(at) > b.Within {
			return x.refuse(fact.ReasonLaneFirst, x.rule(fmt.Sprintf("before[%d]", i)))
		}
	}
	return false
}

// wants reports whether a lane must have been passed before this one.
func (x *asked) wants(b policy.Before) bool {
	if len(b.Directions) > 0 && x.Direction != fact.DirectionNone && !slices.Contains(b.Directions, x.Direction) {
		return false
	}
	if len(b.At) > 0 {
		return slices.Contains(b.At, x.Lane)
	}
	return !isFirst(x.class, x.Lane)
}

// isFirst reports whether a lane is one that a class passes before others. Passing it
// is neither going in nor going out.
func isFirst(k policy.Class, lane string) bool {
	return slices.ContainsFunc(k.Before, func(b policy.Before) bool { return b.Lane == lane })
}

func (x *asked) hours() bool {
	if len(x.class.Windows) == 0 {
		return false
	}
	x.timed = true
	open, next, i := x.class.Hours(x.Direction, x.At)
	if open {
		return false
	}
	x.d.Basis.Next = instant(next)
	return x.refuse(fact.ReasonHours, x.rule(fmt.Sprintf("windows[%d]", i)))
}

// passback judges a card that goes the way that it went last.
func (x *asked) passback() bool {
	if !x.class.Passback() || isFirst(x.class, x.Lane) {
		return false
	}
	x.timed = true
	last, known := x.last()
	if x.At.Before(last.at) {
		last.at = x.At // the clock was set back since
	}
	if !known || last.direction != x.Direction || x.At.Sub(last.at) >= x.class.Forgets() {
		return false
	}
	x.d.Basis.Last = instant(last.at)
	if x.class.AntiPassback == policy.PassbackHard {
		x.d.Basis.Next = instant(last.at.Add(x.class.Forgets()))
		return x.refuse(fact.ReasonPassback, x.rule("anti_passback"))
	}
	x.note(fact.ReasonPassback, x.rule("anti_passback"))
	return false
}

// quota judges how often household or card have passed. On the way that is not counted
// the household is noted all the same: it is what the State counts by.
func (x *asked) quota() bool {
	q := x.class.Quota
	if q == nil || isFirst(x.class, x.Lane) {
		return false
	}
	x.timed = true
	key := x.card
	if q.Per == policy.PerHousehold {
		key, x.d.Basis.Household = x.person.Household, x.person.Household
	}
	if x.Direction != q.Direction() {
		return false
	}
	today := dayOf(x.At)
	used, blocks := x.count(key, q.Direction(), today-int32(q.Days)+1, q.Times())
	x.d.Basis.Used, x.d.Basis.Times = used, q.Times()
	if used < q.Times() {
		return false
	}
	y, m, d := x.At.Date()
	x.d.Basis.Next = instant(time.Date(y, m, d+int(min(blocks, today)-today)+q.Days, 0, 0, 0, 0, x.At.Location()))
	return x.refuse(fact.ReasonQuota, x.rule("quota"))
}
