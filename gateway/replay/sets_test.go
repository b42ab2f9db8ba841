package replay_test

import (
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/replay"
	"gatehouse/gateway/wire"
)

// swap puts other rules into force, as an agent does with those of the county, and returns the
// seq of the record that says so.
func (a *agent) swap(r *policy.Rules) uint64 {
	seq := a.append(&wire.Audit{Actor: "county", Action: wire.ActionRulesApplied, Rules: &wire.RulesApplied{No: 1}})
	m := &gate.Memory{}
	for _, x := range a.journal {
		if p, is := x.body.(*wire.Passage); is {
			m.Take(r, zone, gate.Earlier{At: x.At.Time, Synchronised: !x.Unsync, Boot: time.Duration(x.BootNS),
				Passage: p})
		}
	}
	a.rules = r
	a.gate.SetRules(r, m)
	return seq
}

// changingDay is a day on which rules change by themselves: a lower limit, then another quota,
// which counts who has passed before.
func changingDay(t *testing.T) (a *agent, sets []replay.Set, first *policy.Rules) {
	t.Helper()
	first = rules(t, 8*time.Second, "37.3", "")
	second, third := rules(t, 8*time.Second, "36.8", everyRule), rulesOf(t, "version: \"3\"\n"+
		"limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 5s}\n"+"classes:\n"+
		"  resident: {fever: go-home, directions: [in, out], quota: {exits: 2, days: 1, per: household}}\n"+
		"  visitor: {fever: turn-away, directions: [in, out]}\n  worker: {fever: turn-away, directions: [in, out]}\n")
	a = newAgent(first)
	a.visit("A1", fact.DirectionOut, 3690) // passes by the first limit only
	sets = append(sets, replay.Set{From: a.swap(second), Rules: second})
	a.visit("A2", fact.DirectionOut, 3690)
	a.pass(time.Hour)
	a.start(false)
	a.visit("B1", fact.DirectionOut, 3640)
	sets = append(sets, replay.Set{From: a.swap(third), Rules: third})
	a.visit("A2", fact.DirectionOut, 3640) // the household's second exit
	a.start(true)
	a.visit("A1", fact.DirectionOut, 3640) // and its third
	return a, sets, first
}

func TestRulesThatChangeByThemselvesAreFollowed(t *testing.T) {
	a, sets, first := changingDay(t)
	if _, p := a.last(); brief(p) != "refuse quota-used" {
		t.Fatalf("the day ends with %s\n%s", brief(p), a)
	}
	if got := changes(a.journal, replay.Config{Rules: first, Sets: sets, Recorded: true, Lanes: lanes()}); got != nil {
		t.Errorf("%q\n%s", got, a)
	}
	if got := changes(a.journal, replay.Config{Rules: first, Recorded: true, Lanes: lanes()}); len(got) < 2 {
		t.Errorf("by the first rules alone only this comes out otherwise: %q\n%s", got, a)
	}
}

// What rules decided that are not at hand is not decided again, and counts as it was recorded.
func TestRulesThatAreNotAtHand(t *testing.T) {
	a, sets, first := changingDay(t)
	for name, c := range map[string]struct {
		first *policy.Rules
		gone  int // index of sets; -1: the first rules
	}{"the first": {nil, -1}, "the second": {first, 0}, "the last": {first, 1}} {
		some := slices.Clone(sets)
		from, until := uint64(0), sets[0].From
		if c.gone >= 0 {
			some[c.gone].Rules = nil
			from, until = some[c.gone].From, uint64(len(a.journal))+1
		}
		if c.gone == 0 {
			until = some[1].From
		}
		unruled := 0
		config := replay.Config{Rules: c.first, Sets: some, Recorded: true, Lanes: lanes()}
		for _, o := range outcomes(a.journal, config) {
			gone := o.Seq >= from && o.Seq < until
			switch change := o.Change(); {
			case gone && change == replay.Unruled:
				unruled++
			case gone || change != replay.Same:
				t.Errorf("%s: record %d comes out as %q\n%s", name, o.Seq, change, a)
			}
		}
		if unruled == 0 {
			t.Errorf("%s: all is decided again", name)
		}
	}
}
