package kiosk

import (
	"context"
	"net/http"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/episode"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Looks of somebody with a fever episode, while nobody is in the lanes.
const (
	LookWaiting   Look = "waiting"   // light: they sit in the warm, and the wait is not over
	LookReady     Look = "ready"     // light: they can be measured again
	LookContact   Look = "contact"   // light: a contact thermometer must settle it
	LookConfirmed Look = "confirmed" // red: a second measurement has confirmed a fever
)

// What the guard does about them. ActionWaiters and ActionLater only turn the screen.
const (
	ActionRetestNow = "retest-now" // the next measurement in the lane is theirs
	ActionWaiters   = "waiters"    // shows the next of those who wait
	ActionLater     = "later"      // shows the idle gate again
)

const (
	turnedFor    = 30 * time.Second // so long somebody whom the guard looks at is shown
	laterFor     = 5 * time.Minute  // so long somebody who is ready is not shown again
	waitersShown = 3
)

// turning is whom the guard looks at, and whom not.
type turning struct {
	id    string
	until time.Duration            // boot clock
	later map[string]time.Duration // by episode: not shown by itself until then
}

// EpisodeView is what the page says of a fever episode.
type EpisodeView struct {
	Step  fact.EpisodeStep `json:"step"`
	First fact.Temp        `json:"first_c"`
	Ready *time.Time       `json:"ready,omitempty"` // from when a second measurement counts
}

// waiting returns the person with a fever episode who is shown while nobody is in the
// lanes: whom the guard looks at, else the first who can be measured; nil: nobody.
func (s *Screen) waiting(now clock.Moment) *item {
	for _, chosen := range []bool{true, false} {
		for i := range s.status.Episodes {
			e := &s.status.Episodes[i]
			step := e.Stands(now)
			looked := e.ID == s.turn.id && s.turn.until > now.Boot
			ready := step != fact.EpisodeEarly && step != fact.EpisodeConfirmed && s.turn.later[e.ID] <= now.Boot
			if e.Until > now.Boot && (looked || !chosen && ready) {
				return &item{id: e.ID, look: lookOf(step), episode: e, lane: e.Lane, until: e.Until,
					at: now.Add(e.Ready - now.Boot)}
			}
		}
	}
	return nil
}

func lookOf(step fact.EpisodeStep) Look {
	switch step {
	case fact.EpisodeEarly:
		return LookWaiting
	case fact.EpisodeContact, fact.EpisodeConfirmed:
		return LookContact
	}
	return LookReady
}

// fillEpisode sets the fields of a view of somebody who waits.
func (s *Screen) fillEpisode(v *View, e *episode.Episode, now clock.Moment) {
	ready := s.wall.Add(e.Ready)
	v.Shown = s.who(e.Credential)
	v.Class, v.Direction, v.Screening, v.Since = e.Class, string(e.Direction), &e.First, &e.Since
	v.Episode = &EpisodeView{Step: e.Stands(now), First: e.First, Ready: &ready}
}

// waiters returns those who wait, as the column lists them.
func (s *Screen) waiters(now clock.Moment) (out []Waiter) {
	for _, e := range s.status.Episodes {
		if e.State == fact.EpisodeConfirmed || e.Until <= now.Boot || len(out) == waitersShown {
			continue
		}
		ready, until := s.wall.Add(e.Ready), s.wall.Add(e.Until)
		out = append(out, Waiter{ID: e.ID, Class: e.Class, Screening: &e.First, Ready: &ready, Until: &until})
	}
	return out
}

// Turn shows somebody else of those who wait, or the idle gate. ok is false for another
// action, or when the page shows something else by now.
func (s *Screen) Turn(now clock.Moment, id, action string) (ok bool) {
	t := s.shown(now)
	switch {
	case action == ActionWaiters && t == nil, action == ActionWaiters && t.id == id && t.episode != nil:
		s.turn.id, s.turn.until = s.next(id), now.Boot+turnedFor
	case action == ActionLater && t != nil && t.id == id && t.episode != nil:
		s.turn.later[id], s.turn.id = now.Boot+laterFor, ""
	default:
		return false
	}
	return true
}

// next returns the episode after the one with an id, in their order.
func (s *Screen) next(id string) string {
	all := s.status.Episodes
	if len(all) == 0 {
		return ""
	}
	i := slices.IndexFunc(all, func(e episode.Episode) bool { return e.ID == id })
	return all[(i+1)%len(all)].ID
}

// settled takes away the alarms of an episode that are answered by a passage: by a second
// measurement that has settled it, or by a value that the guard has entered.
func (s *Screen) settled(p wire.Passage) {
	if p.Episode == nil {
		return
	}
	cleared := p.Episode.Step == fact.EpisodeCleared
	entered := p.Entered != nil && p.Episode.Step != fact.EpisodeOpened
	if !cleared && !entered && p.Episode.Step != fact.EpisodeConfirmed {
		return
	}
	s.reds = slices.DeleteFunc(s.reds, func(x item) bool {
		of := x.passage.Episode
		if of == nil || of.ID != p.Episode.ID || of.Step != fact.EpisodeOpened && !cleared {
			return false
		}
		s.done = append(s.done, x)
		return true
	})
	s.done = s.done[max(0, len(s.done)-maxReds):]
}

// Retester lets somebody be measured again.
type Retester interface {
	// Retest lets the next measurement in a lane be the second one of a fever episode. It
	// returns an error of package gate when that can't be.
	Retest(ctx context.Context, lane, episode string) error
}

// retest takes the guard's wish to measure somebody again.
func (k *Kiosk) retest(w http.ResponseWriter, r *http.Request, g Retester) {
	type person struct {
		ID   string `json:"id"` // of the episode
		Lane string `json:"lane"`
	}
	act(w, r, func(ctx context.Context, m person) error { return g.Retest(ctx, m.Lane, m.ID) })
}
