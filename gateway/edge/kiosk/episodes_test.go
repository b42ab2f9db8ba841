package kiosk

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/episode"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// seated is somebody with a first high reading at the start, ready after ten minutes.
func seated(id string, state fact.EpisodeStep) episode.Episode {
	return episode.Episode{Person: episode.Person{Class: "resident", Lane: "east"}, ID: id, First: 38_40, Since: t0,
		State: state, Ready: at(600).Boot, Until: at(7200).Boot}
}

func waitingRoom(episodes ...episode.Episode) *Screen {
	s := NewScreen()
	s.Status(at(0), status.Snapshot{Gate: status.Gate{Episodes: episodes}, Delivery: well})
	return s
}

func TestWhoWaitsIsShownWhenTheyAreReady(t *testing.T) {
	s := waitingRoom(seated("e1", fact.EpisodeOpened), seated("e2", fact.EpisodeContact))
	v := waitingRoom(seated("e1", fact.EpisodeOpened)).View(at(30))
	if v.Look != LookIdle || v.Actions[0] != ActionWaiters || len(v.Waiters) != 1 ||
		!v.Waiters[0].Ready.Equal(t0.Add(10*time.Minute)) {
		t.Errorf("%+v", v)
	}
	if v = s.View(at(30)); v.Look != LookContact || v.ID != "e2" || v.Episode.Step != fact.EpisodeContact {
		t.Errorf("%+v", v)
	}
	if !s.Turn(at(30), "e2", ActionLater) || s.View(at(31)).Look != LookIdle {
		t.Error("it can't be put away")
	}
	if v = s.View(at(600)); v.Look != LookReady || v.ID != "e1" || *v.Screening != 38_40 ||
		!slices.Equal(v.Actions, []string{ActionRetestNow, ActionEnter, ActionLater}) {
		t.Errorf("%+v", v)
	}
	if v = s.View(at(7200)); v.Look != LookIdle || len(v.Waiters) > 0 {
		t.Errorf("it is over: %+v", v)
	}
}

func TestTheGuardLooksAtThoseWhoWait(t *testing.T) {
	s := waitingRoom(seated("e1", fact.EpisodeOpened), seated("e2", fact.EpisodeConfirmed))
	if !s.Turn(at(1), "", ActionWaiters) {
		t.Fatal("the idle screen does not turn")
	}
	v := s.View(at(2))
	if v.Look != LookWaiting || v.ID != "e1" || !s.Turn(at(2), "e1", ActionWaiters) {
		t.Fatalf("%+v", v)
	}
	if v = s.View(at(3)); v.Look != LookContact || v.Episode.Step != fact.EpisodeConfirmed || len(v.Waiters) != 1 {
		t.Errorf("%+v", v)
	}
	if s.Turn(at(3), "e1", ActionLater) || s.Turn(at(3), "e2", ActionNoted) {
		t.Error("another one is shown")
	}
	if v = s.View(at(2 + 30)); v.Look != LookIdle {
		t.Errorf("%+v", v)
	}
	if of, ok := s.Of("e2"); !ok || !slices.Equal(of, []uint64{2}) {
		t.Errorf("a value is entered for %v", of)
	}
	s.Passage(at(40), at(40), 9, again)
	if s.Turn(at(40), "", ActionWaiters) {
		t.Error("a verdict is shown")
	}
}

// step makes a passage one of an episode.
func step(p wire.Passage, s fact.EpisodeStep) wire.Passage {
	p.Episode = &wire.EpisodeStep{ID: "e2", Step: s, First: 38_40, Ready: wire.At(t0.Add(10 * time.Minute))}
	return p
}

func TestASecondMeasurementAnswersTheFirstAlarm(t *testing.T) {
	opened := step(fever, fact.EpisodeOpened)
	opened.Instruction = fact.InstructWait
	byHand := step(passage(fact.VerdictRetest, "too-early", 8), fact.EpisodeEarly)
	byHand.Entered = &wire.Entered{Value: 36_60, With: fact.HandHeldForehead, Of: []uint64{7}}
	amended := opened
	amended.Entered = byHand.Entered
	for name, c := range map[string]struct {
		p    wire.Passage
		look Look
	}{
		"entered":   {byHand, LookRetest},
		"the first": {amended, LookFever},
		"cleared":   {step(passage(fact.VerdictPass, "normal", 8), fact.EpisodeCleared), LookPass},
		"confirmed": {step(passage(fact.VerdictFever, "fever", 8), fact.EpisodeConfirmed), LookConfirmed},
		"early":     {step(passage(fact.VerdictFever, "too-early", 8), fact.EpisodeEarly), LookFever},
		"another":   {passage(fact.VerdictPass, "normal", 8), LookFever},
	} {
		s := NewScreen()
		s.Passage(at(0), at(0), 1, opened)
		v := s.View(at(1))
		if v.Look != LookFever || v.Actions[2] != ActionEnter || !v.Episode.Ready.Equal(t0.Add(10*time.Minute)) {
			t.Errorf("%+v", v)
		}
		s.Passage(at(2), at(2), 2, c.p)
		if v = s.View(at(3)); v.Look != c.look {
			t.Errorf("%s: %s", name, v.Look)
		}
	}
	s := NewScreen()
	s.Passage(at(0), at(0), 1, step(fever, fact.EpisodeConfirmed))
	v := s.View(at(1))
	if a, ok := s.Press(at(1), v.ID, ActionTurnedAway); !ok || a.Alarm != "fever-confirmed:e2" || len(v.Actions) != 2 {
		t.Errorf("%+v %v %v", a, ok, v.Actions)
	}
	s.Passage(at(2), at(2), 2, step(passage(fact.VerdictPass, "normal", 9), fact.EpisodeCleared))
	if v = s.View(at(3)); v.Look != LookPass || v.Unanswered != 0 {
		t.Errorf("a contact thermometer has cleared it, and the screen shows %s", v.Look)
	}
}

func TestSomebodyIsSentToBeMeasuredAgain(t *testing.T) {
	_, _, g, s := start(t)
	send := func(body string) (status int, answer string) { return ask(t, s.URL+"/retest", "", body) }
	if status, answer := send(`{"id":"e1","lane":"east"}`); status != http.StatusNoContent ||
		g.notes[0].Episode != "e1" {
		t.Errorf("%d %s %+v", status, answer, g.notes)
	}
	if status, _ := send(`{`); status != http.StatusBadRequest {
		t.Error(status)
	}
	g.fail = gate.ErrTooEarly
	if status, answer := send(`{"id":"e1"}`); status != http.StatusConflict ||
		!strings.HasPrefix(answer, "too-early:") {
		t.Errorf("%d %s", status, answer)
	}
}
