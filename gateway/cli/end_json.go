package cli

import (
	"time"

	"gatehouse/gateway/county/end"
)

// endingView is how far the end of a county's service has come, for tools.
type endingView struct {
	Begun    *time.Time `json:"begun,omitempty"` // absent: it has not begun
	By       string     `json:"by,omitempty"`
	Finished *time.Time `json:"finished,omitempty"`
	Gates    []endGate  `json:"gates"`
	Steps    []endStep  `json:"steps"` // what the county has destroyed
}

type endGate struct {
	Gate     string     `json:"gate"`
	State    end.State  `json:"state"`
	Received *time.Time `json:"received,omitempty"` // its receipt
}

type endStep struct {
	Name   string    `json:"name"`
	Done   time.Time `json:"done"`
	Detail string    `json:"detail"`
}

func newEnding(s end.Status) endingView {
	out := endingView{Begun: known(s.Begun), By: s.By, Finished: known(s.Finished), Gates: []endGate{},
		Steps: []endStep{}}
	for _, g := range s.Gates {
		out.Gates = append(out.Gates, endGate{g.Agent, g.State, known(g.Received)})
	}
	for _, x := range s.Steps {
		out.Steps = append(out.Steps, endStep(x))
	}
	return out
}

// known returns a time that is known; nil: it is zero.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
