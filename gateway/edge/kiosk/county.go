package kiosk

import (
	"time"

	"gatehouse/gateway/clock"
)

// CountyAct is what somebody at the county has just done at the gate. The page shows it
// beside everything else, so that a barrier that opens surprises no guard.
type CountyAct struct {
	Action string     `json:"action"` // open, notice, reload, restart
	By     string     `json:"by"`     // user of the county's desk
	Reason string     `json:"reason"` //
	Lane   string     `json:"lane,omitempty"`
	Text   string     `json:"text,omitempty"`  // of a notice
	En     string     `json:"en,omitempty"`    // the same in English
	Since  *time.Time `json:"since,omitempty"` // absent: not known
}

// countyActs returns what the county has done just now, the newest first.
func (s *Screen) countyActs(now clock.Moment) (out []CountyAct) {
	for i := len(s.status.County) - 1; i >= 0; i-- {
		if x := s.status.County[i]; x.Until > now.Boot {
			out = append(out, CountyAct{Action: string(x.Action), By: x.Operator, Reason: x.Reason,
				Lane: s.label(x.Lane), Text: x.Zh, En: x.En, Since: s.known(x.At)})
		}
	}
	return out
}
