package kiosk

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

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

// enter takes a value that the guard read off a hand-held thermometer.
func (k *Kiosk) enter(w http.ResponseWriter, r *http.Request, g Gate) {
	type entry struct {
		ID    string        `json:"id"`   // of the view when the guard began; "": an idle one
		Lane  string        `json:"lane"` // of an idle gate with several
		Value string        `json:"value"`
		With  fact.HandHeld `json:"with"`
	}
	act(w, r, func(ctx context.Context, m entry) error {
		entered, err := enteredOf(m.Value, m.With)
		if err != nil {
			return err
		}
		k.mu.Lock()
		of, ok := k.screen.Of(m.ID)
		k.mu.Unlock()
		if !ok {
			return gate.ErrTooLate
		}
		entered.Of = of
		return g.Enter(ctx, m.Lane, entered)
	})
}

// enteredOf returns a value that the guard has typed. The error is a rangeError.
func enteredOf(text string, with fact.HandHeld) (wire.Entered, error) {
	value, err := fact.ParseTemp(text)
	entered := wire.Entered{Value: value, With: with}
	if err = errors.Join(err, entered.Check()); err != nil {
		return entered, rangeError{err}
	}
	return entered, nil
}
