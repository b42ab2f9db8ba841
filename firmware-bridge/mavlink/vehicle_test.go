package mavlink

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/minimal"
	"github.com/bluenviron/gomavlib/v3/pkg/message"

	"gatehouse/firmware-bridge/runs"
)

func TestWhatAMessageSays(t *testing.T) {
	v := Vehicle{System: 1, Machine: "drone-1", PumpServo: 9, FlowBattery: 2, LevelBattery: 3}
	heartbeat := func(pilot minimal.MAV_AUTOPILOT, mode minimal.MAV_MODE_FLAG) message.Message {
		return &ardupilotmega.MessageHeartbeat{Autopilot: pilot, BaseMode: mode}
	}
	const ardupilot = minimal.MAV_AUTOPILOT_ARDUPILOTMEGA
	battery := func(id uint8, current int16, consumed int32, remaining int8) message.Message {
		return &common.MessageBatteryStatus{
			Id: id, CurrentBattery: current, CurrentConsumed: consumed, BatteryRemaining: remaining,
		}
	}
	text := func(severity common.MAV_SEVERITY, text string) message.Message {
		return &common.MessageStatustext{Severity: severity, Text: text}
	}
	for name, c := range map[string]struct {
		component byte
		m         message.Message
		want      string // fields that are there
	}{
		"armed":          {1, heartbeat(ardupilot, minimal.MAV_MODE_FLAG_SAFETY_ARMED), "armed=true"},
		"disarmed":       {1, heartbeat(ardupilot, 0), "armed=false"},
		"a gimbal":       {154, heartbeat(minimal.MAV_AUTOPILOT_INVALID, 0), ""},
		"position":       {1, position(), "fix=35.9,115.11 height=3.5 speed=5"},
		"battery":        {1, &common.MessageSysStatus{BatteryRemaining: 77}, "battery=77"},
		"no battery":     {1, &common.MessageSysStatus{BatteryRemaining: -1}, ""},
		"flow":           {1, battery(2, 12000, 3250, 40), "flow=2 volume=3.25"},
		"all -1":         {1, battery(2, -1, -1, -1), ""},
		"battery all -1": {1, battery(0, -1, -1, -1), ""},
		"level":          {1, battery(3, -1, -1, 62), "tank=62"},
		"level, 0 A":     {1, battery(3, 0, 6080, 62), "tank=62"},
		"a flow meter where a level sensor should be": {1, battery(3, 12000, 3250, 62), ""},
		"first battery": {1, battery(0, 0, 0, 55), "battery=55"},
		"another one":   {1, battery(1, 0, 0, 55), ""},
		"named flow":    {1, &common.MessageNamedValueFloat{Name: "FLOWRATE", Value: 1.5}, "flow=1.5"},
		"named volume":  {1, &common.MessageNamedValueFloat{Name: "volume", Value: 7}, "volume=7"},
		"named other":   {1, &common.MessageNamedValueFloat{Name: "WIND", Value: 7}, ""},
		"pump on":       {1, &common.MessageServoOutputRaw{Servo9Raw: 1500}, "command=true"},
		"pump off":      {1, &common.MessageServoOutputRaw{Servo9Raw: 1000}, "command=false"},
		"no output":     {1, &common.MessageServoOutputRaw{Servo1Raw: 1500}, ""},
		"a fault":       {1, text(common.MAV_SEVERITY_CRITICAL, "PreArm: pump"), "fault=PreArm: pump"},
		"chatter":       {1, text(common.MAV_SEVERITY_INFO, "EKF ok"), ""},
	} {
		s, ok := newDecoder(v).sample(time.Hour, c.component, c.m)
		if got := fields(s); got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, c.want)
		}
	}
}

func TestACommandCountsWhenTheVehicleHasAccepted(t *testing.T) {
	d := newDecoder(Vehicle{System: 1, Machine: "drone-1"})
	command := func(on float32, to uint8) {
		d.sprayer.told(&common.MessageCommandLong{TargetSystem: to, Command: doSprayer, Param1: on}, 1)
	}
	ack := func(r common.MAV_RESULT) string {
		s, _ := d.sample(time.Hour, 1, &common.MessageCommandAck{Command: doSprayer, Result: r})
		return fields(s)
	}
	if got := ack(common.MAV_RESULT_ACCEPTED); got != "" {
		t.Errorf("an answer to nothing: %s", got)
	}
	command(1, 2)
	if got := ack(common.MAV_RESULT_ACCEPTED); got != "" {
		t.Errorf("a command to another: %s", got)
	}
	command(1, 1)
	if got := ack(common.MAV_RESULT_DENIED); got != "" {
		t.Errorf("denied: %s", got)
	}
	if got := ack(common.MAV_RESULT_ACCEPTED); got != "command=true" {
		t.Error(got)
	}
	command(0, 1)
	if got := ack(common.MAV_RESULT_ACCEPTED); got != "command=false" {
		t.Error(got)
	}
}

// What remains in the tank by the flow meter is computed from its own count: it is
// no second witness.
func TestTheRemainderOfAFlowMeterIsNoTankLevel(t *testing.T) {
	d := newDecoder(Vehicle{System: 1, Machine: "drone-1", FlowBattery: 2})
	s, _ := d.sample(time.Hour, 1, &common.MessageBatteryStatus{
		Id: 2, CurrentBattery: 12000, CurrentConsumed: 3250, BatteryRemaining: 80})
	if got := fields(s); got != "flow=2 volume=3.25" {
		t.Error(got)
	}
}

func fields(s runs.Sample) string {
	var out []string
	add := func(name string, p *float64) {
		if p != nil {
			out = append(out, fmt.Sprintf("%s=%g", name, *p))
		}
	}
	if s.Lat != nil {
		out = append(out, fmt.Sprintf("fix=%g,%g", *s.Lat, *s.Lon))
	}
	add("height", s.Height)
	add("speed", s.Speed)
	for name, p := range map[string]*bool{"armed": s.Armed, "command": s.Command} {
		if p != nil {
			out = append(out, fmt.Sprintf("%s=%t", name, *p))
		}
	}
	add("flow", s.Flow)
	add("volume", s.Volume)
	add("tank", s.Tank)
	add("battery", s.Battery)
	if s.Fault != "" {
		out = append(out, "fault="+s.Fault)
	}
	return strings.Join(out, " ")
}
