package mavlink

import (
	"math"
	"strings"

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
	// PumpServo is the output (1 to 16) that drives the pump, as in
	// SERVO_OUTPUT_RAW; 0: acknowledged DO_SPRAYER commands count instead.
	PumpServo int
	PumpOnUS  uint16 // pulse in microseconds above which the pump is told to run; default 1200
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

const (
	defaultPumpOn = 1200 // microseconds
	doSprayer     = common.MAV_CMD(ardupilotmega.MAV_CMD_DO_SPRAYER)
)

// decoder turns one vehicle's messages into samples. It is pure.
type decoder struct {
	Vehicle

	sprayer *bool // what the last DO_SPRAYER asked for
}

func newDecoder(v Vehicle) *decoder {
	if v.PumpOnUS == 0 {
		v.PumpOnUS = defaultPumpOn
	}
	if v.Named == nil {
		v.Named = defaultNames
	}
	named := map[string]string{}
	for k, m := range v.Named {
		named[strings.ToUpper(k)] = m
	}
	v.Named = named
	return &decoder{Vehicle: v}
}

// sample returns the values of a message; ok is false when it has none that we
// use. Values that are marked as unknown stay absent.
func (d *decoder) sample(component byte, m message.Message) (s runs.Sample, ok bool) {
	switch m := m.(type) {
	case *ardupilotmega.MessageHeartbeat:
		if component != 1 || m.Autopilot == minimal.MAV_AUTOPILOT_INVALID {
			return s, false // of a camera or gimbal, or of a ground station
		}
		s.Armed = new(m.BaseMode&minimal.MAV_MODE_FLAG_SAFETY_ARMED != 0)
	case *common.MessageGlobalPositionInt:
		s.Lat, s.Lon = new(float64(m.Lat)/1e7), new(float64(m.Lon)/1e7)
		s.Height = new(float64(m.RelativeAlt) / 1000)
		s.Speed = new(math.Hypot(float64(m.Vx), float64(m.Vy)) / 100)
	case *common.MessageSysStatus:
		if m.BatteryRemaining >= 0 {
			s.Battery = new(float64(m.BatteryRemaining))
		}
	case *common.MessageBatteryStatus:
		d.battery(&s, m)
	case *common.MessageNamedValueFloat:
		d.named(&s, m)
	case *common.MessageServoOutputRaw:
		if pulse, known := d.servo(m); known {
			s.Command = new(pulse > d.PumpOnUS)
		}
	case *common.MessageCommandLong:
		// A command that the ground station sends on this link; its answer follows.
		if m.Command == doSprayer && m.TargetSystem == d.System {
			d.sprayer = new(m.Param1 >= 0.5)
		}
	case *common.MessageCommandAck:
		if d.PumpServo == 0 && m.Command == doSprayer && m.Result == common.MAV_RESULT_ACCEPTED {
			s.Command = d.sprayer
		}
	case *common.MessageStatustext:
		if m.Severity <= common.MAV_SEVERITY_CRITICAL {
			s.Fault = strings.ToValidUTF8(strings.TrimSpace(m.Text), "")
		}
	}
	return s, !s.Empty()
}

// battery reads a battery, a flow meter or a level sensor. The current of a
// flow meter is L/h in hundredths and stops at 5.46 L/min; what was consumed
// is exact, in mL.
func (d *decoder) battery(s *runs.Sample, m *common.MessageBatteryStatus) {
	switch {
	case d.FlowBattery != 0 && m.Id == d.FlowBattery:
		if m.CurrentBattery >= 0 {
			s.Flow = new(float64(m.CurrentBattery) / 6000)
		}
		if m.CurrentConsumed >= 0 {
			s.Volume = new(float64(m.CurrentConsumed) / 1000)
		}
		// What remains is computed from what the flow meter counted, and no tank level.
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

// named reads a NAMED_VALUE_FLOAT.
func (d *decoder) named(s *runs.Sample, m *common.MessageNamedValueFloat) {
	if n, ok := fact.NumberNamed(d.Named[strings.ToUpper(m.Name)]); ok {
		*n.Of(&s.Values) = new(float64(m.Value))
	}
}

// servo returns the pulse of the pump's output in microseconds; ok is false when
// it has none.
func (d *decoder) servo(m *common.MessageServoOutputRaw) (pulse uint16, ok bool) {
	all := [...]uint16{
		m.Servo1Raw, m.Servo2Raw, m.Servo3Raw, m.Servo4Raw, m.Servo5Raw, m.Servo6Raw, m.Servo7Raw, m.Servo8Raw,
		m.Servo9Raw, m.Servo10Raw, m.Servo11Raw, m.Servo12Raw, m.Servo13Raw, m.Servo14Raw, m.Servo15Raw, m.Servo16Raw,
	}
	n := d.PumpServo - 1
	if d.PumpServo < 1 || d.PumpServo > len(all) {
		return 0, false
	}
	pulse = all[n]
	return pulse, pulse != 0
}
