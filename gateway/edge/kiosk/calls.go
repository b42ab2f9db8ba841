package kiosk

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// LookCalled is a call of the guard that has not ended. It fills the screen while nobody is
// in the lanes and nothing red waits.
const LookCalled Look = "called"

// What the guard does about calls.
const (
	ActionCallCommunity = "call-community"
	ActionCallIT        = "call-it"
	ActionArrived       = fact.CallArrived // the call ends
	ActionReached       = fact.CallReached // it ends, too
	ActionBack          = "back"           // the call leaves the screen for a while; no audit record
)

// backFor is for how long a call that was put back leaves the screen, unless it comes further.
const backFor = time.Minute

// calls maps the answers that call somebody to whom.
var calls = map[string]fact.Role{ActionCallDoctor: fact.RoleDoctor, ActionCallGrid: fact.RoleGrid,
	ActionCallCommunity: fact.RoleCommunity, ActionCallIT: fact.RoleIT}

// Caller asks the county for somebody.
type Caller interface {
	// Call journals that the guard asks for a role, about a passage; 0: about none.
	Call(ctx context.Context, r fact.Role, passage uint64) error
	// EndCall journals that a call has ended, and how; ok is false when there is none.
	EndCall(ctx context.Context, id, how string) (ok bool, err error)
}

// putBack is a call that the guard has put back.
type putBack struct {
	id    string // of the view
	until time.Duration
}

// viewOf returns the id of the view of a call: another one when the call comes further.
func viewOf(c status.Call) string { return c.ID + "/" + stateOf(c, true) }

// callOf returns the id of the call that a view is about.
func callOf(view string) string {
	id, _, _ := strings.Cut(view, "/")
	return id
}

// stateOf returns a code of how far a call has come, for the page: order.call.<state>.
// delivers: the county can see the call.
func stateOf(c status.Call, delivers bool) string {
	switch {
	case c.State == fact.CallAnswered:
		return string(fact.CallAnswered)
	case c.Ended:
		return "ended"
	case !delivers:
		return "cut"
	case c.State == fact.CallAsked && c.Listed:
		return "received"
	}
	return string(c.State)
}

// called returns the call that is to be shown: the newest that is not put back, or nil.
func (s *Screen) called(now clock.Moment) *item {
	open := s.status.Help.Calls
	for i := len(open) - 1; i >= 0; i-- {
		c := open[i]
		if back := s.back[c.ID]; back.id == viewOf(c) && now.Boot < back.until {
			continue
		}
		return &item{id: viewOf(c), look: LookCalled, call: &c, at: c.Since}
	}
	return nil
}

// putBack takes the call of a view off the screen for a while.
func (s *Screen) putBack(now clock.Moment, view string) {
	for id := range s.back { // of calls that have ended
		if !slices.ContainsFunc(s.status.Help.Calls, func(c status.Call) bool { return c.ID == id }) {
			delete(s.back, id)
		}
	}
	s.back[callOf(view)] = putBack{view, now.Boot + backFor}
}

// callView returns a call for the page: with the number that the county has answered, that
// of who is called, and that of the county.
func (s *Screen) callView(c status.Call) *Call {
	out := &Call{ID: c.ID, Role: string(c.Role), Since: s.wall.Add(c.Since.Boot), State: stateOf(c, s.delivers),
		Answer: string(c.Answer), Minutes: c.Minutes, Contacts: []Contact{}}
	if c.Phone != "" {
		out.Contacts = append(out.Contacts, Contact{Role: "instead", Phone: c.Phone})
	}
	for _, r := range []fact.Role{c.Role, fact.RoleCounty} {
		for _, x := range s.status.Help.Contacts {
			if x.Role == r && !slices.Contains(out.Contacts, Contact{string(r), x.Phone}) {
				out.Contacts = append(out.Contacts, Contact{string(r), x.Phone})
			}
		}
	}
	if x, ok := s.about(c.Passage); ok {
		out.Class, out.Direction, out.Screening = x.Class, string(x.Direction), x.Screening()
	}
	return out
}

// about returns the passage with a seq, if it is among the last ones.
func (s *Screen) about(seq uint64) (wire.Passage, bool) {
	for _, list := range [][]item{s.done, s.recent} {
		for _, x := range list {
			if seq != 0 && x.seq == seq {
				return x.passage, true
			}
		}
	}
	return wire.Passage{}, false
}

// notices returns the county's notices that are in force.
func (s *Screen) notices(now clock.Moment) (out []Notice) {
	for _, n := range s.status.Help.Notices {
		if n.Until.After(now.Wall) {
			out = append(out, Notice{Text: n.Zh, En: n.En, Until: &n.Until.Time})
		}
	}
	return out
}

// standing returns the calls that do not fill the screen, as lines.
func (s *Screen) standing(shown string) (out []Strip) {
	for _, c := range s.status.Help.Calls {
		if c.ID != shown {
			out = append(out, Strip{Look: LookCalled, Kind: string(c.Role), Since: s.known(c.Since)})
		}
	}
	return out
}

// onCall takes what the guard presses on the screen of a call. It reports whether the press
// was about one.
func (k *Kiosk) onCall(ctx context.Context, w http.ResponseWriter, gate Gate, view, action string) bool {
	switch action {
	case ActionBack:
	case ActionArrived, ActionReached:
		ok, err := gate.EndCall(ctx, callOf(view), action)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return true
		}
		if !ok {
			http.Error(w, "stale: the call has ended already", http.StatusConflict)
			return true
		}
	default:
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.screen.putBack(k.opts.Clock.Now(), view)
	k.draw()
	w.WriteHeader(http.StatusNoContent)
	return true
}
