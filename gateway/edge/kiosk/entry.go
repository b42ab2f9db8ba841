package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// actions returns the buttons of a view. A value can be entered for one person at a
// time, where people are measured.
func (s *Screen) actions(v View) []string {
	out := buttons(v.Look, v.Kind)
	switch {
	case v.Look == LookIdle && len(v.Waiters) > 0:
		out[0] = ActionWaiters
	case v.Look == LookFever && v.Instruction == string(fact.InstructWait):
		out = []string{ActionRetest, ActionCallDoctor, ActionEnter}
	case v.Look == LookConfirmed && v.Instruction == string(fact.InstructTurnAway):
		out = []string{ActionTurnedAway, ActionCallDoctor}
	case v.Look == LookConfirmed:
		out = []string{ActionIsolate, ActionCallDoctor}
	}
	if v.Asks == asksCard || slices.Contains(v.Reasons, fact.ReasonOneAtATime) {
		out = slices.DeleteFunc(out, func(a string) bool { return a == ActionEnter })
	}
	return out
}

// Of returns readings of the person whom the screen showed as id: a verdict, or a visit
// that waits. It returns none for an idle screen, and ok is false for an id that is not
// known any more.
func (s *Screen) Of(id string) (readings []uint64, ok bool) {
	for _, x := range slices.Concat(s.recent, s.reds) {
		if x.id == id && x.seq != 0 {
			return x.passage.Readings, true
		}
	}
	if seq := wire.EpisodeReading(id); seq != 0 {
		return []uint64{seq}, true
	}
	if rest, is := strings.CutPrefix(id, "a"); is { // the first reading of a visit, and what it waits for
		digits := strings.TrimRight(rest, "abcdefghijklmnopqrstuvwxyz")
		if seq, err := strconv.ParseUint(digits, 10, 64); err == nil {
			return []uint64{seq}, true
		}
	}
	return nil, id == "" || id == "m"
}

// refusals are the words of the page, entry.<code>, for what can't be entered.
var refusals = []struct {
	err  error
	code string
}{{gate.ErrOccupied, "occupied"}, {gate.ErrTooLate, "too-late"}, {gate.ErrMixed, "mixed"}, {gate.ErrFever, "fever"},
	{gate.ErrNotMeasured, "not-measured"}, {gate.ErrTooEarly, "too-early"}, {gate.ErrNoEpisode, "no-episode"}}

// enter takes a value that the guard read off a hand-held thermometer. The answer is
// 204, or a code of the page's words, a colon, and what to do in English: 400 and 422 for
// a request or a value that is none, 409 when it can't be assigned to a person, 503 when
// it could not be kept.
func (k *Kiosk) enter(w http.ResponseWriter, r *http.Request, g Gate) {
	var m struct {
		ID    string        `json:"id"`   // of the view when the guard began; "": an idle one
		Lane  string        `json:"lane"` // of an idle gate with several
		Value string        `json:"value"`
		With  fact.HandHeld `json:"with"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&m); err != nil {
		http.Error(w, "failed: not understood: "+err.Error(), http.StatusBadRequest)
		return
	}
	value, err := fact.ParseTemp(m.Value)
	entered := wire.Entered{Value: value, With: m.With}
	if err = errors.Join(err, entered.Check()); err != nil {
		http.Error(w, "range: "+err.Error(), http.StatusUnprocessableEntity)
		return
	}
	k.mu.Lock()
	of, ok := k.screen.Of(m.ID)
	k.mu.Unlock()
	if !ok {
		http.Error(w, "too-late: "+gate.ErrTooLate.Error(), http.StatusConflict)
		return
	}
	entered.Of = of
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err = g.Enter(ctx, m.Lane, entered); err == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	for _, x := range refusals {
		if errors.Is(err, x.err) {
			http.Error(w, x.code+": "+err.Error(), http.StatusConflict)
			return
		}
	}
	http.Error(w, "failed: "+err.Error(), http.StatusServiceUnavailable)
}
