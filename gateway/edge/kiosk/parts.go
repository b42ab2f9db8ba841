package kiosk

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
)

// Queued is an alarm that the guard has not answered.
type Queued struct {
	ID        string     `json:"id"`
	Look      Look       `json:"look"`
	Kind      string     `json:"kind,omitempty"`        // of a fault
	Screening *fact.Temp `json:"screening_c,omitempty"` //
	Since     *time.Time `json:"since,omitempty"`       // absent: not known
}

// Answered is what the guard has just answered, and how. The page confirms it in words.
type Answered struct {
	Queued
	Action string `json:"action"`
}

// Contact is whom to call.
type Contact struct {
	Role  string `json:"role"`  // a code of the page's words, role.<role>
	Phone string `json:"phone"` //
}

// Call is the call of a guard that is not over.
type Call struct {
	ID       string    `json:"id"`
	Role     string    `json:"role"`
	Since    time.Time `json:"since"`
	State    string    `json:"state"`             // asked, received, seen, answered, cut or ended; see stateOf
	Answer   string    `json:"answer,omitempty"`  // of the county: a code, answer.<answer>
	Minutes  int       `json:"minutes,omitempty"` // until somebody comes; 0: not said
	Contacts []Contact `json:"contacts"`          // whom the guard can telephone, the first one first

	Class     string     `json:"class,omitempty"` // of the person whom it is about
	Direction string     `json:"direction,omitempty"`
	Screening *fact.Temp `json:"screening_c,omitempty"`
}

// Notice is a text of the county, shown while the gate is idle.
type Notice struct {
	Text  string     `json:"text"`
	En    string     `json:"en,omitempty"` // in English
	Until *time.Time `json:"until,omitempty"`
}

// Waiter is somebody who was asked to wait and come back.
type Waiter struct {
	ID        string     `json:"id"`
	Class     string     `json:"class,omitempty"`
	Screening *fact.Temp `json:"screening_c,omitempty"`
	Ready     *time.Time `json:"ready,omitempty"` // when they may be measured again
	Until     *time.Time `json:"until,omitempty"` // when it is too late
}

const (
	queueShown  = 4 // the first of them
	answeredFor = 6 * time.Second
)

// queue returns the first unanswered alarms, in the order in which they fill the screen.
func (s *Screen) queue() []Queued {
	list := slices.Clone(s.reds)
	slices.SortStableFunc(list, func(a, b item) int { return cmp.Compare(ranks[b.look], ranks[a.look]) })
	out := []Queued{}
	for _, x := range list[:min(len(list), queueShown)] {
		out = append(out, s.queued(x))
	}
	return out
}

func (s *Screen) queued(x item) Queued {
	q := Queued{ID: x.id, Look: x.look, Kind: x.kind, Since: s.known(x.at)}
	if x.seq != 0 {
		q.Screening = x.passage.Screening()
	}
	return q
}

// answer is what the guard did about an alarm.
type answer struct {
	item   item
	action string
	until  time.Duration // boot clock: so long the screen confirms it
}

// answered returns what the guard has just answered, or nil.
func (s *Screen) answered(now clock.Moment) *Answered {
	if s.last.until <= now.Boot {
		return nil
	}
	return &Answered{s.queued(s.last.item), s.last.action}
}
