package bridge

import (
	"errors"
	"fmt"
	"slices"

	"gatehouse/firmware-bridge/mavlink"
	"gatehouse/firmware-bridge/nmea"
	"gatehouse/gateway/machine"
)

// Config is the bridge's part of an agent's configuration.
type Config struct {
	Machines []machine.Config `yaml:"machines,omitempty"` // drones and fogging machines
	MAVLink  []MAVLink        `yaml:"mavlink,omitempty"`  // links to drones
	Modbus   []Modbus         `yaml:"modbus,omitempty"`   // buses of fogging machines
	NMEA     []NMEA           `yaml:"nmea,omitempty"`     // receivers of positions
}

// MAVLink is one link to drones.
type MAVLink struct {
	UDP    string `yaml:"udp,omitempty"`    // 127.0.0.1:14550; or
	Serial string `yaml:"serial,omitempty"` // a radio's serial device
	Baud   int    `yaml:"baud,omitempty"`   // default 57600
	// KeyFile holds the signing key: 64 hex digits or a passphrase. Where it is
	// given, unsigned frames are refused.
	KeyFile  string    `yaml:"key_file,omitempty"`
	Vehicles []Vehicle `yaml:"vehicles"`
}

// Vehicle is one drone on a link.
type Vehicle struct {
	System       uint8             `yaml:"system"`                  // its MAVLink id
	Machine      string            `yaml:"machine"`                 // one of machines
	PumpServo    int               `yaml:"pump_servo,omitempty"`    // 1 to 32, of the pump; absent: DO_SPRAYER says
	PumpOnUS     uint16            `yaml:"pump_on_us,omitempty"`    // pulse above which the pump runs; absent: learnt
	FlowBattery  uint8             `yaml:"flow_battery,omitempty"`  // BATTERY_STATUS id of the flow meter
	LevelBattery uint8             `yaml:"level_battery,omitempty"` // that of the level sensor
	Named        map[string]string `yaml:"named,omitempty"`         // NAMED_VALUE_FLOAT: flow_lpm, volume_l, tank_pct
}

// NMEA is one receiver of positions.
type NMEA struct {
	Serial  string `yaml:"serial"`
	Baud    int    `yaml:"baud,omitempty"` // default 9600
	Machine string `yaml:"machine"`        // one of machines
}

// Paths returns all paths in the configuration.
func (c Config) Paths() (paths []*string) {
	for i := range c.MAVLink {
		paths = append(paths, &c.MAVLink[i].KeyFile)
	}
	for i := range c.Modbus {
		for j := range c.Modbus[i].Units {
			if u := &c.Modbus[i].Units[j]; isFile(u.Map) {
				paths = append(paths, &u.Map)
			}
		}
	}
	return paths
}

// Serial returns the names of the serial ports in the configuration.
func (c Config) Serial() (ports []string) {
	for _, m := range c.MAVLink {
		ports = append(ports, m.Serial)
	}
	for _, m := range c.Modbus {
		ports = append(ports, m.Serial)
	}
	for _, n := range c.NMEA {
		ports = append(ports, n.Serial)
	}
	return slices.DeleteFunc(ports, func(p string) bool { return p == "" })
}

// Check returns what is wrong with the configuration, each fault with its key.
func (c Config) Check() error {
	k := checker{listed: map[string]bool{}, named: map[string]bool{}}
	for i, m := range c.Machines {
		key := fmt.Sprintf("machines[%d] %s", i, m.Machine)
		k.add(key, m.Check())
		if k.listed[m.Machine] {
			k.add(key, errors.New("the machine is listed twice"))
		}
		k.listed[m.Machine] = true
	}
	for i, m := range c.MAVLink {
		key := fmt.Sprintf("mavlink[%d]", i)
		k.add(key, m.link().Check())
		for _, v := range m.Vehicles {
			k.names(key, v.Machine)
		}
	}
	c.checkModbus(&k)
	for i, n := range c.NMEA {
		key := fmt.Sprintf("nmea[%d]", i)
		k.add(key, nmea.Config{Serial: n.Serial, Machine: n.Machine}.Check())
		k.names(key, n.Machine)
	}
	for _, m := range c.Machines {
		if !k.named[m.Machine] {
			k.add("machines "+m.Machine, errors.New("no mavlink, modbus or nmea source names it"))
		}
	}
	return errors.Join(k.errs...)
}

// checker collects the faults of a configuration.
type checker struct {
	errs   []error
	listed map[string]bool // machines under machines
	named  map[string]bool // machines that a source names
}

func (k *checker) add(key string, err error) {
	if err != nil {
		k.errs = append(k.errs, fmt.Errorf("%s: %w", key, err))
	}
}

// names notes that the source under key names a machine.
func (k *checker) names(key, machine string) {
	if !k.listed[machine] {
		k.add(key, fmt.Errorf("machine %q is not listed under machines", machine))
	}
	k.named[machine] = true
}

func (m MAVLink) link() mavlink.Config {
	out := mavlink.Config{UDP: m.UDP, Serial: m.Serial, Baud: m.Baud}
	for _, v := range m.Vehicles {
		out.Vehicles = append(out.Vehicles, v.vehicle())
	}
	return out
}

func (v Vehicle) vehicle() mavlink.Vehicle {
	return mavlink.Vehicle{System: v.System, Machine: v.Machine, PumpServo: v.PumpServo, PumpOnUS: v.PumpOnUS,
		FlowBattery: v.FlowBattery, LevelBattery: v.LevelBattery, Named: v.Named}
}

// vehicles returns all drones of the configuration.
func (c Config) vehicles() (out []mavlink.Vehicle) {
	for _, m := range c.MAVLink {
		for _, v := range m.Vehicles {
			out = append(out, v.vehicle())
		}
	}
	return out
}
