package status

import (
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Help is how the guard gets somebody, and what the county tells the guard.
type Help struct {
	Contacts []Contact // of the configuration
	Calls    []Call    // that have not ended, the oldest first
	Notices  []wire.DeskNotice
	Refused  string // why what claims to be the desk is not heard; empty: nothing was refused lately
}

// CountyAct is what the county's desk did at the gate.
type CountyAct struct {
	Action   fact.CommandAction
	Operator string // user of the desk
	Reason   string
	Lane     string // of open, at a gate with several
	Zh, En   string // of notice
	At       clock.Moment
	Until    time.Duration // boot clock: the screen shows it so long
}

// Contact is an office and its telephone number.
type Contact struct {
	Role  fact.Role
	Phone string
}

// Call is a call of the guard that has not ended.
type Call struct {
	ID      string // of its alarm
	Role    fact.Role
	Passage uint64       // that it is about; 0: none
	Since   clock.Moment // when it was made
	Listed  bool         // the county's desk has it, as far as it has told
	Ended   bool         // the desk had it, and lists it no more
	State   fact.CallState
	At      time.Time       // since when, by the county's clock; zero: not known
	Answer  fact.CallAnswer // of one that is answered
	Minutes int             // after At, until somebody arrives; 0: not known
	Phone   string          // that the guard is to call
}
