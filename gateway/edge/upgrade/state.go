// Package upgrade takes a gate from one version of the packages to another: it fetches and
// verifies them, installs them by dpkg, waits until the new version comes up and delivers, and
// goes back to the former by itself if it does not. It runs as root, apart from the agent, and
// goes on after a power cut where it was.
package upgrade

import (
	"slices"
	"time"

	"gatehouse/gateway/repository"
)

// Phase is how far an upgrade has come.
type Phase string

// The phases. The first four are on the way, the others are ends.
const (
	Fetching   Phase = "fetching"   // nothing is changed
	Installing Phase = "installing" // dpkg may be at work
	Checking   Phase = "checking"   // the new version runs, and must show that it delivers
	GoingBack  Phase = "going-back" // dpkg may be at work with the former version
	Done       Phase = "done"       // the new version runs
	Unchanged  Phase = "unchanged"  // it was refused or failed before anything was changed
	Back       Phase = "back"       // the new version was installed, and the former runs again
	Stuck      Phase = "stuck"      // neither could be installed: somebody has to look
	mostTries        = 3            // of a step that is cut off each time
	mostChange       = 4            // phases between the begin and an end
	keptResult       = 1000         // characters of why
	maxState         = 256 << 10    // bytes of the state's file
	stepLimit        = 20 * time.Minute
)

// Ended reports whether nothing is to be done any more.
func (p Phase) Ended() bool { return slices.Contains([]Phase{Done, Unchanged, Back, Stuck}, p) }

// Valid reports whether p is a phase.
func (p Phase) Valid() bool {
	return p.Ended() || slices.Contains([]Phase{Fetching, Installing, Checking, GoingBack}, p)
}

// Step is one package of an upgrade.
type Step struct {
	New    repository.Package `json:"new"`
	Former repository.Package `json:"former"` // what is installed before
}

// State is an upgrade on disk. It is a value: the methods return what it becomes.
type State struct {
	ID      string    `json:"id"` // of the request
	Phase   Phase     `json:"phase"`
	To      string    `json:"to"`
	From    string    `json:"from"`
	Steps   []Step    `json:"steps"`
	Why     string    `json:"why,omitempty"`   // it ended otherwise than asked, or with a remark
	Tries   int       `json:"tries,omitempty"` // how often the phase was begun
	Runs    bool      `json:"runs"`            // the agent's service ran before, and is judged
	Alone   bool      `json:"alone,omitempty"` // the county was away before: only that it records is judged
	Run     string    `json:"run,omitempty"`   // of the agent before it was restarted
	Began   time.Time `json:"began"`
	Changed time.Time `json:"changed"`
}

// Begin returns the state of an upgrade that is begun.
func Begin(id, from, to string, steps []Step, now time.Time) State {
	return State{ID: id, Phase: Fetching, From: from, To: to, Steps: steps, Began: now, Changed: now}
}

// Try returns the state in which the work of the phase is begun, once more after a power cut.
// A step that was cut off too often counts as failed.
func (s State) Try(now time.Time) State {
	if s.Phase.Ended() {
		return s
	}
	if s.Tries >= mostTries {
		return s.Failed("it was cut off three times while "+string(s.Phase), now)
	}
	s.Tries++
	return s
}

// OK returns what follows when the work of the phase is done.
func (s State) OK(now time.Time) State {
	next := map[Phase]Phase{Fetching: Installing, Installing: Checking, Checking: Done, GoingBack: Back}
	if s.Phase == Installing && !s.Runs {
		return s.to(Done, now)
	}
	return s.to(next[s.Phase], now)
}

// Failed returns what follows when the work of the phase failed.
func (s State) Failed(why string, now time.Time) State {
	next := map[Phase]Phase{Fetching: Unchanged, Installing: GoingBack, Checking: GoingBack, GoingBack: Stuck}
	if s.Why != "" {
		why = s.Why + "; then: " + why
	}
	s.Why = clip(why)
	return s.to(next[s.Phase], now)
}

// remarked returns the state with something more that people should know.
func (s State) remarked(text string) State {
	if s.Why != "" && text != "" {
		text = s.Why + "; " + text
	}
	if text != "" {
		s.Why = clip(text)
	}
	return s
}

func (s State) to(p Phase, now time.Time) State {
	if !p.Valid() {
		return s // an end stays
	}
	s.Phase, s.Tries, s.Changed = p, 0, now
	return s
}

func clip(s string) string {
	if r := []rune(s); len(r) > keptResult {
		return string(r[:keptResult])
	}
	return s
}
