package health

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func TestOneTroubleOfAKindIsToldAndProblemsComeFirst(t *testing.T) {
	b, began := NewBoard(), time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	b.Set("desk", wire.Trouble{Kind: fact.TroubleDeskBehind, Text: "behind"})
	b.Down("reports", began.Add(time.Minute), errors.New("refused"))
	b.Down("collector", began, errors.New("refused"))
	b.Down("collector", began.Add(time.Hour), errors.New("EOF"))
	list := b.Troubles()
	if len(list) != 2 || !list[0].Problem || list[0].Kind != fact.TroubleNoBroker ||
		!list[0].Since.Equal(began) || !strings.Contains(list[0].Text, "EOF") {
		t.Fatalf("%+v", list)
	}
	b.Up("collector")
	if list = b.Troubles(); !list[0].Since.Equal(began.Add(time.Minute)) {
		t.Errorf("the reports' connection: %+v", list)
	}
	b.Up("reports")
	b.Clear("desk", fact.TroubleDeskBehind)
	if list = b.Troubles(); len(list) != 0 {
		t.Errorf("left: %+v", list)
	}
}

func TestAChangeIsSignalledOnce(t *testing.T) {
	b := NewBoard()
	x := wire.Trouble{Kind: fact.TroubleReports, Text: "a"}
	for _, c := range []struct {
		do   func()
		want bool
	}{
		{func() { b.Set("p", x) }, true},
		{func() { b.Set("p", x) }, false},
		{func() { b.Clear("q", fact.TroubleReports) }, false},
		{func() { b.Clear("p", fact.TroubleReports) }, true},
	} {
		c.do()
		got := false
		select {
		case <-b.Changed():
			got = true
		default:
		}
		if got != c.want {
			t.Errorf("signalled %v, want %v", got, c.want)
		}
	}
}
