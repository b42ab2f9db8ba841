package kiosk

import (
	"fmt"
	"reflect"
	"slices"
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

// Without an alarm, too, a check is begun: from the menu, of a thermometer that works.
func TestWhichThermometersCanBeChecked(t *testing.T) {
	st := linked(true)
	broken := st.Devices[0]
	broken.Name, broken.Lane, broken.State = "west", "west", fact.DeviceFault
	st.Devices[0].Lane, st.Lanes = "east", []string{"east", "west"}
	st.Devices = append(st.Devices, broken)
	got := newScene().status(st).s.Post(at(0)).Checks
	if want := []Meter{{"thermometer", "east"}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestTheStepsOfACheckReachTheGate(t *testing.T) {
	_, _, gate, s := start(t)
	for body, want := range map[string]string{
		`{"device":"thermometer","do":"begin"}`:                  "204 ",
		`{"device":"b","do":"contact","value":"36.6"}`:           "204 ",
		`{"device":"thermometer","do":"contact","value":"36.5"}`: "409 nobody",
		`{"do":"contact","value":"63.8"}`:                        "422 range",
		`{"do":"dance"}`:                                         "400 failed",
		`{"device":"reader","do":"begin"}`:                       "400 failed",
		`{`:                                                      "400 failed",
	} {
		status, answer := ask(t, s.URL+"/check", "", body)
		if got := fmt.Sprint(status, " ", strings.Split(answer, ":")[0]); got != want {
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
