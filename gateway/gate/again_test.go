package gate

import (
	"errors"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// high returns a passage of a value that is high for the gate.
func highPassage(lane, credential string) wire.Passage {
	return wire.Passage{Verdict: retest, Reasons: []fact.Reason{fact.ReasonHighForGate}, Lane: lane,
		Credential: credential, Temperature: &wire.Temperature{}}
}

// Who has passed, has a fever or was measured by hand begins anew; who was only sent
// back, or whom another person followed, does not.
func TestWhoIsHighTwiceInARow(t *testing.T) {
	byHand := wire.Passage{Verdict: retest, Credential: "A", Entered: &wire.Entered{}}
	for name, c := range map[string]struct {
		first   wire.Passage
		between *wire.Passage
		after   time.Duration
		want    bool
	}{
		"at once":            {highPassage("", "A"), nil, time.Second, true},
		"just in time":       {highPassage("", "A"), nil, policy.RetestWithin, true},
		"too late":           {highPassage("", "A"), nil, policy.RetestWithin + 1, false},
		"passed":             {highPassage("", "A"), &wire.Passage{Verdict: passes, Credential: "A"}, 1, false},
		"a fever":            {highPassage("", "A"), &wire.Passage{Verdict: fever, Credential: "A"}, 1, false},
		"measured by hand":   {highPassage("", "A"), &byHand, 1, false},
		"only sent back":     {highPassage("", "A"), &wire.Passage{Verdict: invalid, Credential: "A"}, 1, true},
		"another one passed": {highPassage("", "A"), &wire.Passage{Verdict: passes, Credential: "B"}, 1, true},
		"without a card": {highPassage("", ""), &wire.Passage{Verdict: passes, Credential: "B", Lane: "other"}, 1,
			true},
		"without a card, and somebody passed": {highPassage("", ""), &wire.Passage{Verdict: passes, Credential: "B"}, 1,
			false},
	} {
		var m meters
		m.again(time.Hour, &c.first)
		if c.between != nil {
			m.again(time.Hour, c.between)
		}
		last := c.first
		if got := m.again(time.Hour+c.after, &last); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What was high before a restart counts in the same boot only.
func TestHighBeforeARestart(t *testing.T) {
	for boot, want := range map[time.Duration]fact.Instruction{moment(0).Boot: fact.InstructMeasureByHand,
		0: fact.InstructMeasureAgain} {
		g := usualGate(t, 20)
		p := highPassage("", resident)
		p.Readings = []uint64{1}
		g.Remember(Earlier{At: moment(0).Wall, Boot: boot, Synchronised: true, Passage: &p})
		var events []Event
		for _, s := range []step{tapped(20, resident), temperature(21, 3710)} {
			events = append(events, run(g, []step{s})...)
		}
		if len(events) != 1 || events[0].Passage.Instruction != want {
			t.Errorf("boot %s: %+v, want %s", boot, events, want)
		}
	}
}

// An infrared fever that is entered before the wait is over alarms nobody again.
func TestAnEnteredFeverThatIsTooEarlyIsNoNewAlarm(t *testing.T) {
	p := newPost(twice(t))
	for _, line := range []string{"0:00 east card A1", "0:01 east 38.4", "5:00 forehead 38.2 of 2"} {
		p.do(t, line)
	}
	last := p.events[len(p.events)-1]
	step := last.Passage.Episode
	if len(p.events) != 2 || last.Alarm || step == nil || step.Step != fact.EpisodeEarly {
		t.Errorf("%v", briefs(p.events))
	}
}

// Whoever has passed with an entered value can't be entered for once more.
func TestAVisitThatHasPassedTakesNoOtherValue(t *testing.T) {
	g := newGate(t)
	play(g, measured(33_40, 20_00), byHand(36_60, 1), showed(resident))
	if err := g.Enterable(moment(3), "", []uint64{1}); !errors.Is(err, ErrTooLate) {
		t.Error(err)
	}
}
