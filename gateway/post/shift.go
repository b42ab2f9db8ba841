package post

import (
	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// shift is who is on duty, and what the one before left to them.
type shift struct {
	on     string // empty: nobody
	since  clock.Moment
	before string // who was on duty before; empty: not known
	note   *Note  // that before left; nil: none
	unread bool   // who is on duty has not confirmed it
}

// Note is what the guard before left to the one on duty.
type Note struct {
	From  string
	At    clock.Moment // when they left it; zero: they left none, or it is not known
	Notes []string     // codes, as in the record
}

func (s *shift) did(at clock.Moment, a wire.Audit) {
	switch a.Action {
	case SignIn:
		if s.on != "" && s.on != a.Actor {
			s.before, s.note = s.on, nil
		}
		if s.on != a.Actor {
			s.since = at
		}
		s.on = a.Actor
		s.unread = s.before != "" && s.before != a.Actor
	case SignOut, HandOver:
		if s.on == "" {
			return
		}
		if s.on != s.before {
			s.note = nil
		}
		s.before, s.on, s.unread = s.on, "", false
		if a.Action == HandOver {
			s.note = &Note{From: a.Actor, At: at}
			if a.Handover != nil {
				s.note.Notes = a.Handover.Notes
			}
		}
	case TookOver:
		s.before, s.note, s.unread = s.on, nil, false
	}
}

// pending returns what whoever is on duty must confirm; nil: nothing.
func (s *shift) pending() *Note {
	switch {
	case s.on == "" || !s.unread:
		return nil
	case s.note != nil:
		return s.note
	}
	return &Note{From: s.before}
}
