package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/devices"
	"gatehouse/firmware-bridge/mavlink"
	"gatehouse/firmware-bridge/modbus"
	"gatehouse/firmware-bridge/nmea"
	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/config"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// MAVLink is one link to drones.
type MAVLink struct {
	UDP      string    `yaml:"udp,omitempty"`      // 127.0.0.1:14550; or
	Serial   string    `yaml:"serial,omitempty"`   // a radio's serial device
	Baud     int       `yaml:"baud,omitempty"`     // default 57600
	KeyFile  string    `yaml:"key_file,omitempty"` // signing key: 64 hex digits or a passphrase; unsigned frames are refused then
	Vehicles []Vehicle `yaml:"vehicles"`
}

// Vehicle is one drone on a link.
type Vehicle struct {
	System       uint8             `yaml:"system"`                  // its MAVLink id
	Machine      string            `yaml:"machine"`                 // one of machines
	PumpServo    int               `yaml:"pump_servo,omitempty"`    // output that drives the pump; absent: DO_SPRAYER tells
	PumpOnUS     uint16            `yaml:"pump_on_us,omitempty"`    // pulse above which the pump runs; default 1200
	FlowBattery  uint8             `yaml:"flow_battery,omitempty"`  // BATTERY_STATUS instance that is the flow meter
	LevelBattery uint8             `yaml:"level_battery,omitempty"` // the one that is the level sensor
	Named        map[string]string `yaml:"named,omitempty"`         // NAMED_VALUE_FLOAT name: flow_lpm, volume_l or tank_pct
}

// Modbus is one bus, or one device on the network.
type Modbus struct {
	Serial string        `yaml:"serial,omitempty"` // RS-485 adapter that turns its direction by itself; or
	Baud   int           `yaml:"baud,omitempty"`   // default 9600
	TCP    string        `yaml:"tcp,omitempty"`    // host:port
	Every  time.Duration `yaml:"every,omitempty"`  // between polls of a unit; default 1s
	Units  []ModbusUnit  `yaml:"units"`
}

// ModbusUnit is one unit on a bus.
type ModbusUnit struct {
	Unit    uint8  `yaml:"unit"`
	Machine string `yaml:"machine"` // one of machines
	Map     string `yaml:"map"`     // a shipped map's name, or a YAML file
}

// NMEA is one receiver of positions.
type NMEA struct {
	Serial  string `yaml:"serial"`
	Baud    int    `yaml:"baud,omitempty"` // default 9600
	Machine string `yaml:"machine"`        // one of machines
}

// word is what a source says of a machine.
type word struct {
	machine string
	s       runs.Sample
	err     error
}

// source is one link, bus or receiver.
type source struct {
	name string // for the log
	run  func(ctx context.Context, out func(string, runs.Sample, error)) error
}

