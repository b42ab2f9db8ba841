package kiosk

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

func TestAValueBelongsToWhomTheScreenShowed(t *testing.T) {
	k, h, g, s := start(t)
	p := passage(fact.VerdictInvalid, "too-cold", 41)
	p.Readings = []uint64{41, 42}
	k.Passage(h.Now(), 43, p)
	for _, c := range []struct {
		name, body string
		fail       error
		status     int
		answer     string
		of         []uint64
	}{
		{"a verdict", `{"id":"p43","value":"36.6","with":"contact"}`, nil, 204, "", []uint64{41, 42}},
		{"a visit", `{"id":"a41temperature","value":"36.6","with":"forehead"}`, nil, 204, "", []uint64{41}},
		{"nobody", `{"id":"","value":"34.0","with":"contact"}`, nil, 204, "", nil},
		{"nobody yet", `{"id":"m","value":"42.9","with":"contact"}`, nil, 204, "", nil},
		{"long gone", `{"id":"p7","value":"36.6","with":"contact"}`, nil, 409, "too-late: ", nil},
		{"no number", `{"id":"axyz","value":"36.6","with":"contact"}`, nil, 409, "too-late: ", nil},
		{"63.8", `{"id":"","value":"63.8","with":"contact"}`, nil, 422, "range: 63.80 °C is not a body", nil},
		{"33.9", `{"id":"","value":"33.9","with":"contact"}`, nil, 422, "range: 33.90 °C is not a body", nil},
		{"43.0", `{"id":"","value":"43.0","with":"contact"}`, nil, 422, "range: 43.00 °C is not a body", nil},
		{"words", `{"id":"","value":"warm","with":"contact"}`, nil, 422, "range: ", nil},
		{"exponent", `{"id":"","value":"3.66e1","with":"contact"}`, nil, 422, "range: ", nil},
		{"no device", `{"id":"","value":"36.6"}`, nil, 422, "range: \"\" is neither", nil},
		{"number", `{"id":"","value":36.6,"with":"contact"}`, nil, 400, "failed: ", nil},
		{"rubbish", `rubbish`, nil, 400, "failed: ", nil},
		{"endless", `{"id":"` + strings.Repeat("1", 2000), nil, 400, "failed: ", nil},
		{"occupied", `{"id":"","value":"36.6","with":"contact"}`, gate.ErrOccupied, 409, "occupied: ", nil},
		{"fever", `{"id":"","value":"36.6","with":"contact"}`, gate.ErrFever, 409, "fever: ", nil},
		{"full", `{"id":"","value":"36.6","with":"contact"}`, errors.New("the disk is full"), 503, "failed: ", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			g.fail, g.entered = c.fail, nil
			status, answer := ask(t, s.URL+"/entry", "", c.body)
			if status != c.status || !strings.HasPrefix(answer, c.answer) {
				t.Fatalf("%d %s", status, answer)
			}
			if taken := c.status == http.StatusNoContent; taken != (len(g.entered) == 1) ||
				taken && !slices.Equal(g.entered[0].Of, c.of) {
				t.Errorf("entered %+v", g.entered)
			}
		})
	}
}

// The page opens the keys where somebody can be measured by hand, and tells the host
// only the value: the button itself is no answer.
func TestWhereAValueCanBeEntered(t *testing.T) {
	for name, c := range map[string]struct {
		p    wire.Passage
		want bool
	}{
		"too cold":       {passage(fact.VerdictInvalid, "too-cold", 1), true},
		"no thermometer": {passage(fact.VerdictRetest, fact.ReasonNoThermometer, 1), true},
		"mixed up":       {passage(fact.VerdictRetest, fact.ReasonOneAtATime, 1), false},
		"passes":         {passage(fact.VerdictPass, "normal", 1), false},
		"fever":          {passage(fact.VerdictFever, "fever", 1), false},
	} {
		x := newScene().see(c.p)
		v := x.s.View(at(0))
		if got := slices.Contains(v.Actions, ActionEnter); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
		if _, ok := x.s.Press(at(0), v.ID, ActionEnter); ok {
			t.Errorf("%s: pressing is taken for an answer", name)
		}
	}
	p := passage(fact.VerdictPass, "normal", 1)
	p.Entered = &wire.Entered{Value: 36_60, With: fact.HandHeldForehead}
	if v := newScene().see(p).s.View(at(0)); v.Entered != "forehead" || *v.Screening != 36_60 {
		t.Errorf("shows %v of %q", v.Screening, v.Entered)
	}
	st := linked(true, "ok", "ok")
	st.Devices = st.Devices[1:] // a gate that only reads cards
	if v := newScene().status(st).s.View(at(0)); slices.Contains(v.Actions, ActionEnter) {
		t.Errorf("asks for %s and offers %v", v.Asks, v.Actions)
	}
}
