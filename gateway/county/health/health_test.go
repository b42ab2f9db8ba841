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
	list := b.Troubles(began)
	if len(list) != 2 || !list[0].Problem || list[0].Kind != fact.TroubleNoBroker ||
		!list[0].Since.Equal(began) || !strings.Contains(list[0].Text, "EOF") {
		t.Fatalf("%+v", list)
	}
	b.Up("collector", began)
	if list = b.Troubles(began); !list[0].Since.Equal(began.Add(time.Minute)) {
		t.Errorf("the reports' connection: %+v", list)
	}
	b.Up("reports", began)
	b.Clear("desk", fact.TroubleDeskBehind)
	if list = b.Troubles(began); len(list) != 0 {
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

// A connection that ends soon after it is made, such as one that another client
// with the same name throws off the broker, does not end the trouble.
func TestAConnectionMustLast(t *testing.T) {
	b, began := NewBoard(), time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	now := began
	b.Down("reports", now, errors.New("refused"))
	b.Up("reports", now)
	if list := b.Troubles(now); len(list) != 0 {
		t.Errorf("after one outage: %+v", list)
	}
	for i := range 3 {
		now = now.Add(2 * time.Second)
		b.Down("reports", now, errors.New("EOF"))
		if list := b.Troubles(now); i == 0 && (len(list) != 1 || strings.Contains(list[0].Text, "again and again")) {
			t.Errorf("it has ended once: %+v", list)
		}
		b.Up("reports", now.Add(time.Second))
		list := b.Troubles(now.Add(time.Second))
		if i == 0 {
			if len(list) != 0 {
				t.Errorf("after it has ended once: %+v", list)
			}
			continue
		}
		if len(list) != 1 || !list[0].Since.Equal(began) || !strings.Contains(list[0].Text, "again and again") {
			t.Errorf("while it ends again and again: %+v", list)
		}
	}
	now = now.Add(time.Second + lasts)
	if list := b.Troubles(now); len(list) != 0 {
		t.Errorf("while it lasts: %+v", list)
	}
	b.Down("reports", now, errors.New("refused"))
	if list := b.Troubles(now); len(list) != 1 || !list[0].Since.Equal(now) ||
		strings.Contains(list[0].Text, "again and again") {
		t.Errorf("the next outage: %+v", list)
	}
}

func TestAStepThatDoesNotEndIsTold(t *testing.T) {
	b, began := NewBoard(), time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	end := b.Begin("collector", began)
	endOther := b.Begin("collector", began.Add(time.Second))
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{stuckAfter - time.Second, 0}, {stuckAfter, 1}, {time.Hour, 1}} {
		list := b.Troubles(began.Add(c.after))
		if len(list) != c.want {
			t.Errorf("after %s: %+v", c.after, list)
		}
		if len(list) > 0 && (list[0].Kind != fact.TroubleStuck || !list[0].Problem || !list[0].Since.Equal(began)) {
			t.Errorf("after %s: %+v", c.after, list)
		}
	}
	end()
	endOther()
	if list := b.Troubles(began.Add(time.Hour)); len(list) != 0 {
		t.Errorf("it has ended: %+v", list)
	}
}
