// Package calls is the life of a call at the county's desk: a guard has asked for somebody,
// the desk has seen it, answers, and it ends. It is pure.
package calls

import (
	"time"

	"gatehouse/gateway/fact"
)

// believed is how long before it came a call may have been made: an older time is of a gate
// whose clock is wrong.
const believed = 24 * time.Hour

// Answer is what somebody at the desk answers.
type Answer struct {
	Answer  fact.CallAnswer `json:"answer,omitempty"`
	Minutes int             `json:"minutes,omitempty"` // until somebody arrives; 0: not known
	Phone   string          `json:"phone,omitempty"`   // that the guard is to call
}

// Check returns what is wrong with an answer.
func (a Answer) Check() error { return fact.CheckAnswer(a.Answer, a.Minutes, a.Phone) }

// Call is what the county knows of a call, besides when it was made, seen and ended.
type Call struct {
	Role fact.Role `json:"role"`
	Came time.Time `json:"came"` // by the county's clock

	Answer              // of one that is answered
	Answered *time.Time `json:"answered,omitempty"` // nil: not yet
	By       string     `json:"by,omitempty"`       // who answered

	Again  int        `json:"again,omitempty"`    // how often it was raised again
	Raised *time.Time `json:"again_at,omitempty"` // when it last was
}

// State returns how far a call has come that was seen at seen, or was not.
func (c Call) State(seen *time.Time) fact.CallState {
	switch {
	case c.Answered != nil:
		return fact.CallAnswered
	case seen != nil:
		return fact.CallSeen
	}
	return fact.CallAsked
}

// Waits returns since when the guard waits, by the county's clock: asked is by the gate's,
// which counts where it can be right.
func (c Call) Waits(asked time.Time) time.Time {
	if asked.After(c.Came) || c.Came.Sub(asked) > believed {
		return c.Came
	}
	return asked
}

// Give answers the call. A later answer takes the place of an earlier one.
func (c *Call) Give(a Answer, by string, now time.Time) { c.Answer, c.By, c.Answered = a, by, &now }

// Due reports whether the call must be raised again at now: it is not answered, and was made
// or raised again after ago. An after of 0 is never.
func (c Call) Due(asked, now time.Time, after time.Duration) bool {
	last := c.Waits(asked)
	if c.Raised != nil {
		last = *c.Raised
	}
	return after > 0 && c.Answered == nil && now.Sub(last) >= after
}

// Raise notes that the call is raised again.
func (c *Call) Raise(now time.Time) { c.Again, c.Raised = c.Again+1, &now }
