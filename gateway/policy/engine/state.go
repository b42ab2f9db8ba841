package engine

import (
	"maps"
	"slices"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// recentKept is how many passages are remembered with their readings: more than come
// in a pairing window, after which none is amended.
const recentKept = 64

// State is what has passed, as far as the rules ask for it: the passages that quotas
// count, the last direction of each card, when it passed which lane. It is as large as
// the roster at most, times the days of the longest quota. Its zero value is empty; it
// is for one goroutine.
type State struct {
	trips  map[string][]trip // by household, and by card; oldest first
	lasts  map[string]last   // by card
	lanes  map[laneKey]time.Time
	recent []taken   // the newest passages, oldest first
	newest time.Time // of a passage
}

// trip is one passage that is counted.
type trip struct {
	day       int32
	direction fact.Direction
}

// last is where a card went last.
type last struct {
	direction fact.Direction
	at        time.Time
}

type laneKey struct{ card, lane string }

// taken is a passage that was taken, with what it replaced.
type taken struct {
	readings   []uint64
	card, home string // home: the household; empty where no quota counts it
	counted    bool
	trip       trip
	before     last // where the card went before
	known      bool // that is known
	moved      bool // the passage changed where the card went last
}

// dayOf returns the number of a day since 1970 by the calendar of t's zone.
func dayOf(t time.Time) int32 {
	y, m, d := t.Date()
	return int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// Take notes a passage, given at at in the county's time; it is called for each, in
// the order of the journal. It replaces what was noted of earlier passages that share
// a reading with it. Only a pass counts; somebody with a fever may have gone home or
// not, so that where they are is not known.
func (s *State) Take(r *policy.Rules, p wire.Passage, at time.Time) {
	if s.trips == nil {
		s.trips, s.lasts, s.lanes = map[string][]trip{}, map[string]last{}, map[laneKey]time.Time{}
	}
	s.undo(p.Readings)
	if at.Before(s.newest.Add(-time.Hour)) {
		s.setBack(at)
	}
	s.newest = at
	x, known := r.Person(p.Credential)
	if p.Basis != nil && p.Basis.Pass != "" {
		x, known = policy.Person{Class: p.Class, Uses: max(1, p.Basis.Times)}, true
	}
	if !known || p.Verdict != fact.VerdictPass && p.Verdict != fact.VerdictFever {
		return
	}
	k := r.Classes[x.Class]
	card := p.Credential
	if p.Basis != nil {
		card = counted(card, p.Basis.Pass)
	}
	t := taken{readings: slices.Clone(p.Readings), card: card}
	switch first := isFirst(k, p.Lane); {
	case first && p.Verdict == fact.VerdictPass:
		s.lanes[laneKey{card, p.Lane}] = at
		return
	case first:
		return
	}
	if k.Passback() && p.Direction != fact.DirectionNone {
		t.moved = true
		t.before, t.known = s.lasts[card]
		s.lasts[card] = last{p.Direction, at}
		if p.Verdict == fact.VerdictFever {
			delete(s.lasts, card)
		}
	}
	if p.Verdict == fact.VerdictPass && (k.Quota != nil && k.Quota.Direction() == p.Direction || x.Uses > 0) {
		s.count(r, &t, p, x, dayOf(at))
	}
	if s.recent = append(s.recent, t); len(s.recent) > 2*recentKept {
		s.recent = slices.Clone(s.recent[recentKept:])
	}
}

// counted returns by what a card is counted: a signed pass by its id, because its
// pseudonym changes with the gate's key.
func counted(credential, pass string) string {
	if pass != "" {
		return "pass " + pass
	}
	return credential
}

// Clone returns a copy that shares nothing with s which either of them changes.
func (s *State) Clone() State {
	c := State{trips: maps.Clone(s.trips), lasts: maps.Clone(s.lasts), lanes: maps.Clone(s.lanes),
		recent: slices.Clone(s.recent), newest: s.newest}
	for key, list := range c.trips {
		c.trips[key] = slices.Clone(list)
	}
	return c
}

// count counts a passage for the card and for its household.
func (s *State) count(r *policy.Rules, t *taken, p wire.Passage, x policy.Person, day int32) {
	t.counted, t.trip = true, trip{day, p.Direction}
	if q := r.Classes[x.Class].Quota; q != nil && q.Per == policy.PerHousehold {
		t.home = x.Household
	}
	if p.Basis != nil && p.Basis.Household != "" {
		t.home = p.Basis.Household // the roster may have moved the card since
	}
	since := day - int32(r.Reach()/(24*time.Hour))
	for _, key := range []string{t.card, t.home} {
		if key != "" {
			list := slices.DeleteFunc(s.trips[key], func(t trip) bool { return t.day < since })
			s.trips[key] = append(list, t.trip)
		}
	}
}

// setBack moves what was noted for a later time to at: the clock was set back, and
// nothing of before was later than now.
func (s *State) setBack(at time.Time) {
	day := dayOf(at)
	for _, list := range s.trips {
		for i := range list {
			list[i].day = min(list[i].day, day)
		}
	}
	for i := range s.recent {
		s.recent[i].trip.day = min(s.recent[i].trip.day, day)
	}
	for card, l := range s.lasts {
		if l.at.After(at) {
			s.lasts[card] = last{l.direction, at}
		}
	}
	for key, passed := range s.lanes {
		if passed.After(at) {
			s.lanes[key] = at
		}
	}
}

// undo takes back passages that share a reading with the one that comes.
func (s *State) undo(readings []uint64) {
	for i := len(s.recent) - 1; i >= 0; i-- {
		t := s.recent[i]
		if !shares(t.readings, readings) {
			continue
		}
		s.recent = slices.Delete(s.recent, i, i+1)
		if t.counted {
			for _, key := range []string{t.card, t.home} {
				if j := slices.Index(s.trips[key], t.trip); j >= 0 {
					s.trips[key] = slices.Delete(s.trips[key], j, j+1)
				}
			}
		}
		if !t.moved || s.moved(t.card) > i {
			continue
		}
		if delete(s.lasts, t.card); t.known {
			s.lasts[t.card] = t.before
		}
	}
}

// moved returns the index after the newest remembered passage that moved a card.
func (s *State) moved(card string) int {
	for i := len(s.recent) - 1; i >= 0; i-- {
		if s.recent[i].moved && s.recent[i].card == card {
			return i + 1
		}
	}
	return 0
}

func shares(a, b []uint64) bool {
	return slices.ContainsFunc(a, func(seq uint64) bool { return slices.Contains(b, seq) })
}

// replaced returns the newest passage that the ask replaces; nil: none.
func (x *asked) replaced() *taken {
	for i := len(x.state.recent) - 1; i >= 0; i-- {
		if t := &x.state.recent[i]; t.card == x.card && shares(t.readings, x.Readings) {
			return t
		}
	}
	return nil
}

// count returns how often a household or card has passed in a direction since a day.
// When that is times or more, blocks is the day of the passage that must be over
// before it may pass again.
func (x *asked) count(key string, d fact.Direction, since int32, times int) (used int, blocks int32) {
	var days []int32
	for _, t := range x.state.trips[key] {
		if t.direction == d && t.day >= since {
			days = append(days, t.day)
		}
	}
	if t := x.replaced(); t != nil && t.counted && t.trip.direction == d && (key == t.card || key == t.home) {
		if i := slices.Index(days, t.trip.day); i >= 0 {
			days = slices.Delete(days, i, i+1)
		}
	}
	if len(days) < times {
		return len(days), 0
	}
	slices.Sort(days)
	return len(days), days[len(days)-times]
}

// last returns where the card went last.
func (x *asked) last() (last, bool) {
	if t := x.replaced(); t != nil && t.moved {
		return t.before, t.known
	}
	l, known := x.state.lasts[x.card]
	return l, known
}
