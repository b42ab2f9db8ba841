package kiosk

import (
	"fmt"
	"slices"
	"testing"

	"gatehouse/gateway/fact"
)

// The queue is in the order in which its alarms fill the screen.
func TestTheQueueOfAlarms(t *testing.T) {
	second := passage(fact.VerdictFever, "fever", 9)
	x := newScene().see(unknown).wait(1).see(fever).wait(1).see(second).wait(1).see(sealed).
		status(linked(true, "fault")).wait(10)
	var got []string
	for {
		v := x.s.View(at(x.now))
		if v.Unanswered == 0 {
			break
		}
		q := v.Queue[0]
		if q.ID != v.ID || q.Look != v.Look || len(v.Queue) != min(v.Unanswered, queueShown) {
			t.Fatalf("the screen shows %s of %d, the queue begins %+v", v.ID, v.Unanswered, q)
		}
		got = append(got, fmt.Sprintf("%s %s", q.Look, q.Since.Format("05")))
		x.press(buttons(v.Look, v.Kind)[0])
	}
	want := []string{"fever 01", "fever 02", "sealed 03", "fault 03", "unknown 00"}
	if !slices.Equal(got, want) {
		t.Errorf("answered in the order %q, want %q", got, want)
	}
}

// An answer is confirmed with what it was about, for some seconds, whatever comes after it.
func TestAnAnswerIsConfirmed(t *testing.T) {
	x := newScene().see(unknown).see(fever).wait(2).press(ActionIsolate)
	v := x.s.View(at(x.now))
	a := v.Answered
	if v.Look != LookUnknown || a == nil || a.Look != LookFever || a.Action != ActionIsolate || a.Screening == nil ||
		!a.Since.Equal(at(0).Wall) {
		t.Errorf("the screen shows %s, answered %+v", v.Look, a)
	}
	x.press(ActionTurnedAway)
	if a := x.s.View(at(x.now + 5)).Answered; a == nil || a.Look != LookUnknown || a.Screening != nil {
		t.Errorf("answered %+v", a)
	}
	if a := x.s.View(at(x.now + 6)).Answered; a != nil {
		t.Errorf("after 6 s: answered %+v", a)
	}
}

// While an alarm fills the screen, the verdicts about others in the lane stand in a line.
func TestOthersPassWhileAnAlarmStands(t *testing.T) {
	v := newScene().see(fever).wait(1).see(pass).s.View(at(2))
	if v.Look != LookFever || len(v.Strips) != 1 || v.Strips[0].Look != LookPass || v.Strips[0].Screening == nil {
		t.Errorf("the screen shows %s with %+v", v.Look, v.Strips)
	}
}

// Values can be entered by hand where a thermometer is broken, and only there.
func TestAFaultOffersWhatHelps(t *testing.T) {
	for kind, want := range map[string][]string{"thermometer": {ActionByHand, ActionNoted, ActionCallIT},
		"doubtful": {ActionByHand, ActionNoted, ActionCheck}, "reader": {ActionNoted, ActionCallIT},
		"journal": {ActionNoted, ActionCallIT}} {
		if got := buttons(LookFault, kind); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
	x := newScene().status(linked(true, "ok", "gone"))
	if _, ok := x.s.Press(at(0), x.s.View(at(0)).ID, ActionByHand); ok {
		t.Error("a reader's fault is answered with values by hand")
	}
}

// Whoever of a sealed household comes home is not told to stay in.
func TestComingHomeIsNotLeaving(t *testing.T) {
	home := sealed
	home.Direction = fact.DirectionIn
	v := newScene().see(home).s.View(at(0))
	if v.Look != LookSealedIn || !slices.Equal(v.Actions, []string{ActionCallGrid, ActionLetHome}) {
		t.Errorf("the screen shows %s with %q", v.Look, v.Actions)
	}
}

// The shift's test and its outcome answer no alarm.
func TestTheShiftsTestIsRecorded(t *testing.T) {
	x := newScene().see(fever)
	for _, action := range []string{ActionShiftTest, ActionTestPassed, ActionTestFailed} {
		a, ok := x.s.Press(at(0), "", action)
		if !ok || a.Passage != 0 || a.Alarm != "" || a.Action != action {
			t.Errorf("%s: %+v, %v", action, a, ok)
		}
		x.s.Settle(at(0), "", a)
	}
	if got := x.brief(); got != "fever ♪fever" {
		t.Errorf("the guard sees %s", got)
	}
}
