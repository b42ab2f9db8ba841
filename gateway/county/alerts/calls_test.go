package alerts

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/calls"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

func asks(role fact.Role, passage uint64) *wire.Alarm {
	return &wire.Alarm{ID: fact.CallID(role, passage), Type: fact.AlarmHelpCalled, State: fact.AlarmRaised,
		Passage: passage}
}

func ended(a *wire.Alarm) *wire.Alarm {
	return &wire.Alarm{ID: a.ID, Type: a.Type, State: fact.AlarmCleared, Passage: a.Passage}
}

// said returns how far the calls have come, as the gates are told.
func (l *list) said() (out []wire.DeskCall) {
	l.t.Helper()
	open, err := l.Calls(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, o := range open {
		out = append(out, o.Said())
	}
	return out
}

func (l *list) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func TestACallIsAskedSeenAnsweredAndEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	l := openList(t, path)
	doctor := asks(fact.RoleDoctor, 41)
	l.commit(committed.Entry(t, 1, t0, doctor))
	id := l.open()[0].ID
	if got := l.said(); len(got) != 1 || got[0].State != fact.CallAsked || !got[0].Asked.Equal(t0) ||
		got[0].ID != "help-called:doctor-41" {
		t.Fatalf("asked: %+v", got)
	}
	l.must(l.Acknowledge(t.Context(), t0.Add(time.Minute), id, audit.By{Actor: "li"}, ""))
	if got := l.said(); got[0].State != fact.CallSeen || !got[0].At.Equal(t0.Add(time.Minute)) {
		t.Fatalf("seen: %+v", got)
	}
	if got := l.open(); got[0].Level != "red" || got[0].Call.Role != fact.RoleDoctor {
		t.Fatalf("seen, and nobody has answered: %+v", got[0])
	}
	answer := calls.Answer{Answer: fact.AnswerOnTheWay, Minutes: 10}
	l.must(l.Answer(t.Context(), t0.Add(2*time.Minute), id, audit.By{Actor: "wang"}, answer))
	if got := l.open(); got[0].Level != "amber" || got[0].Call.By != "wang" || got[0].AckedBy != "li" {
		t.Fatalf("answered: %+v %+v", got[0], got[0].Call)
	}
	l = openList(t, path) // the collector is started again
	if got := l.said(); got[0].State != fact.CallAnswered || got[0].Answer != fact.AnswerOnTheWay ||
		got[0].Minutes != 10 || !got[0].At.Equal(t0.Add(2*time.Minute)) {
		t.Fatalf("after a restart: %+v", got)
	}
	l.commit(committed.Entry(t, 2, t0.Add(9*time.Minute), ended(doctor)))
	if got := l.said(); len(got) != 0 || len(l.open()) != 0 {
		t.Fatalf("ended: %+v, on the list %+v", got, l.open())
	}
	if err := l.Answer(t.Context(), t0, id, audit.By{Actor: "li"}, answer); !errors.Is(err, ErrNoCall) {
		t.Errorf("answering what has ended: %v", err)
	}
	if err := l.End(t.Context(), t0, id, audit.By{Actor: "li"}); !errors.Is(err, ErrNoCall) {
		t.Errorf("ending what has ended: %v", err)
	}
}

func TestAnAnswerNeedsACallAndSense(t *testing.T) {
	l := newList(t)
	l.commit(
		committed.Entry(t, 1, t0, asks(fact.RoleGrid, 7)),
		committed.Entry(t, 2, t0, alarm("device-gone:t", "", 0)),
	)
	for _, a := range l.open() {
		err := l.Answer(t.Context(), t0, a.ID, audit.By{Actor: "li"}, calls.Answer{Answer: fact.AnswerCallUs})
		if isCall := a.Type == fact.AlarmHelpCalled; isCall != (err == nil) || !isCall && !errors.Is(err, ErrNoCall) {
			t.Errorf("%s: %v", a.Type, err)
		}
		if err := l.Answer(t.Context(), t0, a.ID, audit.By{Actor: "li"}, calls.Answer{Answer: "perhaps"}); err == nil {
			t.Error("perhaps is an answer")
		}
	}
	if err := l.Answer(t.Context(), t0, 99, audit.By{Actor: "li"}, calls.Answer{Answer: fact.AnswerCallUs}); !errors.Is(
		err,
		ErrNoCall,
	) {
		t.Error(err)
	}
}

func TestACallThatComesTwiceIsOne(t *testing.T) {
	l := newList(t)
	e := committed.Entry(t, 1, t0, asks(fact.RoleDoctor, 41))
	l.Arrive(t0, committed.Batch(e))
	id := l.open()[0].ID
	l.must(
		l.Answer(
			t.Context(),
			t0.Add(time.Second),
			id,
			audit.By{Actor: "li"},
			calls.Answer{Answer: fact.AnswerCallUs},
		),
	)
	l.commit(e)
	if got := l.said(); len(got) != 1 || got[0].State != fact.CallAnswered {
		t.Errorf("%+v", got)
	}
}

