package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func (g *notebook) Call(_ context.Context, r fact.Role, passage uint64) error {
	if g.fail == nil {
		g.called = append(g.called, fact.CallID(r, passage))
	}
	return g.fail
}

func (g *notebook) EndCall(_ context.Context, id, how string) (bool, error) {
	if g.fail == nil {
		g.ended = append(g.ended, id+" "+how)
	}
	return id != "help-called:it-9", g.fail
}

// calling is a gate whose guard has called the doctor at 10 s about passage 101.
func calling(change func(*status.Call)) status.Snapshot {
	st := linked(true)
	c := status.Call{ID: "help-called:doctor-101", Role: fact.RoleDoctor, Passage: 101, Since: at(10),
		State: fact.CallAsked}
	if change != nil {
		change(&c)
	}
	st.Help = status.Help{Calls: []status.Call{c}, Contacts: []status.Contact{{Role: fact.RoleDoctor, Phone: "1120"},
		{Role: fact.RoleIT, Phone: "1150"}, {Role: fact.RoleCounty, Phone: "1100"}}}
	return st
}

func TestHowFarACallHasComeIsShownAndNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*status.Call)
		down   bool
		state  string
		phones string
	}{
		"asked":     {nil, false, "asked", "1120 1100"},
		"received":  {func(c *status.Call) { c.Listed = true }, false, "received", "1120 1100"},
		"seen":      {func(c *status.Call) { c.Listed, c.State = true, fact.CallSeen }, false, "seen", "1120 1100"},
		"link down": {func(c *status.Call) { c.Listed, c.State = true, fact.CallSeen }, true, "cut", "1120 1100"},
		"on the way": {func(c *status.Call) {
			c.State, c.Answer, c.Minutes = fact.CallAnswered, fact.AnswerOnTheWay, 10
		}, true, "answered", "1120 1100"},
		"call another": {func(c *status.Call) {
			c.State, c.Answer, c.Phone = fact.CallAnswered, fact.AnswerNotAvailable, "1199"
		}, false, "answered", "1199 1120 1100"},
		"ended there": {func(c *status.Call) { c.Listed, c.Ended = true, true }, false, "ended", "1120 1100"},
	} {
		x := newScene().see(fever)
		x.s.Settle(at(0), x.s.View(at(0)).ID, wire.Audit{Action: ActionCallDoctor, Passage: 101})
		st := calling(c.change)
		st.Delivery.Linked = !c.down
		v := x.wait(20).status(st).s.View(at(20))
		if v.Look != LookCalled || v.Call == nil {
			t.Fatalf("%s: %+v", name, v)
		}
		var phones []string
		for _, p := range v.Call.Contacts {
			phones = append(phones, p.Phone)
		}
		if v.Call.State != c.state || strings.Join(phones, " ") != c.phones || !v.Call.Since.Equal(at(10).Wall) ||
			v.Screening == nil || x.s.Urgent(at(20)) {
			t.Errorf("%s: %+v %v", name, v.Call, phones)
		}
	}
}

// The gate goes on: who comes is shown, and what is red comes first.
func TestACallGivesWayToPeople(t *testing.T) {
	x := newScene().wait(20).status(calling(nil))
	if v := x.s.View(at(20)); v.Look != LookCalled {
		t.Fatalf("idle: %s", v.Look)
	}
	if v := x.see(pass).s.View(at(20)); v.Look != LookPass ||
		!slices.ContainsFunc(v.Standing, func(s Strip) bool { return s.Look == LookCalled && s.Kind == "doctor" }) {
		t.Errorf("a pass: %s beside %+v", v.Look, v.Standing)
	}
	if v := x.see(fever).s.View(at(20)); v.Look != LookFever {
		t.Errorf("a fever: %s", v.Look)
	}
}

