package alerts

import (
	"testing"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

func TestTheGuardsAnswerIsNotedAtASealedHousehold(t *testing.T) {
	l := newList(t)
	l.commit(committed.Entry(t, 1, t0, &wire.Alarm{ID: "sealed-leaving:9", Type: fact.AlarmSealedLeaving,
		State: fact.AlarmRaised, Passage: 9}))
	if all := l.open(); len(all) != 1 || all[0].Level != "red" || !all[0].Type.Overtakes() {
		t.Fatalf("%+v", all)
	}
	// They tapped again; the guard answers that.
	l.commit(committed.Entry(t, 2, t0, &wire.Audit{Actor: "guard", Action: "sent-back", Passage: 11,
		Alarm: "sealed-leaving:9"}))
	if all := l.open(); len(all) != 1 || all[0].Guard != "sent-back" {
		t.Errorf("%+v", all)
	}
}
