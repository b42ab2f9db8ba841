package mavlink

import (
	"math"
	"strings"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/minimal"
	"github.com/bluenviron/gomavlib/v3/pkg/message"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

// Vehicle is one MAVLink system on a link, and where its sprayer's values are:
// MAVLink has no message for them.
type Vehicle struct {
	System  uint8  // MAVLink system id, 1 to 255
	Machine string // our id
	// PumpServo is the output (1 to 32) that drives the pump, as in SERVO_OUTPUT_RAW
	// of ArduPilot; of PX4 1 to 8 are MAIN and 9 to 16 AUX. 0: acknowledged DO_SPRAYER
	// commands count instead.
	PumpServo int
	// PumpOnUS is the pulse in microseconds above which the pump is told to run; 0:
	// just above its idle pulse, which is learnt.
	PumpOnUS uint16
	// FlowBattery and LevelBattery are instances of BATTERY_STATUS that report
	// a flow meter (ArduPilot BATT*_MONITOR 11) and a level sensor (12); 0: none.
	FlowBattery  uint8
	LevelBattery uint8
	// Named maps NAMED_VALUE_FLOAT names to flow_lpm, volume_l or tank_pct;
	// default FLOWRATE, VOLUME and LEVEL.
	Named map[string]string
}

var defaultNames = map[string]string{"FLOWRATE": fact.FieldFlow, "VOLUME": fact.FieldVolume, "LEVEL": fact.FieldTank}

// mayMean are the fields that a named value may be.
var mayMean = []string{fact.FieldFlow, fact.FieldVolume, fact.FieldTank}

// decoder turns one vehicle's messages into samples. It is pure.
type decoder struct {
	Vehicle
	seen

	sprayer sprayer
	output  output
}

func newDecoder(v Vehicle) *decoder {
	if v.Named == nil {
		v.Named = defaultNames
	}
	named := map[string]string{}
	for k, m := range v.Named {
		named[strings.ToUpper(k)] = m
	}
	v.Named = named
	return &decoder{Vehicle: v, output: output{n: v.PumpServo, onUS: v.PumpOnUS}}
}

// used are the ids of the messages that are decoded.
var used = map[uint32]bool{
	(&ardupilotmega.MessageHeartbeat{}).GetID():  true,
	(&common.MessageSysStatus{}).GetID():         true,
	(&common.MessageSystemTime{}).GetID():        true,
	(&common.MessageGlobalPositionInt{}).GetID(): true,
	(&common.MessageServoOutputRaw{}).GetID():    true,
	(&common.MessageMissionItem{}).GetID():       true,
	(&common.MessageMissionItemInt{}).GetID():    true,
	(&common.MessageMissionCurrent{}).GetID():    true,
	(&common.MessageMissionCount{}).GetID():      true,
	(&common.MessageMissionClearAll{}).GetID():   true,
	(&common.MessageCommandInt{}).GetID():        true,
	(&common.MessageCommandLong{}).GetID():       true,
	(&common.MessageCommandAck{}).GetID():        true,
	(&common.MessageBatteryStatus{}).GetID():     true,
	(&common.MessageAutopilotVersion{}).GetID():  true,
	(&common.MessageNamedValueFloat{}).GetID():   true,
	(&common.MessageStatustext{}).GetID():        true,
}

// orders are the ids of those that somebody sends to a vehicle.
var orders = map[uint32]bool{
	(&common.MessageMissionItem{}).GetID():     true,
	(&common.MessageMissionItemInt{}).GetID():  true,
	(&common.MessageMissionCount{}).GetID():    true,
	(&common.MessageMissionClearAll{}).GetID(): true,
	(&common.MessageCommandInt{}).GetID():      true,
	(&common.MessageCommandLong{}).GetID():     true,
}

// sample returns the values of a message of a component; ok is false when it has none
// that we use. Values that are marked as unknown stay absent. Where the vehicle flies,
// what drives its pump and what is wrong with it only the autopilot says; a flow meter
// may hang on another component.
func (d *decoder) sample(now time.Duration, component byte, m message.Message) (s runs.Sample, ok bool) {
	if !d.begun {
		d.begun, d.since = true, now
	}
	if component == pilot {
		d.autopilotSays(&s, now, m)
	}
	switch m := m.(type) {
	case *common.MessageBatteryStatus:
		d.batteries[m.Id] = true
		d.battery(&s, m)
	case *common.MessageNamedValueFloat:
		d.value(&s, m)
	case *common.MessageCommandAck:
		d.sprayer.said(m)
	}
	d.commanded = d.commanded || d.sprayer.on != nil
	// What the vehicle was told holds: it is said again with each of its messages.
	if component == pilot && s.Command == nil && (d.PumpServo == 0 || !d.pulse) {
		s.Command = d.sprayer.on
	}
	return s, !s.Empty()
}

// autopilotSays reads what only the autopilot says.
func (d *decoder) autopilotSays(s *runs.Sample, now time.Duration, m message.Message) {
	switch m := m.(type) {
	case *ardupilotmega.MessageHeartbeat:
		if m.Autopilot == minimal.MAV_AUTOPILOT_INVALID {
			return // of a camera or gimbal, or of a ground station
		}
		d.autopilot = m.Autopilot
		d.output.px4 = m.Autopilot == minimal.MAV_AUTOPILOT_PX4
		s.Armed = new(m.BaseMode&minimal.MAV_MODE_FLAG_SAFETY_ARMED != 0)
		d.output.arm(now, *s.Armed)
		d.seen.arm(now, *s.Armed)
		if !*s.Armed {
			d.sprayer.disarmed()
		}
	case *common.MessageGlobalPositionInt:
		s.Lat, s.Lon = new(float64(m.Lat)/1e7), new(float64(m.Lon)/1e7)
		s.Height = new(float64(m.RelativeAlt) / 1000)
		s.Speed = new(math.Hypot(float64(m.Vx), float64(m.Vy)) / 100)
	case *common.MessageSysStatus:
		if m.BatteryRemaining >= 0 {
			s.Battery = new(float64(m.BatteryRemaining))
		}
	case *common.MessageServoOutputRaw:
		d.outputs = true
		if pulse, known := d.output.pulse(m); known {
			d.pulse = true
			s.Command = d.output.runs(now, pulse)
		}
	case *common.MessageStatustext:
		d.sprayer.said(m)
		if serious(m) {
			s.Fault = clean(m.Text)
		}
	case *common.MessageMissionCurrent, *common.MessageMissionItemInt:
		d.sprayer.said(m)
	}
}

// serious reports whether a text is a fault.
func serious(m *common.MessageStatustext) bool { return m.Severity <= common.MAV_SEVERITY_CRITICAL }

func clean(text string) string { return strings.ToValidUTF8(strings.TrimSpace(text), "") }

// battery reads a battery, a flow meter or a level sensor. The current of a
// flow meter is L/h in hundredths and stops at 5.46 L/min; what was consumed
// is exact, in mL. Its percentage says nothing of the tank: it is that same volume,
// of a capacity that somebody has configured.
func (d *decoder) battery(s *runs.Sample, m *common.MessageBatteryStatus) {
	switch {
	case d.FlowBattery != 0 && m.Id == d.FlowBattery:
		if m.CurrentBattery >= 0 {
			s.Flow = new(float64(m.CurrentBattery) / 6000)
		}
		if m.CurrentConsumed >= 0 {
			s.Volume = new(float64(m.CurrentConsumed) / 1000)
		}
	case d.LevelBattery != 0 && m.Id == d.LevelBattery:
		// A level sensor has no current: with one it is a flow meter, whose remainder
		// is computed from what it counted.
		if m.BatteryRemaining >= 0 && m.CurrentBattery <= 0 {
			s.Tank = new(float64(m.BatteryRemaining))
		}
	case m.Id == 0 && m.BatteryRemaining >= 0:
		s.Battery = new(float64(m.BatteryRemaining))
	}
}

// value reads a NAMED_VALUE_FLOAT.
func (d *decoder) value(s *runs.Sample, m *common.MessageNamedValueFloat) {
	if n, ok := fact.NumberNamed(d.Vehicle.Named[strings.ToUpper(m.Name)]); ok {
		d.named = true
		*n.Of(&s.Values) = new(float64(m.Value))
	}
}
