package help

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

const (
	// sameCall is how far the time of a call that the desk names may be from that of the
	// gate's own record.
	sameCall = 5 * time.Second
	// longest is after how long a call ends that nobody has ended: a shift is over by then.
	longest = 12 * time.Hour
)

// call is a call that has not ended.
type call struct {
	id      string
	role    fact.Role
	passage uint64       // 0: about none
	asked   time.Time    // at of its record
	since   clock.Moment // the same, or the start of the agent where the clocks can't say
	listed  bool         // the desk has listed it
}

// book is what is known of a gate's calls. It is pure: time and messages go in.
type book struct {
	open []call    // the oldest first
	desk wire.Desk // the last message of the desk that counts; No is 0 before the first
}

// find returns the call with an id; i is -1 when it has ended.
func (b *book) find(id string) (i int) {
	return slices.IndexFunc(b.open, func(c call) bool { return c.id == id })
}

// ask returns the record with which the guard asks for a role about a passage, or nil when
// that has been asked and has not ended. Of too many calls the oldest, which over names,
// must end first.
func (b *book) ask(r fact.Role, passage uint64) (raise *wire.Alarm, over string) {
	id := fact.CallID(r, passage)
	if b.find(id) >= 0 {
		return nil, ""
	}
	if len(b.open) >= wire.MaxDeskCalls {
		over = b.open[0].id
	}
	return &wire.Alarm{ID: id, Type: fact.AlarmHelpCalled, State: fact.AlarmRaised, Passage: passage}, over
}

// take notes that the journal holds a record of a call with the time at, and that it was
// made at since.
func (b *book) take(at time.Time, since clock.Moment, al *wire.Alarm) {
	role, ok := fact.CalledRole(al.ID)
	if al.Type != fact.AlarmHelpCalled || !ok {
		return
	}
	if i := b.find(al.ID); i >= 0 {
		b.open = slices.Delete(b.open, i, i+1)
	}
	if al.State == fact.AlarmRaised {
		c := call{id: al.ID, role: role, passage: al.Passage, asked: at, since: since}
		c.listed = b.said(c).ID != ""
		b.open = append(b.open, c)
		b.open = b.open[max(0, len(b.open)-wire.MaxDeskCalls):] // of a journal of another version
	}
}

// earlier returns when a call of an earlier run was made: at by the wall clock, which may
// have been set since.
func earlier(now clock.Moment, at time.Time) clock.Moment {
	if age := now.Wall.Sub(at); age >= 0 && age <= longest {
		return now.Add(-age)
	}
	return now
}

// end returns the records with which actor ends a call, as how says, and none when it has
// ended.
func (b *book) end(actor, id, how string) (audit *wire.Audit, clear *wire.Alarm) {
	i := b.find(id)
	if i < 0 {
		return nil, nil
	}
	return &wire.Audit{Actor: actor, Action: how, Alarm: id}, b.clear(id, how)
}

func (b *book) clear(id, why string) *wire.Alarm {
	c := b.open[b.find(id)]
	return &wire.Alarm{ID: id, Type: fact.AlarmHelpCalled, State: fact.AlarmCleared, Passage: c.passage, Detail: why}
}

// expired returns a call that has lasted too long at now; empty: none has.
func (b *book) expired(now clock.Moment) (id string) {
	for _, c := range b.open {
		if now.Boot-c.since.Boot > longest {
			return c.id
		}
	}
	return ""
}

// hear takes a message of the desk, and reports whether it counts: it is newer than the last.
func (b *book) hear(d wire.Desk) bool {
	if d.No <= b.desk.No {
		return false
	}
	b.desk = d
	for i := range b.open {
		b.open[i].listed = b.open[i].listed || b.said(b.open[i]).ID != ""
	}
	return true
}

// said returns what the desk says of a call; its ID is empty when it says nothing.
func (b *book) said(c call) wire.DeskCall {
	for _, x := range b.desk.Calls {
		if x.ID == c.id && x.Asked.Sub(c.asked).Abs() <= sameCall {
			return x
		}
	}
	return wire.DeskCall{}
}

// show returns what the gate's screen shows at now.
func (b *book) show(now clock.Moment) (h status.Help) {
	for _, c := range b.open {
		said := b.said(c)
		x := status.Call{ID: c.id, Role: c.role, Passage: c.passage, Since: c.since, Listed: c.listed,
			State: fact.CallAsked, Answer: said.Answer, Minutes: said.Minutes, Phone: said.Phone}
		switch {
		case said.ID != "":
			x.State, x.At = said.State, said.At.Time
		case c.listed:
			x.Ended = true
		}
		h.Calls = append(h.Calls, x)
	}
	for _, n := range b.desk.Notices {
		if n.Until.After(now.Wall) {
			h.Notices = append(h.Notices, n)
		}
	}
	return h
}
