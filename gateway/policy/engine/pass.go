package engine

import (
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// bearer returns who shows a pass, as if the roster listed them.
func bearer(p *wire.Pass) policy.Person {
	return policy.Person{Class: p.Class, Purpose: p.Purpose, Status: policy.StatusActive}
}

// pass judges a signed pass: whether the policy takes it, its time, and how often it
// was used. Which gate it is for was judged when it was read.
func (x *asked) pass() bool {
	p := x.Pass
	if p == nil {
		return false
	}
	x.d.Basis.Pass = p.ID
	_, listed := x.rules.Classes[p.Class]
	longest := x.rules.Passes
	if longest == nil || !listed || p.Until.Sub(p.From.Time) > time.Duration(longest.Days)*24*time.Hour {
		return x.refuse(fact.ReasonPassNotAccepted, "passes")
	}
	x.timed = true
	switch {
	case x.At.Before(p.From.Time):
		x.d.Basis.Next = instant(p.From.Time)
		return x.refuse(fact.ReasonNotYet, "pass.from")
	case !x.At.Before(p.Until.Time):
		x.d.Basis.Until = instant(p.Until.Time)
		return x.refuse(fact.ReasonExpired, "pass.until")
	}
	used, _ := x.count(x.card, x.Direction, dayOf(p.From.In(x.At.Location())), p.Uses)
	x.d.Basis.Used, x.d.Basis.Times = used, p.Uses
	return used >= p.Uses && x.refuse(fact.ReasonUsesUp, "pass.uses")
}
