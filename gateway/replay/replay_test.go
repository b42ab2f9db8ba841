package replay_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/replay"
	"gatehouse/gateway/wire"
)

// Whatever happens at a gate, and however often it starts anew: by the same rules every
// recorded verdict comes out again.
func TestReplayEqualsRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rules(t, 8*time.Second, "37.3", moreRules(t))
		a := newAgent(r)
		a.history()
		for range rapid.IntRange(1, 40).Draw(t, "scenes") {
			a.scene(t)
		}
		a.pass(time.Minute)
		passages := 0
		for _, x := range a.journal {
			if x.Kind == wire.KindPassage {
				passages++
			}
		}
		same := 0
		for _, o := range outcomes(a.journal, replay.Config{Rules: r, Recorded: true, Lanes: lanes()}) {
			switch o.Change() {
			case replay.Same:
				same++
			case replay.Ended:
			default:
				t.Fatalf("%s: %s %s\n%s", o.Change(), show(o.Was), show(o.Is), a)
			}
		}
		if same != passages {
			t.Fatalf("%d of %d passages came out again\n%s", same, passages, a)
		}
	})
}

// show returns a verdict for people.
func show(p *wire.Passage) string {
	if p == nil {
		return "nothing"
	}
	s := fmt.Sprintf("%s %v %v %s", p.Verdict, p.Reasons, p.Readings, p.Instruction)
	if b := p.Basis; b != nil {
		s += fmt.Sprintf(" by %s, %d of %d, last %v, next %v", b.Rule, b.Used, b.Times, b.Last, b.Next)
	}
	return s
}

// String returns the journal for people.
func (a *agent) String() (s string) {
	for _, r := range a.journal {
		s += fmt.Sprintf("%d %s %s boot %s unsync %v ", r.Seq, r.Kind, r.At, time.Duration(r.BootNS), r.Unsync)
		switch b := r.body.(type) {
		case *wire.Passage:
			s += show(b)
		case *wire.Reading:
			s += fmt.Sprint(b.Device, " ", b.Credential, b.Direction)
			if b.Temperature != nil {
				s += fmt.Sprintf("%+v", *b.Temperature)
			}
		default:
			s += fmt.Sprintf("%+v", b)
		}
		s += "\n"
	}
	return s
}

// morning is a gate where A1 goes out twice, A2 of the same household once, and somebody
// has 37.0.
func morning(t *testing.T) *agent {
	a := newAgent(rules(t, 8*time.Second, "37.3", ""))
	for _, card := range []string{"A1", "A1", "A2"} {
		a.visit(card, fact.DirectionOut, 3650)
	}
	a.visit("F1", fact.DirectionIn, 3700)
	return a
}

// visit lets somebody tap and be measured, and leave.
func (a *agent) visit(card string, way fact.Direction, value fact.Temp) {
	a.read(wire.Reading{Device: "reader north", Type: fact.ReadingCard, Lane: "north", Direction: way,
		Credential: "card/" + card})
	a.pass(3 * time.Second)
	a.measure("north", value, 2000, time.Second, true, false)
	a.pass(time.Minute)
}

// changes decides a journal again and returns what changes: seq, was and is.
func changes(journal []record, cfg replay.Config) (out []string) {
	for _, o := range outcomes(journal, cfg) {
		if c := o.Change(); c != replay.Same {
			out = append(out, fmt.Sprintf("%s %d: %s > %s", c, o.Seq, brief(o.Was), brief(o.Is)))
		}
	}
	return out
}

func brief(p *wire.Passage) string {
	if p == nil {
		return "nothing"
	}
	return string(p.Verdict) + " " + fact.JoinReasons(p.Reasons, ",")
}

