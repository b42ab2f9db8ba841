package kiosk

import (
	"testing"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
)

func TestWhatTheCountyDoesIsShownForItsTime(t *testing.T) {
	st := linked(true)
	st.Lanes = []string{"east", "west"}
	st.County = []status.CountyAct{
		{Action: fact.CommandOpen, Operator: "wang", Reason: "救护车", Lane: "west", At: at(0), Until: at(120).Boot},
		{Action: fact.CommandNotice, Operator: "li", Reason: "封闭", Zh: "今晚封闭", At: at(1), Until: at(600).Boot},
	}
	x := newScene().status(st)
	v := x.s.View(at(2))
	if len(v.County) != 2 || v.County[0].Text != "今晚封闭" || v.County[1].By != "wang" ||
		v.County[1].Lane != "west" || v.County[1].Since == nil || v.County[0].Lane != "" {
		t.Errorf("%+v", v.County)
	}
	if v = x.s.View(at(120)); len(v.County) != 1 || v.County[0].Action != "notice" {
		t.Errorf("later %+v", v.County)
	}
}