// checkMachines tells what is wrong with the bridge's part of the configuration.
func (c Config) checkMachines() error {
	var errs []error
	add := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	known := map[string]bool{}
	for i, m := range c.Machines {
		key := fmt.Sprintf("machines[%d] %s", i, m.Machine)
		add(key, m.Check())
		if known[m.Machine] {
			add(key, errors.New("the machine is listed twice"))
		}
		known[m.Machine] = true
	}
	spoken := map[string]bool{}
	of := func(key, machine string) {
		if !known[machine] {
			add(key, fmt.Errorf("machine %q is not listed under machines", machine))
		}
		spoken[machine] = true
	}
	for i, m := range c.MAVLink {
		key := fmt.Sprintf("mavlink[%d]", i)
		add(key, m.link().Check())
		for _, v := range m.Vehicles {
			of(key, v.Machine)
		}
	}
	for i, m := range c.Modbus {
		for _, u := range m.Units {
			of(fmt.Sprintf("modbus[%d] unit %d", i, u.Unit), u.Machine)
		}
	}
	for i, n := range c.NMEA {
		add(fmt.Sprintf("nmea[%d]", i), nmea.Config{Serial: n.Serial, Machine: n.Machine}.Check())
		of(fmt.Sprintf("nmea[%d]", i), n.Machine)
	}
	for _, m := range c.Machines {
		if !spoken[m.Machine] {
			add("machines "+m.Machine, errors.New("no mavlink, modbus or nmea source speaks of it"))
		}
	}
	return errors.Join(errs...)
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

// Vehicles are all drones of the configuration, for recordings.
func (c Config) Vehicles() (out []mavlink.Vehicle) {
	for _, m := range c.MAVLink {
		for _, v := range m.Vehicles {
			out = append(out, v.vehicle())
		}
	}
	return out
}

// makeMachines makes the sources and the watches of the machines.
func (a *Agent) makeMachines() error {
	languages := map[string][]string{}
	speaks := func(machine, language string) {
		if l := languages[machine]; len(l) == 0 || l[len(l)-1] != language {
			languages[machine] = append(l, language)
		}
	}
	for _, m := range a.cfg.MAVLink {
		link, err := a.mavlink(m)
		if err != nil {
			return err
		}
		a.sources = append(a.sources, source{"mavlink " + m.UDP + m.Serial, link.Run})
		for _, v := range m.Vehicles {
			speaks(v.Machine, wire.SourceMAVLink)
		}
	}
	for _, m := range a.cfg.Modbus {
		bus, err := newBus(m, a.opts.Ports)
		if err != nil {
			return err
		}
		a.sources = append(a.sources, source{"modbus " + m.Serial + m.TCP, bus.Run})
		for _, u := range m.Units {
			speaks(u.Machine, wire.SourceModbus)
		}
	}
	for _, n := range a.cfg.NMEA {
		a.sources = append(a.sources, source{"nmea " + n.Serial, func(ctx context.Context, out func(string, runs.Sample, error)) error {
			return nmea.Run(ctx, nmea.Config{Serial: n.Serial, Baud: n.Baud, Machine: n.Machine}, a.opts.Ports, out)
		}})
		speaks(n.Machine, wire.SourceNMEA)
	}
	for _, m := range a.cfg.Machines {
		w := &bridged{Watch: machine.NewWatch(m, machine.Source(languages[m.Machine]...), a.opts.BootID)}
		a.machines = append(a.machines, w)
		a.byMachine[m.Machine] = w
	}
	return nil
}

func (a *Agent) mavlink(m MAVLink) (*mavlink.Link, error) {
	cfg := m.link()
	if m.KeyFile != "" {
		text, err := os.ReadFile(m.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("mavlink: read the signing key: %w", err)
		}
		cfg.Key = mavlink.ParseKey(string(text))
	}
	return mavlink.New(cfg, a.opts.Ports)
}

func newBus(m Modbus, ports devices.Ports) (*modbus.Bus, error) {
	cfg := modbus.Config{Serial: m.Serial, Baud: m.Baud, TCP: m.TCP, Every: m.Every}
	for _, u := range m.Units {
		registers, err := registerMap(u.Map)
		if err != nil {
			return nil, fmt.Errorf("modbus unit %d: %w", u.Unit, err)
		}
		cfg.Units = append(cfg.Units, modbus.Unit{Machine: u.Machine, Unit: u.Unit, Map: &registers})
	}
	return modbus.New(cfg, ports)
}

// registerMap reads a map that comes with the program, or a file.
func registerMap(name string) (modbus.Map, error) {
	if IsFile(name) {
		return config.Load[modbus.Map](name)
	}
	text, err := modbus.Shipped(name)
	if err != nil {
		return modbus.Map{}, err
	}
	return config.Parse[modbus.Map](text)
}

// IsFile tells whether a register map is named by a path.
func IsFile(registers string) bool {
	return strings.HasSuffix(registers, ".yaml") || filepath.Base(registers) != registers
}
