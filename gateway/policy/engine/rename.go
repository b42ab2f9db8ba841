package engine

import (
	"cmp"
	"slices"

	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// Rename gives cards and households the names that same returns: the gate's key for
// pseudonyms is another one now. What is noted under two names of one becomes one.
func (s *State) Rename(same func(string) string) {
	trips := make(map[string][]trip, len(s.trips))
	for name, list := range s.trips {
		name = same(name)
		trips[name] = append(trips[name], list...)
	}
	for _, list := range trips {
		slices.SortStableFunc(list, func(a, b trip) int { return cmp.Compare(a.day, b.day) })
	}
	lasts := make(map[string]last, len(s.lasts))
	for name, l := range s.lasts {
		name = same(name)
		if other, known := lasts[name]; !known || l.at.After(other.at) {
			lasts[name] = l
		}
	}
	s.trips, s.lasts = trips, lasts
	for key, at := range s.lanes {
		renamed := laneKey{same(key.card), key.lane}
		if renamed != key {
			delete(s.lanes, key)
			if at.After(s.lanes[renamed]) {
				s.lanes[renamed] = at
			}
		}
	}
	for i := range s.recent {
		s.recent[i].card, s.recent[i].home = same(s.recent[i].card), same(s.recent[i].home)
	}
}

// Named returns a passage with the names that its card and household have now.
func Named(r *policy.Rules, p wire.Passage) wire.Passage {
	p.Credential = r.Same(p.Credential)
	if p.Basis != nil && p.Basis.Household != "" {
		b := *p.Basis
		b.Household = r.Same(b.Household)
		p.Basis = &b
	}
	return p
}
