package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
)

// When silence is an alert.
const (
	settle   = 10 * time.Second // what lasts so long; a gate that restarts is back before
	together = 30 * time.Second // silences that begin within this of each other may have one cause
	stalled  = 5 * time.Second  // a process that stood still for so long has missed heartbeats
	fewest   = 5                // so many gates at least are many,
	share    = 10               // and one in so many of those that were ever here
)

// hearing is what the desk knows of a gate at a look.
type hearing int

const (
	unknown hearing = iota // nothing was heard, and nothing could have been
	back                   // it speaks
	quiet                  // it does not, and could have been heard
)

// silences turns who is quiet into alerts: one a gate, or one for all when many
// fall silent at once, which says more about the county's side than about them.
type silences struct {
	since   map[string]time.Time // by gate: when it fell silent
	alerted map[string]bool      // gates whose silence is an alert
	members map[string]bool      // gates that the one alert stands for
	began   time.Time            // when that alert's silence was found; zero: it does not hold
	told    bool                 // it is on the desk
}

func newSilences() *silences {
	return &silences{since: map[string]time.Time{}, alerted: map[string]bool{}, members: map[string]bool{}}
}

// verdict raises an alert of the desk's own, or with an empty detail clears it.
type verdict struct {
	typ           fact.AlarmType
	agent, detail string
}

// judge takes how each gate stands and returns the alerts that change. heard is
// since when the desk could hear without a break; deaf since when it can't hear
// the broker, zero while it can.
func (s *silences) judge(now time.Time, gates map[string]hearing, heard, deaf time.Time) []verdict {
	s.note(now, gates, heard, deaf)
	var out []verdict
	for _, agent := range slices.Sorted(maps.Keys(s.alerted)) {
		if _, silent := s.since[agent]; !silent {
			out = append(out, verdict{fact.AlarmGateSilent, agent, ""})
		}
	}
	if !deaf.IsZero() {
		if now.Sub(deaf) >= settle && !s.told {
			out = append(out, verdict{fact.AlarmGatesSilent, "", "the desk's own connection to the broker is down: no gate can be heard"})
		}
		return out
	}
	if now.Sub(heard) <= presence.SilentAfter+settle {
		return out // they may be about to connect again
	}
	county := s.county(now, len(gates))
	switch {
	case county != "" && !s.told:
		out = append(out, verdict{fact.AlarmGatesSilent, "", county})
	case county == "" && s.told:
		out = append(out, verdict{fact.AlarmGatesSilent, "", ""})
	}
	return append(out, s.single(now, len(gates))...)
}

// note keeps since when each gate is silent.
func (s *silences) note(now time.Time, gates map[string]hearing, heard, deaf time.Time) {
	for agent, st := range gates {
		_, silent := s.since[agent]
		switch {
		case st == quiet && !silent && deaf.IsZero():
			s.since[agent] = now
		case st == back:
			delete(s.since, agent)
			delete(s.members, agent)
		}
	}
	for agent, at := range s.since {
		_, known := gates[agent]
		switch {
		case !known && now.Sub(heard) > presence.SilentAfter: // no gate of the county any more
			delete(s.since, agent)
			delete(s.members, agent)
		case at.Before(heard) && !s.alerted[agent] && !s.members[agent]:
			delete(s.since, agent) // the desk could not hear meanwhile: it must be found anew
		}
	}
}

// many is how many of the county's gates are many.
func many(gates int) int { return max(fewest, (gates+share-1)/share) }

// county finds whether many fell silent at once, and says so.
func (s *silences) county(now time.Time, gates int) string {
	var due bool
	fresh := map[string]bool{}
	for agent, at := range s.since {
		if !s.alerted[agent] && !s.members[agent] && now.Sub(at) < together {
			fresh[agent] = true
			due = due || now.Sub(at) >= settle
		}
	}
	switch {
	case s.began.IsZero() && due && len(fresh) >= many(gates):
		s.began, s.members = now, fresh
	case !s.began.IsZero() && now.Sub(s.began) < together:
		maps.Copy(s.members, fresh)
	}
	if len(s.members) < many(gates) { // who is silent still is so by itself
		for agent := range s.members {
			s.since[agent] = now
		}
		s.members, s.began = map[string]bool{}, time.Time{}
		return ""
	}
	return fmt.Sprintf("at least %d of %d gates fell silent within %s: "+
		"look at the county's own broker, network and power first",
		len(s.members), gates, together)
}

// single gives the gates whose silence is their own and has lasted.
func (s *silences) single(now time.Time, gates int) (out []verdict) {
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
	if s.began.IsZero() && fresh >= many(gates) {
		return nil // they are about to be one alert
	}
	slices.Sort(due)
	for _, agent := range due {
		out = append(out, verdict{fact.AlarmGateSilent, agent, "no heartbeat"})
	}
	return out
}

// done notes that an alert was kept.
func (s *silences) done(v verdict) {
	switch {
	case v.typ == fact.AlarmGatesSilent:
		s.told = v.detail != ""
	case v.detail != "":
		s.alerted[v.agent] = true
	default:
		delete(s.alerted, v.agent)
	}
}

// hush makes alerts of gates that no longer speak.
func (d *Desk) hush(ctx context.Context, now time.Time, gates map[string]hearing, deaf time.Time) error {
	var errs []error
	for _, v := range d.silences.judge(now, gates, d.since, deaf) {
		err := d.own(ctx, v.typ, v.agent, v.detail, now)
		if err == nil {
			d.silences.done(v)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// attend notes that the process runs. Run calls it every second beside the
// loop, which may be slow by itself while heartbeats are heard as they come.
func (d *Desk) attend(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.attended.IsZero() && now.Sub(d.attended) > stalled {
		d.absent = now
	}
	d.attended = now
}

// unbroken notes since when the desk could hear without a break, and returns
// since when it can't hear the broker. Silence before a break proves nothing.
func (d *Desk) unbroken(now time.Time) (deaf time.Time) {
	d.mu.Lock()
	deaf, absent := d.deaf, d.absent
	still := !d.attended.IsZero() && now.Sub(d.attended) > stalled // and attend has not come to it yet
	d.mu.Unlock()
	if d.wasDeaf && deaf.IsZero() || still || absent.After(d.since) {
		d.since = now
	}
	d.wasDeaf = !deaf.IsZero()
	return deaf
}

// stateOf is how a gate stands on its tile: as before while nobody can know.
func (d *Desk) stateOf(now time.Time, l presence.Agent) fact.LinkState {
	if l.State == fact.Silent && now.Sub(l.Heard) > now.Sub(d.since) && now.Sub(d.since) <= presence.SilentAfter {
		l.State = cmp.Or(d.shown[l.Agent], fact.Online)
	}
	d.shown[l.Agent] = l.State
	return l.State
}

func presenceOf(now time.Time, l presence.Agent) hearing {
	switch {
	case l.State != fact.Online:
		return quiet
	case !l.Heard.IsZero() && now.Sub(l.Heard) <= presence.SilentAfter:
		return back
	}
	return unknown
}

// loadSilences takes over whose silence is an alert already.
func (d *Desk) loadSilences(ctx context.Context) error {
	list, err := d.alerts(ctx, "type IN (?, ?) AND cleared IS NULL", fact.AlarmGateSilent, fact.AlarmGatesSilent)
	for _, a := range list {
		if a.Type == fact.AlarmGatesSilent {
			d.silences.told = true
			continue
		}
		d.silences.alerted[a.Agent] = true
		d.silences.since[a.Agent] = d.began
	}
	return err
}