func TestWhatOtherRulesWouldChange(t *testing.T) {
	a := morning(t)
	two := strings.Replace(classes, "exits: 1, days: 2", "exits: 2, days: 2", 1)
	for name, c := range map[string]struct {
		rules *policy.Rules
		want  []string
	}{
		"the same":      {rules(t, 8*time.Second, "37.3", ""), nil},
		"a lower limit": {rules(t, 8*time.Second, "37.0", ""), []string{"verdict 15: pass normal > fever fever"}},
		// The second exit of A1 is one now; the third of the household is none.
		"two exits": {rulesOf(t, "version: \"2\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n"+two),
			[]string{"figures 4: pass normal > pass normal", "verdict 8: refuse quota-used > pass normal,anti-passback",
				"figures 10: refuse quota-used > refuse quota-used",
				"figures 12: refuse quota-used > refuse quota-used",
				"replaced 6: refuse quota-used > nothing"}},
		// Nobody is measured within a second.
		"a short window": {rules(t, time.Second, "37.3", ""), []string{
			"verdict 6: refuse quota-used > retest no-temperature",
			"verdict 10: refuse quota-used > retest no-temperature", "verdict 4: pass normal > refuse no-card",
			"verdict 0: nothing > retest no-temperature", "reason 8: refuse quota-used > refuse no-card",
			"reason 12: refuse quota-used > refuse no-card", "verdict 15: pass normal > retest no-temperature"}},
	} {
		if got := changes(a.journal, replay.Config{Rules: c.rules}); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q\n%s", name, got, a)
		}
	}
}

// A reading that was removed, and rules that begin later.
func TestWhatCannotBeDecidedAgainCountsAsItWas(t *testing.T) {
	a := morning(t)
	r := rules(t, 8*time.Second, "37.0", "")
	journal := slices.DeleteFunc(slices.Clone(a.journal), func(r record) bool { return r.Seq == 3 })
	want := []string{"unknown 4: pass normal > nothing", "verdict 15: pass normal > fever fever"}
	if got := changes(journal, replay.Config{Rules: r}); !slices.Equal(got, want) {
		t.Errorf("a measurement is missing: %q", got)
	}
	// The exit of before counts, although nothing of then is told.
	from := a.journal[4].At.Add(-time.Second)
	if got := changes(a.journal, replay.Config{Rules: r, From: from}); !slices.Equal(got, want[1:]) {
		t.Errorf("from %s: %q", from, got)
	}
	late := a.journal[14].At.Add(time.Hour)
	if got := outcomes(a.journal, replay.Config{Rules: r, From: late}); len(got) != 0 {
		t.Errorf("later than all: %+v", got)
	}
}

// What passed on the days before counts as it was recorded, and nothing of it is told.
func TestWhatPassedOnTheDayBeforeCounts(t *testing.T) {
	a := newAgent(rules(t, 8*time.Second, "37.3", ""))
	a.visit("A1", fact.DirectionOut, 3650)
	a.pass(26 * time.Hour)
	from := a.now.Wall
	a.visit("A2", fact.DirectionOut, 3650)
	got := outcomes(a.journal, replay.Config{Rules: a.rules, From: from, Lanes: lanes()})
	if len(got) != 2 || got[0].Change() != replay.Same || brief(got[1].Is) != "refuse quota-used" {
		t.Errorf("%+v\n%s", got, a)
	}
}

// Without the lanes and the roster of the gate, its records say enough.
func TestRecordsSayWhichLanesAndCardsThereAre(t *testing.T) {
	a := morning(t)
	a.visit("C1", fact.DirectionIn, 3650)
	a.visit("E1", fact.DirectionIn, 3650)
	a.visit("77", fact.DirectionIn, 3650)
	a.read(wire.Reading{Device: "reader goods", Type: fact.ReadingCard, Lane: "goods", Direction: fact.DirectionIn,
		Credential: "card/B1"})
	var people replay.People
	for _, r := range a.journal {
		if p, is := r.body.(*wire.Passage); is {
			people.Take(p)
		}
	}
	r, err := people.Rules(a.rules.Policy)
	if err != nil {
		t.Fatal(err)
	}
	if got := changes(a.journal, replay.Config{Rules: r, Recorded: true, Unlisted: true}); got != nil {
		t.Errorf("%q\n%s", got, a)
	}
}
