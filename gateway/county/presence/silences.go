package presence

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gatehouse/gateway/fact"
)

// When silence is an alert.
const (
	// settle is how long a silence must last: an agent that only restarts is back
	// before.
	settle   = fact.SilenceDelay
	together = 30 * time.Second // silences that begin within this of each other may have one cause
	fewest   = 5                // many are at least so many gates,
	share    = 10               // and one in so many of those that were ever here
)

// sign is what is known of a gate at a look.
type sign int

const (
	unknown sign = iota // nothing was heard, and nothing could have been
	alive               // its heartbeats come
	quiet               // none come, and they would have been received
)

func signOf(now time.Time, a Agent) sign {
	switch {
	case a.State != fact.Online:
		return quiet
	case !a.Heard.IsZero() && now.Sub(a.Heard) <= SilentAfter:
		return alive
	}
	return unknown
}

// silences turns quiet gates into alarms: one a gate, or one for all when many
// fall silent at once, which says more about the county's side than about them.
type silences struct {
	since   map[string]time.Time // by gate: when it fell silent
	alerted map[string]bool      // gates whose silence is an alert
	members map[string]bool      // gates that the one alert stands for
	began   time.Time            // when that alert's silence was found; zero: it does not hold
	many    bool                 // that alert is raised
}

// finding is an alarm to raise, or with an empty detail to clear.
type finding struct {
	kind          fact.AlarmType
	agent, detail string
}

// loadSilences returns silences that know which are an alert already.
func loadSilences(ctx context.Context, alerts Alerts, now time.Time) (*silences, error) {
	s := &silences{since: map[string]time.Time{}, alerted: map[string]bool{}, members: map[string]bool{}}
	gates, err := alerts.Holding(ctx, fact.AlarmGateSilent)
	for _, g := range gates {
		s.alerted[g], s.since[g] = true, now
	}
	many, errMany := alerts.Holding(ctx, fact.AlarmGatesSilent)
	s.many = len(many) > 0
	return s, errors.Join(err, errMany)
}

// judge takes the signs of all gates and returns the alarms that change.
func (s *silences) judge(now time.Time, gates map[string]sign, heard hearing) []finding {
	s.note(now, gates, heard)
	var out []finding
	for _, agent := range slices.Sorted(maps.Keys(s.alerted)) {
		if _, silent := s.since[agent]; !silent {
			out = append(out, finding{fact.AlarmGateSilent, agent, ""})
		}
	}
	if !heard.deaf.IsZero() {
		if now.Sub(heard.deaf) >= settle && !s.many {
			out = append(out, finding{fact.AlarmGatesSilent, "",
				"the desk's own connection to the broker is down: no gate can be heard"})
		}
		return out
	}
	if now.Sub(heard.since) <= SilentAfter+settle {
		return out // they may be about to connect again
	}
	detail := s.together(now, len(gates))
	if (detail != "") != s.many {
		out = append(out, finding{fact.AlarmGatesSilent, "", detail})
	}
	return append(out, s.single(now, len(gates))...)
}

// note keeps since when each gate is silent.
func (s *silences) note(now time.Time, gates map[string]sign, heard hearing) {
	for agent, sign := range gates {
		_, silent := s.since[agent]
		switch {
		case sign == quiet && !silent && heard.deaf.IsZero():
			s.since[agent] = now
		case sign == alive:
			s.forget(agent)
		}
	}
	for agent, at := range s.since {
		_, known := gates[agent]
		switch {
		case !known && now.Sub(heard.since) > SilentAfter: // no gate of the county any more
			s.forget(agent)
		case at.Before(heard.since) && !s.alerted[agent] && !s.members[agent]:
			delete(s.since, agent) // its heartbeats could not be received meanwhile: it must be found anew
		}
	}
}

func (s *silences) forget(agent string) {
	delete(s.since, agent)
	delete(s.members, agent)
}

// manyOf returns how many of the county's gates are many.
func manyOf(gates int) int { return max(fewest, (gates+share-1)/share) }

// together finds whether many gates fell silent at once. It returns the detail
// of their one alert, or nothing.
func (s *silences) together(now time.Time, gates int) string {
	var due bool
	fresh := map[string]bool{}
	for agent, at := range s.since {
		if !s.alerted[agent] && !s.members[agent] && now.Sub(at) < together {
			fresh[agent] = true
			due = due || now.Sub(at) >= settle
		}
	}
	switch {
	case s.began.IsZero() && due && len(fresh) >= manyOf(gates):
		s.began, s.members = now, fresh
	case !s.began.IsZero() && now.Sub(s.began) < together:
		maps.Copy(s.members, fresh)
	}
	if len(s.members) < manyOf(gates) {
		for agent := range s.members {
			s.since[agent] = now // who is silent still gets an alert of its own
		}
		s.members, s.began = map[string]bool{}, time.Time{}
		return ""
	}
	return fmt.Sprintf("at least %d of %d gates fell silent within %s: "+
		"look at the county's own broker, network and power first",
		len(s.members), gates, together)
}

// single finds the gates whose silence is their own and has lasted.
func (s *silences) single(now time.Time, gates int) (out []finding) {
	var due []string
	fresh := 0
	for agent, at := range s.since {
		if s.alerted[agent] || s.members[agent] {
			continue
		}
		if now.Sub(at) < together {
			fresh++
		}
		if now.Sub(at) >= settle {
			due = append(due, agent)
		}
	}
	if s.began.IsZero() && fresh >= manyOf(gates) {
		return nil // they are about to be one alert
	}
	slices.Sort(due)
	for _, agent := range due {
		out = append(out, finding{fact.AlarmGateSilent, agent, "no heartbeat"})
	}
	return out
}

// raised notes that an alarm was raised or cleared.
func (s *silences) raised(f finding) {
	switch {
	case f.kind == fact.AlarmGatesSilent:
		s.many = f.detail != ""
	case f.detail != "":
		s.alerted[f.agent] = true
	default:
		delete(s.alerted, f.agent)
	}
}
