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

// scene lets something happen at a gate.
func (a *agent) scene(t *rapid.T) {
	lane := rapid.SampledFrom([]string{"north", "south"}).Draw(t, "lane")
	switch rapid.SampledFrom([]string{"tap", "tap", "tap", "measure", "measure", "measure", "goods", "wait", "works",
		"answer", "enter", "sync", "start", "boot", "cut"}).Draw(t, "what") {
	case "tap", "goods":
		if rapid.IntRange(0, 7).Draw(t, "goods") == 0 {
			lane = "goods"
		}
		card := rapid.SampledFrom([]string{"A1", "A2", "B1", "C1", "D1", "E1", "F1", "77"}).Draw(t, "card")
		way := rapid.SampledFrom([]fact.Direction{fact.DirectionIn, fact.DirectionOut}).Draw(t, "way")
		a.read(wire.Reading{Device: "reader " + lane, Type: fact.ReadingCard, Lane: lane, Direction: way,
			Credential: "card/" + card})
	case "measure":
		value := rapid.SampledFrom([]fact.Temp{3650, 3650, 3660, 3729, 3730, 3810, 3400}).Draw(t, "value")
		ambient := rapid.SampledFrom([]fact.Temp{2000, 2000, 1500, 3600}).Draw(t, "ambient")
		took := time.Duration(rapid.IntRange(0, 5000).Draw(t, "took")) * time.Millisecond
		a.measure(lane, value, ambient, took, rapid.IntRange(0, 5).Draw(t, "settled") > 0,
			rapid.IntRange(0, 5).Draw(t, "supersedes") == 0)
	case "wait":
		a.pass(time.Duration(rapid.SampledFrom([]int{1, 500, 8000, 61_000, 3600_000, 20 * 3600_000}).
			Draw(t, "ms")) * time.Millisecond)
	case "works":
		device := rapid.SampledFrom([]string{"thermometer ", "reader "}).Draw(t, "device") + lane
		a.works(device, rapid.Bool().Draw(t, "works"))
	case "answer":
		if r, p := a.last(); p != nil {
			a.append(&wire.Audit{Actor: "guard", Action: "noted", Passage: r.Seq})
			a.gate.Answered(p.Readings)
		}
	case "enter":
		a.enter(rapid.SampledFrom([]fact.Temp{3650, 3800, 3450}).Draw(t, "entered"))
	case "sync":
		a.unsync = rapid.IntRange(0, 2).Draw(t, "unsync") == 0
		a.gate.SetSynchronised(a.now, !a.unsync)
	case "start":
		a.start(false)
	case "boot":
		a.start(true)
	case "cut": // what was decided last did not get onto the disk
		if n := len(a.journal); a.journal[n-1].Kind == wire.KindPassage {
			a.journal = a.journal[:n-1]
		}
		a.start(rapid.Bool().Draw(t, "computer"))
	}
	a.pass(time.Duration(rapid.SampledFrom([]int{1, 300, 2000, 7999, 12_000}).Draw(t, "then")) * time.Millisecond)
}

// enter enters a value for the person of the newest passage, if that is possible.
func (a *agent) enter(value fact.Temp) {
	_, p := a.last()
	if p == nil || a.gate.Enterable(a.now, p.Lane, p.Readings) != nil {
		return
	}
	a.read(wire.Reading{Device: "contact", Type: fact.ReadingEntered, Lane: p.Lane,
		Entered: &wire.Entered{Value: value, With: fact.HandHeldContact, Of: p.Readings}})
}

// Whatever happens at a gate, and however often it starts anew: by the same rules every
// recorded verdict comes out again.
func TestReplayEqualsRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rules(t, 8*time.Second, "37.3", rapid.SampledFrom([]string{"", "unsynchronised: own-clock\n",
			"lost: {pass: identify}\n", "sealed: {in: allow}\n",
			"episode: {wait: 1m, expires: 10m, second: any}\n",
			"episode: {wait: 1m, expires: 10m, second: contact}\n"}).Draw(t, "more"))
		a := newAgent(r)
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
