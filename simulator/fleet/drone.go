package fleet

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialect"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/minimal"
	"github.com/bluenviron/gomavlib/v3/pkg/frame"
	"github.com/bluenviron/gomavlib/v3/pkg/message"
	"github.com/bluenviron/gomavlib/v3/pkg/streamwriter"
)

// The channels of the drones' sprayers.
const (
	pumpServo    = 9
	flowBattery  = 2
	levelBattery = 3
	spraying     = 1700 // servo output, µs
	notSpraying  = 1000
)

// drone sends MAVLink messages as ArduPilot does.
type drone struct {
	*model
	system byte
	named  bool // flow and tank as NAMED_VALUE_FLOAT, otherwise as batteries
	out    *streamwriter.Writer
}

func newDrone(m *model, system byte, to io.Writer, named bool) (*drone, error) {
	rw := &dialect.ReadWriter{Dialect: ardupilotmega.Dialect}
	if err := rw.Initialize(); err != nil {
		return nil, fmt.Errorf("%s: %w", m.ID, err)
	}
	frames := &frame.Writer{ByteWriter: to, DialectRW: rw}
	if err := frames.Initialize(); err != nil {
		return nil, fmt.Errorf("%s: %w", m.ID, err)
	}
	d := &drone{model: m, system: system, named: named,
		out: &streamwriter.Writer{FrameWriter: frames, Version: streamwriter.V2, SystemID: system, ComponentID: 1}}
	if err := d.out.Initialize(); err != nil {
		return nil, fmt.Errorf("%s: %w", m.ID, err)
	}
	return d, nil
}

// droneHz is how often a drone sends its position; it sends the state of its
// batteries once a second.
const droneHz = 4

func (d *drone) run(ctx context.Context) {
	t := time.NewTicker(time.Second / droneHz)
	defer t.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if s := d.read(); !s.silent {
			for _, m := range d.messages(s, n) {
				_ = d.out.Write(m) // fails while nobody listens
			}
		}
	}
}

func (d *drone) messages(s instruments, n int) []message.Message {
	var mode minimal.MAV_MODE_FLAG
	if s.armed {
		mode = minimal.MAV_MODE_FLAG_SAFETY_ARMED
	}
	servo := uint16(notSpraying)
	if s.command {
		servo = spraying
	}
	out := []message.Message{
		&common.MessageGlobalPositionInt{
			Lat:         int32(s.lat * 1e7),
			Lon:         int32(s.lon * 1e7),
			RelativeAlt: int32(s.height * 1000),
			Vx:          int16(s.speed * 100),
		},
		&common.MessageServoOutputRaw{Servo9Raw: servo},
	}
	if !d.NoFlowSensor {
		out = append(out, d.flowMeter(s)...)
	}
	if n%droneHz != 0 {
		return out
	}
	return append(out, &ardupilotmega.MessageHeartbeat{
		Type:      minimal.MAV_TYPE_HEXAROTOR,
		Autopilot: minimal.MAV_AUTOPILOT_ARDUPILOTMEGA,
		BaseMode:  mode,
	},
		&common.MessageSysStatus{BatteryRemaining: int8(s.battery)})
}

func (d *drone) flowMeter(s instruments) []message.Message {
	if d.named {
		return []message.Message{&common.MessageNamedValueFloat{Name: "FLOWRATE", Value: float32(s.flow)},
			&common.MessageNamedValueFloat{
				Name:  "VOLUME",
				Value: float32(s.volume),
			}, &common.MessageNamedValueFloat{Name: "LEVEL", Value: float32(math.Floor(s.tank))}}
	}
	current := min(s.flow*6000, math.MaxInt16) // the field's limit is 5.46 L/min
	return []message.Message{
		&common.MessageBatteryStatus{
			Id:               flowBattery,
			CurrentBattery:   int16(current),
			CurrentConsumed:  int32(s.volume * 1000),
			BatteryRemaining: -1,
		},
		&common.MessageBatteryStatus{
			Id:               levelBattery,
			CurrentBattery:   -1,
			CurrentConsumed:  -1,
			BatteryRemaining: int8(s.tank),
		},
	}
}
