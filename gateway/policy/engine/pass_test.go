package engine

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// visitor returns a pass for the 14th from 8 to 20 o'clock.
func visitor(t interface{ Fatal(...any) }) *wire.Pass {
	return &wire.Pass{ID: "01", Gate: "g", Class: "visitor", Purpose: "family", From: wire.At(at(t, "14 08:00")),
		Until: wire.At(at(t, "14 20:00")), Uses: 1}
}

// show decides on a pass that is shown at a time, and lets the gate count it.
func show(r *policy.Rules, s *State, p *wire.Pass, d fact.Direction, when time.Time, seq uint64) Decision {
	a := Ask{Credential: "pass/" + p.ID, Direction: d, At: when, Readings: []uint64{seq}, Pass: p}
	got := Decide(r, s, a)
	passage := wire.Passage{Verdict: fact.VerdictRefuse, Direction: d, Credential: a.Credential, Class: got.Class,
		Readings: a.Readings, Basis: &got.Basis}
	if got.Allowed {
		passage.Verdict = fact.VerdictPass
	}
	s.Take(r, passage, when)
	return got
}

func TestASignedPass(t *testing.T) {
	r := rules(t, classes, sealedRules+"passes: {days: 2}\n", roster)
	for name, c := range map[string]struct {
		change func(*wire.Pass)
		when   string
		reason fact.Reason
		rule   string
		next   string
	}{
		"counts":          {nil, "14 08:00", "", "classes.visitor", ""},
		"too early":       {nil, "14 07:59", fact.ReasonNotYet, "pass.from", "14 08:00"},
		"its last minute": {nil, "14 19:59", "", "classes.visitor", ""},
		"over":            {nil, "14 20:00", fact.ReasonExpired, "pass.until", ""},
		"of another class": {func(p *wire.Pass) { p.Class = "guest" }, "14 09:00", fact.ReasonPassNotAccepted,
			"passes", ""},
		"for two days": {func(p *wire.Pass) { p.Until = wire.At(p.From.Add(48 * time.Hour)) }, "14 09:00", "",
			"classes.visitor", ""},
		"for longer": {func(p *wire.Pass) { p.Until = wire.At(p.From.Add(48*time.Hour + time.Minute)) }, "14 09:00",
			fact.ReasonPassNotAccepted, "passes", ""},
		"without a purpose": {func(p *wire.Pass) { p.Purpose = "" }, "14 09:00", fact.ReasonPurpose,
			"classes.visitor.purposes", ""},
	} {
		p := visitor(t)
		if c.change != nil {
			c.change(p)
		}
		got := show(r, &State{}, p, fact.DirectionIn, at(t, c.when), 1)
		if got.Reason != c.reason || got.Allowed != (c.reason == "") || got.Basis.Rule != c.rule ||
			got.Basis.Pass != "01" {
			t.Errorf("%s: %+v", name, got)
		}
		if over := got.Basis.Until; c.rule == "pass.until" && (over == nil || !over.Equal(p.Until.Time)) {
			t.Errorf("%s: valid until %v", name, over)
		}
		if c.next != "" && (got.Basis.Next == nil || !got.Basis.Next.Equal(at(t, c.next))) {
			t.Errorf("%s: next %v, want %s", name, got.Basis.Next, c.next)
		}
	}
	none := rules(t, classes, sealedRules, roster)
	got := show(none, &State{}, visitor(t), fact.DirectionIn, at(t, "14 09:00"), 1)
	if got.Reason != fact.ReasonPassNotAccepted {
		t.Errorf("a policy without passes: %+v", got)
	}
}

func TestAPassWithAFaultDoesNotCount(t *testing.T) {
	r := rules(t, classes, sealedRules+"passes: {days: 2}\n", roster)
	for fault, want := range map[fact.PassFault]fact.Reason{fact.PassForged: fact.ReasonPassForged,
		fact.PassUnreadable: fact.ReasonPassUnreadable, fact.PassElsewhere: fact.ReasonPassElsewhere} {
		// Not even if its code were a card of the roster.
		got := Decide(r, &State{}, Ask{Credential: "card/A1", Direction: fact.DirectionIn, At: at(t, "14 09:00"),
			PassFault: fault})
		if got.Allowed || got.Reason != want || got.Basis.Rule != "passes" {
			t.Errorf("%s: %+v", fault, got)
		}
	}
	got := Decide(r, &State{}, Ask{Credential: "pass/01", At: at(t, "14 09:00"), Pass: visitor(t),
		PassFault: fact.PassElsewhere})
	if got.Allowed || got.Basis.Pass != "01" {
		t.Errorf("elsewhere: %+v", got)
	}
}

// A pass never lets through more often than it says, whatever is shown when.
func TestUsesOfAPassAreNeverExceeded(t *testing.T) {
	r := rules(t, classes, sealedRules+"passes: {days: 2}\n", roster)
	rapid.Check(t, func(t *rapid.T) {
		var s State
		p := visitor(t)
		p.Uses = rapid.IntRange(1, 4).Draw(t, "uses")
		passed := map[fact.Direction]int{}
		when := p.From.In(zone)
		for i := range rapid.IntRange(1, 20).Draw(t, "shown") {
			when = when.Add(time.Duration(rapid.IntRange(-60, 90).Draw(t, "minutes")) * time.Minute)
			d := rapid.SampledFrom([]fact.Direction{fact.DirectionIn, fact.DirectionOut}).Draw(t, "direction")
			if show(r, &s, p, d, when, uint64(i+1)).Allowed {
				passed[d]++
			}
		}
		for d, n := range passed {
			if n > p.Uses {
				t.Fatalf("%d times %s, %d are allowed", n, d, p.Uses)
			}
		}
	})
}