// An answer to an earlier call of the same passage is none to a later one.
func TestACallThatIsMadeAgainIsAnotherOne(t *testing.T) {
	l := newList(t)
	doctor := asks(fact.RoleDoctor, 41)
	l.commit(committed.Entry(t, 1, t0, doctor))
	l.must(l.Answer(t.Context(), t0, l.open()[0].ID, audit.By{Actor: "li"}, calls.Answer{Answer: fact.AnswerCallUs}))
	l.commit(committed.Entry(t, 2, t0.Add(time.Minute), ended(doctor)),
		committed.Entry(t, 3, t0.Add(time.Hour), doctor))
	if got := l.said(); len(got) != 1 || got[0].State != fact.CallAsked || !got[0].Asked.Equal(t0.Add(time.Hour)) {
		t.Errorf("%+v", got)
	}
}

func TestACallWithoutAnAnswerIsRaisedAgain(t *testing.T) {
	l := newList(t)
	l.commit(committed.Entry(t, 1, t0, asks(fact.RoleDoctor, 41)), committed.Entry(t, 2, t0, asks(fact.RoleIT, 0)))
	l.must(
		l.Answer(
			t.Context(),
			t0,
			l.alertOf(fact.RoleIT),
			audit.By{Actor: "li"},
			calls.Answer{Answer: fact.AnswerCallUs},
		),
	)
	for _, c := range []struct{ minutes, again int }{{-60, 0}, {2, 0}, {3, 1}, {5, 0}, {6, 1}} {
		again, err := l.Remind(t.Context(), t0.Add(time.Duration(c.minutes)*time.Minute), 3*time.Minute)
		if err != nil || len(again) != c.again || c.again > 0 && again[0].Role != fact.RoleDoctor {
			t.Errorf("after %d minutes: %+v, %v", c.minutes, again, err)
		}
	}
	if a := l.open()[0]; a.Type != fact.AlarmHelpCalled {
		t.Errorf("%+v comes first", a)
	}
}

// alertOf returns the alert of the call of a role.
func (l *list) alertOf(role fact.Role) int64 {
	l.t.Helper()
	open, err := l.Calls(l.t.Context())
	l.must(err)
	for _, o := range open {
		if o.Role == role {
			return o.ID
		}
	}
	l.t.Fatalf("no call of a %s", role)
	return 0
}

// A gate that calls without end delays nobody else.
func TestAGateHasAFewCallsOnly(t *testing.T) {
	l := newList(t)
	for seq := range uint64(200) {
		l.commit(committed.Entry(t, seq+1, t0.Add(time.Duration(seq)), asks(fact.RoleDoctor, 1000+seq)))
	}
	b := committed.Batch(committed.Entry(t, 1, t0.Add(time.Hour), asks(fact.RoleDoctor, 5)))
	b.Agent, b.JID = "gate-002", "7a2b8a52-6c1d-4e0f-9a77-0d3c5b1e8f42"
	l.Commit(t0, b)
	if got := l.said(); len(got) != wire.MaxDeskCalls+1 || got[wire.MaxDeskCalls].ID != "help-called:doctor-5" {
		t.Fatalf("%d calls: %+v", len(got), got)
	}
	if got := l.open(); len(got) != wire.MaxDeskCalls+1 {
		t.Errorf("%d alerts are open", len(got))
	}
	all, err := l.Last(t.Context(), "", 1000)
	if err != nil || len(all) != 201 {
		t.Errorf("%d alerts are kept, %v", len(all), err)
	}
	// What has ended makes room.
	l.commit(committed.Entry(t, 201, t0.Add(time.Minute), ended(asks(fact.RoleDoctor, 1000))),
		committed.Entry(t, 202, t0.Add(2*time.Minute), asks(fact.RoleGrid, 9)))
	if got := l.said(); len(got) != wire.MaxDeskCalls+1 || got[wire.MaxDeskCalls-1].ID != "help-called:grid-9" {
		t.Errorf("%+v", got)
	}
}

func TestTheDeskEndsACall(t *testing.T) {
	l := newList(t)
	l.commit(
		committed.Entry(t, 1, t0, asks(fact.RoleDoctor, 41)),
		committed.Entry(t, 2, t0, alarm("help-called:x", "", 0)),
	)
	l.must(l.End(t.Context(), t0.Add(time.Minute), l.alertOf(fact.RoleDoctor), audit.By{Actor: "li"}))
	if got := l.said(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := l.open(); len(got) != 1 || got[0].Call != nil {
		t.Errorf("an id without a role: %+v", got)
	}
}

// The end of a call comes ahead of the audit records about it.
func TestACallThatHasEndedSaysHow(t *testing.T) {
	l := newList(t)
	doctor := asks(fact.RoleDoctor, 41)
	arrived := ended(doctor)
	arrived.Detail = fact.CallArrived
	asked := committed.Entry(t, 1, t0, doctor)
	pressed := committed.Entry(t, 2, t0, &wire.Audit{Actor: "guard", Action: "call-doctor", Passage: 41})
	end := committed.Entry(t, 4, t0.Add(time.Minute), arrived)
	l.Arrive(t0, committed.Batch(asked))
	l.Arrive(t0, committed.Batch(end))
	l.commit(asked, pressed, committed.Entry(t, 3, t0.Add(time.Minute),
		&wire.Audit{Actor: "guard", Action: fact.CallArrived, Alarm: doctor.ID}), end)
	all, err := l.Last(t.Context(), "", 10)
	if err != nil || len(all) != 1 || all[0].Guard != fact.CallArrived || all[0].Cleared == nil {
		t.Errorf("%+v, %v", all, err)
	}
}