func TestACallIsPutBackUntilItComesFurther(t *testing.T) {
	k, h, g, s := start(t)
	show := func(change func(*status.Call)) View {
		t.Helper()
		k.status(turned(h, calling(change)))
		return k.screen.View(h.Now())
	}
	h.turn(20)
	asked := show(nil)
	push := func(id, action string) int {
		t.Helper()
		status, _ := press(t, s, `{"id":"`+id+`","action":"`+action+`"}`)
		return status
	}
	if got := push(asked.ID, ActionBack); got != http.StatusNoContent || len(g.notes)+len(g.ended) != 0 {
		t.Fatalf("%d, the journal has %v", got, g.notes)
	}
	if v := show(nil); v.Look != LookIdle || len(v.Standing) != 1 {
		t.Errorf("put back: %s", v.Look)
	}
	if v := show(func(c *status.Call) { c.State = fact.CallSeen }); v.Look != LookCalled || v.Sound != "prompt" {
		t.Errorf("it has come further: %s", v.Look)
	}
	if h.turn(backFor.Seconds()); show(nil).Look != LookCalled {
		t.Error("it never comes back")
	}
	// It comes further while the guard presses: that is the same call.
	show(func(c *status.Call) { c.State = fact.CallSeen })
	g.fail = errors.New("the disk is full")
	if got := push(asked.ID, ActionArrived); got != http.StatusServiceUnavailable {
		t.Errorf("what can't be kept: %d", got)
	}
	g.fail = nil
	if got := push(asked.ID, ActionArrived); got != http.StatusNoContent ||
		!slices.Equal(g.ended, []string{"help-called:doctor-101 help-arrived"}) {
		t.Errorf("%d %v", got, g.ended)
	}
	for _, x := range [][2]string{{"help-called:it-9/asked", ActionArrived}, {"", ActionReached}, {"p7", ActionBack}} {
		if got := push(x[0], x[1]); got != http.StatusConflict {
			t.Errorf("%v: %d", x, got)
		}
	}
}

func TestTheButtonsThatCallAskTheCounty(t *testing.T) {
	for _, c := range []struct {
		passage wire.Passage
		action  string
		called  string
	}{
		{fever, ActionCallDoctor, "help-called:doctor-7"},
		{sealed, ActionCallGrid, "help-called:grid-7"},
		{unknown, ActionCallCommunity, "help-called:community-7"},
		{fever, ActionRetest, ""},
	} {
		k, h, g, s := start(t)
		k.Passage(h.Now(), 7, c.passage)
		status, text := press(t, s, `{"id":"p7","action":"`+c.action+`"}`)
		if status != http.StatusNoContent || strings.Join(g.called, " ") != c.called || g.notes[0].Action != c.action {
			t.Errorf("%s: %d %s, called %v", c.action, status, text, g.called)
		}
	}
	k, h, g, s := start(t)
	k.Passage(h.Now(), 7, fever)
	g.fail = errors.New("the disk is full")
	if status, _ := press(t, s, `{"id":"p7","action":"call-doctor"}`); status != http.StatusServiceUnavailable ||
		k.screen.View(h.Now()).Look != LookFever {
		t.Errorf("a call that is not kept: %d", status)
	}
	broken := linked(true, fact.DeviceFault)
	g.fail, g.called = nil, nil
	k.screen = NewScreen()
	k.status(turned(h, broken))
	if _, text := press(t, s, `{"id":"f-thermometer","action":"call-it"}`); !slices.Equal(g.called,
		[]string{"help-called:it-0"}) {
		t.Errorf("%v: %s", g.called, text)
	}
}

func TestNoticesAreShownAsLongAsTheyHold(t *testing.T) {
	st := linked(true)
	st.Help.Notices = []wire.DeskNotice{{ID: 1, Zh: "<b>今晚</b>", En: "Tonight", Until: wire.At(at(60).Wall)}}
	x := newScene().status(st)
	v := x.s.View(at(0))
	if len(v.Notices) != 1 || v.Notices[0].Text != "<b>今晚</b>" || v.Notices[0].En != "Tonight" {
		t.Errorf("%+v", v.Notices)
	}
	if b, err := json.Marshal(v); err != nil || strings.Contains(string(b), "<b>") {
		t.Errorf("%s, %v", b, err)
	}
	if v := x.s.View(at(61)); v.Notices != nil {
		t.Errorf("a minute later %+v", v.Notices)
	}
}
