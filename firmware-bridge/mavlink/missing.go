package mavlink

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/minimal"
)

// settled is how long a vehicle speaks before what it never sent counts as missing.
const settled = 10 * time.Second

// unshown is how long a vehicle is armed before it counts that nothing has shown when
// it sprays.
const unshown = time.Minute

// seen is what a vehicle has sent.
type seen struct {
	v2        bool // a frame of MAVLink 2
	since     time.Duration
	begun     bool                  // since is set
	autopilot minimal.MAV_AUTOPILOT // of its heartbeat
	outputs   bool                  // SERVO_OUTPUT_RAW
	pulse     bool                  // of the pump's output
	batteries [256]bool
	named     bool
	commanded bool // told to spray or not, acknowledged
	armed     bool
	armedAt   time.Duration // when it was first seen armed since it was not
}

// arm notes whether the vehicle is armed.
func (s *seen) arm(now time.Duration, armed bool) {
	if armed && !s.armed {
		s.armedAt = now
	}
	s.armed = armed
}

// missing returns what a configured vehicle does not send, and what to try.
func (c *craft) missing(now time.Duration) (all []string) {
	if c.streams.other != nil && now-c.streams.other.last < quietFor && now-c.heard < quietFor {
		all = append(all, c.conflict())
	}
	if !c.begun || now-c.since < settled || now-c.heard > linkLost {
		return all
	}
	if c.PumpServo > 0 && !c.pulse && !c.commanded {
		all = append(all, c.noPulse())
	}
	if c.PumpServo == 0 && c.FlowBattery == 0 && !c.shown() {
		all = append(all, c.noWork(now)...)
	}
	for name, id := range map[string]uint8{"flow_battery": c.FlowBattery, "level_battery": c.LevelBattery} {
		if id != 0 && !c.batteries[id] {
			all = append(all, fmt.Sprintf("%s sends no BATTERY_STATUS of id %d, which %s names: see its BATT%d_MONITOR",
				c.Machine, id, name, int(id)+1))
		}
	}
	return all
}

// shown reports whether something has shown when the vehicle sprays, or will: it was
// told to, its mission tells it, or it sends a value that a name stands for.
func (c *craft) shown() bool { return c.commanded || c.named || len(c.sprayer.mission) > 0 }

// noWork says of a vehicle of which nothing has shown when it sprays what may. It may
// have had nothing to spray yet.
func (c *craft) noWork(now time.Duration) []string {
	switch {
	case c.autopilot == minimal.MAV_AUTOPILOT_PX4:
		return []string{c.Machine + " is a PX4, which has no DO_SPRAYER command: set pump_servo to the pump's output" +
			" (AUX 1 is 9), or send NAMED_VALUE_FLOAT FLOWRATE"}
	case c.armed && now-c.armedAt >= unshown:
		return []string{"nothing shows yet when " + c.Machine + " sprays: no DO_SPRAYER has passed on this link." +
			" If it sprays without that, set pump_servo to the pump's output (SERVOn_FUNCTION 22), or flow_battery" +
			" to its flow meter, or send NAMED_VALUE_FLOAT FLOWRATE"}
	}
	return nil
}

func (c *craft) noPulse() string {
	switch {
	case c.outputs && !c.v2 && (c.PumpServo-1)%perBank >= 8:
		return fmt.Sprintf("%s speaks MAVLink 1: its output %d is not in there; set SERIALn_PROTOCOL 2"+
			" (PX4: MAV_PROTO_VER 2)", c.Machine, c.PumpServo)
	case !c.outputs:
		return fmt.Sprintf("%s sends no SERVO_OUTPUT_RAW, so its output %d is not known: set SRn_RC_CHAN 2"+
			" (PX4: mavlink stream -s SERVO_OUTPUT_RAW_1 -r 2)", c.Machine, c.PumpServo)
	}
	return fmt.Sprintf("output %d of %s gives no pulse: set pump_servo to the output of its pump"+
		" (SERVOn_FUNCTION 22)", c.PumpServo, c.Machine)
}

// conflict says that two vehicles have one id.
func (c *craft) conflict() string {
	const try = "give each its own SYSID_THISMAV (PX4: MAV_SYS_ID); only the first is read"
	a, b := c.streams.active.from, c.streams.other.from
	if a == b {
		return fmt.Sprintf("two vehicles speak as system %d on this link: %s", c.System, try)
	}
	return fmt.Sprintf("two vehicles speak as system %d, from %s and %s: %s", c.System, a, b, try)
}

// refusing reports whether frames of a vehicle are refused, which is said already.
func (r *receiver) refusing(now time.Duration) bool {
	for _, c := range r.crafts {
		for _, t := range c.refused {
			if t.spoke && now-t.said < 2*again {
				return true
			}
		}
	}
	return false
}

// try returns what may be wrong with a link of which nothing is understood.
func (l *Link) try() string {
	var configured []uint8
	for _, v := range l.cfg.Vehicles {
		configured = append(configured, v.System)
	}
	switch {
	case len(l.strange) > 0:
		return fmt.Sprintf("frames of MAVLink systems %v come, and %v are configured: set system to the vehicle's id",
			slices.Sorted(maps.Keys(l.strange)), configured)
	case l.cfg.Serial != "":
		return fmt.Sprintf("no MAVLink frame at %d baud: set baud to that of the radio, such as 57600, 115200 or"+
			" 921600, and SERIALn_PROTOCOL to 2", l.cfg.Baud)
	}
	return "what comes is no MAVLink: look at what sends to " + l.cfg.UDP
}
