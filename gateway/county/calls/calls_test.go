package calls

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
)

var t0 = time.Date(2020, 2, 14, 14, 3, 0, 0, time.UTC)

func TestTheLifeOfACall(t *testing.T) {
	c := Call{Role: fact.RoleDoctor, Came: t0}
	if got := c.State(nil); got != fact.CallAsked {
		t.Errorf("it begins as %s", got)
	}
	seen := t0.Add(time.Minute)
	if got := c.State(&seen); got != fact.CallSeen {
		t.Errorf("seen it is %s", got)
	}
	c.Give(Answer{Answer: fact.AnswerOnTheWay, Minutes: 10}, "li", t0.Add(2*time.Minute))
	if got := c.State(&seen); got != fact.CallAnswered || c.By != "li" || c.Minutes != 10 {
		t.Errorf("answered it is %s %+v", got, c)
	}
	c.Give(Answer{Answer: fact.AnswerCallUs}, "wang", t0.Add(3*time.Minute))
	if c.Minutes != 0 || c.By != "wang" || !c.Answered.Equal(t0.Add(3*time.Minute)) {
		t.Errorf("answered again it is %+v", c)
	}
}

func TestWhenACallIsRaisedAgain(t *testing.T) {
	at := func(m int) *time.Time { return new(t0.Add(time.Duration(m) * time.Minute)) }
	for name, c := range map[string]struct {
		call  Call
		asked time.Time
		now   int // minutes
		after time.Duration
		due   bool
	}{
		"just made":             {Call{Came: t0}, t0, 2, 3 * time.Minute, false},
		"after three minutes":   {Call{Came: t0}, t0, 3, 3 * time.Minute, true},
		"never":                 {Call{Came: t0}, t0, 300, 0, false},
		"answered":              {Call{Came: t0, Answered: at(1)}, t0, 30, time.Minute, false},
		"raised just now":       {Call{Came: t0, Again: 1, Raised: at(3)}, t0, 5, 3 * time.Minute, false},
		"raised three ago":      {Call{Came: t0, Again: 1, Raised: at(3)}, t0, 6, 3 * time.Minute, true},
		"delivered late":        {Call{Came: *at(30)}, t0, 31, 3 * time.Minute, true},
		"a clock of 1970":       {Call{Came: t0}, time.Unix(12, 0), 2, 3 * time.Minute, false},
		"a clock that is ahead": {Call{Came: t0}, t0.Add(time.Hour), 3, 3 * time.Minute, true},
	} {
		if got := c.call.Due(c.asked, *at(c.now), c.after); got != c.due {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// However clocks run, a call that nobody answers is raised again, and not twice at one time.
func TestACallThatNobodyAnswersIsRaisedAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Call{Came: t0}
		asked := t0.Add(time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "the gate's clock")))
		after := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "after"))
		now := t0.Add(after)
		if !c.Due(asked, now, after) {
			t.Fatal("not due")
		}
		c.Raise(now)
		if c.Due(asked, now, after) || !c.Due(asked, now.Add(after), after) || c.Again != 1 {
			t.Fatalf("%+v", c)
		}
		c.Give(Answer{Answer: fact.AnswerCallUs}, "li", now)
		if c.Due(asked, now.Add(100*after), after) {
			t.Fatal("answered, and due")
		}
	})
}
