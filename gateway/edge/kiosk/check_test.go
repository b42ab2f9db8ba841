package kiosk

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/wire"
)

// checking returns the state of a gate whose thermometer is being checked.
func checking(c status.Check) status.Snapshot {
	c.Device = "thermometer"
	return status.Snapshot{Gate: status.Gate{Checks: []status.Check{c}, Devices: []status.Device{
		{Name: "thermometer", Kind: devices.KindThermometer, State: fact.DeviceOK}}}}
}

func TestAFieldCheckFillsTheScreen(t *testing.T) {
	now := clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC), Boot: time.Hour}
	value := fact.Temp(3640)
	open := wire.FieldCheck{State: fact.CheckOpen, Pairs: make([]wire.CheckPair, 2)}
	done := wire.FieldCheck{State: fact.CheckDone, Result: &wire.CheckResult{Passed: true}}
	s := NewScreen()
	for name, c := range map[string]struct {
		check status.Check
		want  []string
	}{
		"nobody": {status.Check{FieldCheck: open}, []string{ActionCheckEnd}},
		"somebody": {status.Check{FieldCheck: open, Screening: &value},
			[]string{ActionCheckContact, ActionCheckAgain, ActionCheckEnd}},
		"done": {status.Check{FieldCheck: done}, []string{ActionCheckClose}},
	} {
		s.Status(now, checking(c.check))
		v := s.View(now)
		if v.Look != LookCheck || v.Check == nil || v.Check.Pairs != len(c.check.Pairs) || v.Check.Needed != 10 ||
			v.Device != "thermometer" || !reflect.DeepEqual(v.Actions, c.want) {
			t.Errorf("%s: %+v", name, v)
		}
	}
	// A verdict about somebody who comes by is shown meanwhile, and a fever before all.
	s.Passage(now, now, 7, wire.Passage{Verdict: fact.VerdictRetest, Reasons: []fact.Reason{fact.ReasonUnderCheck}})
	if v := s.View(now); v.Look != LookRetest || v.Check != nil || len(v.Strips) != 0 {
		t.Errorf("somebody comes by: %+v", v)
	}
	if v := s.View(now.Add(7 * time.Second)); v.Look != LookCheck {
		t.Errorf("afterwards: %s", v.Look)
	}
}

func TestAnOverdueCheckIsShownAndBegunFromThere(t *testing.T) {
	now := clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC), Boot: time.Hour}
	s := NewScreen()
	st := checking(status.Check{})
	st.Checks = nil
	st.Holds = []status.Condition{{Type: fact.AlarmCheckDue, Device: "thermometer", Detail: "overdue"}}
	s.Status(now, st)
	v := s.View(now)
	want := []string{ActionCheck, ActionNoted}
	if v.Look != LookFault || v.Kind != "check-due" || !reflect.DeepEqual(v.Actions, want) {
		t.Fatalf("%+v", v)
	}
	if audit, ok := s.Press(now, v.ID, ActionCheck); !ok || audit.Alarm != "check-due:thermometer" {
		t.Errorf("%+v, %v", audit, ok)
	}
	st.Holds = nil
	s.Status(now, st)
	if v := s.View(now); v.Look != LookIdle {
		t.Errorf("it is checked: %s", v.Look)
	}
}

func TestTheStepsOfACheckReachTheGate(t *testing.T) {
	k, _, gate, _ := start(t)
	k.status(checking(status.Check{}))
	for body, want := range map[string]string{
		`{"do":"begin"}`: "204 ",
		`{"device":"b","do":"contact","value":"36.6"}`: "204 ",
		`{"do":"contact","value":"36.5"}`:              "409 nobody",
		`{"do":"contact","value":"63.8"}`:              "422 range",
		`{"do":"dance"}`:                               "400 failed",
		`{"device":"reader","do":"begin"}`:             "400 failed",
		`{`:                                            "400 failed",
	} {
		w := httptest.NewRecorder()
		k.checkStep(w, httptest.NewRequest(http.MethodPost, "/check", strings.NewReader(body)), gate)
		if got := w.Result().Status[:4] + strings.Split(w.Body.String(), ":")[0]; got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	taken := map[honesty.CheckStep]bool{}
	for _, s := range gate.steps {
		taken[s] = true
	}
	if !taken[honesty.CheckStep{Device: "thermometer", Do: honesty.CheckBegin}] ||
		!taken[honesty.CheckStep{Device: "b", Do: honesty.CheckContact, Value: 3660}] || len(gate.steps) != 3 {
		t.Errorf("%+v", gate.steps)
	}
}
