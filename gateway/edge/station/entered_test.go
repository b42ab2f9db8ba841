package station

import (
	"context"
	"errors"
	"slices"
	"testing"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

func contact(c fact.Temp, of ...uint64) *wire.Entered {
	return &wire.Entered{Value: c, With: fact.HandHeldContact, Of: of}
}

// enteredOf returns the values that the journal holds as readings, and as judged.
func (g *rig) enteredOf() (readings, passages []fact.Temp) {
	for _, body := range g.bodies() {
		switch b := body.(type) {
		case *wire.Reading:
			if b.Entered != nil {
				readings = append(readings, b.Entered.Value)
			}
		case *wire.Passage:
			if b.Entered != nil {
				passages = append(passages, b.Entered.Value)
			}
		}
	}
	return readings, passages
}

func TestAnEnteredValueIsARecordBeforeItIsJudged(t *testing.T) {
	g := newRig(t)
	g.observe(g.tapped(cardA))
	card := g.st.recent
	if err := g.st.enter(g.h.now, "", contact(36_60)); !errors.Is(err, gate.ErrOccupied) {
		t.Errorf("for nobody, while somebody waits: %v", err)
	}
	of := g.st.gate.Prompts()[0].Reading
	if err := g.st.enter(g.h.now, "", contact(36_60, of)); err != nil {
		t.Fatal(err)
	}
	readings, passages := g.enteredOf()
	if want := []fact.Temp{36_60}; !slices.Equal(readings, want) || !slices.Equal(passages, want) || len(card) != 0 {
		t.Errorf("readings %v, passages %v: what was refused is kept, or what was taken is not", readings, passages)
	}
}

// The agent restarts between the card and the value, and after it.
func TestARestartKeepsWhatAValueIsOf(t *testing.T) {
	g := newRig(t)
	g.observe(g.tapped(cardA))
	of := g.st.gate.Prompts()[0].Reading
	g.wait(2)
	g.restart()
	if err := g.st.enter(g.h.now, "", contact(36_60, of)); err != nil {
		t.Fatal(err)
	}
	g.wait(1)
	g.restart()
	if err := g.st.enter(g.h.now, "", contact(36_60, of)); !errors.Is(err, gate.ErrTooLate) {
		t.Errorf("somebody who has passed passes again after a restart: %v", err)
	}
	if _, passages := g.enteredOf(); len(passages) != 1 {
		t.Errorf("judged as %v", passages)
	}
}

// The agent ends between the record of the value and that of the verdict.
func TestAValueThatWasNotJudgedIsJudgedAfterARestart(t *testing.T) {
	g := newRig(t)
	g.observe(g.tapped(cardA))
	of := g.st.gate.Prompts()[0].Reading
	g.st.keep(g.h.now, &wire.Reading{Device: "contact", Model: handHeld, Type: fact.ReadingEntered,
		Entered: contact(38_60, of), BootID: "b", BootNS: int64(g.h.now.Boot)})
	g.wait(2)
	g.restart()
	if _, passages := g.enteredOf(); !slices.Equal(passages, []fact.Temp{38_60}) || g.alarms(0) == "" {
		t.Errorf("judged as %v, alarms %q", passages, g.alarms(0))
	}
}

func TestNoThermometerShows63(t *testing.T) {
	g := newRig(t)
	for name, e := range map[string]wire.Entered{"63.8": *contact(63_80), "42.91": *contact(42_91),
		"33.99": *contact(33_99), "by guess": {Value: 36_60, With: "guess"}} {
		if err := g.st.Enter(context.Background(), "", e); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
