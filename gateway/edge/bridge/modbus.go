package bridge

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/devices"
	"gatehouse/firmware-bridge/modbus"
	"gatehouse/gateway/config"
	"gatehouse/gateway/machine"
)

// Modbus is one bus, or one device on the network.
type Modbus struct {
	Serial   string        `yaml:"serial,omitempty"`    // RS-485 adapter that switches its direction by itself; or
	Baud     int           `yaml:"baud,omitempty"`      // default 9600
	Parity   string        `yaml:"parity,omitempty"`    // none (default), even, odd
	StopBits int           `yaml:"stop_bits,omitempty"` // 1 (default) or 2
	TCP      string        `yaml:"tcp,omitempty"`       // host:port
	Framing  string        `yaml:"framing,omitempty"`   // on tcp: tcp (default), or rtu for RTU over TCP
	Timeout  time.Duration `yaml:"timeout,omitempty"`   // for an answer; default 1s
	Every    time.Duration `yaml:"every,omitempty"`     // between polls of a unit; default 1s
	Units    []ModbusUnit  `yaml:"units"`
}

// ModbusUnit is one unit on a bus.
type ModbusUnit struct {
	Unit    uint8  `yaml:"unit"`    // 1 to 247; 0 to 255 on tcp
	Machine string `yaml:"machine"` // one of machines
	Map     string `yaml:"map"`     // the name of a map that comes with the program, or a YAML file
}

// isFile reports whether a register map is named by a path.
func isFile(registers string) bool {
	return strings.HasSuffix(registers, ".yaml") || filepath.Base(registers) != registers
}

// defaultIdle is that of machine.Config.Idle, and defaultEvery that of Modbus.Every.
const (
	defaultIdle  = 15 * time.Second
	defaultEvery = time.Second
)

// checkModbus checks what the buses share: machines, lines, units.
func (c Config) checkModbus(k *checker) {
	lines, units := map[string]int{}, map[string]int{}
	for i, m := range c.Modbus {
		key := fmt.Sprintf("modbus[%d]", i)
		if first, twice := lines[m.Serial]; twice && m.Serial != "" {
			k.add(key, fmt.Errorf("serial %s is that of modbus[%d]: list its units there", m.Serial, first))
		}
		lines[m.Serial] = i
		for _, u := range m.Units {
			k.names(fmt.Sprintf("%s unit %d", key, u.Unit), u.Machine)
			unit := fmt.Sprintf("unit %d of tcp %s", u.Unit, m.TCP)
			if first, twice := units[unit]; twice && m.TCP != "" && first != i {
				k.add(key, fmt.Errorf("%s is listed in modbus[%d], too", unit, first))
			}
			units[unit] = i
			k.add(key, c.checkEvery(u.Machine, cmp.Or(m.Every, defaultEvery)))
		}
	}
	for i, n := range c.NMEA {
		if first, twice := lines[n.Serial]; twice && n.Serial != "" {
			k.add(fmt.Sprintf("nmea[%d]", i), fmt.Errorf("serial %s is that of modbus[%d]", n.Serial, first))
		}
	}
}

// checkEvery returns an error when a machine is read so seldom that each reading
// would be a sortie or a run of its own.
func (c Config) checkEvery(id string, every time.Duration) error {
	for _, m := range c.Machines {
		if m.Machine != id {
			continue
		}
		if idle := cmp.Or(m.Idle, defaultIdle); every >= idle {
			return fmt.Errorf("every %s is not shorter than idle %s of %s: each reading would be a sortie of its own",
				every, idle, id)
		}
		if m.Pause != 0 && every >= m.Pause {
			return fmt.Errorf("every %s is not shorter than pause %s of %s: each reading would be a run of its own",
				every, m.Pause, id)
		}
	}
	return nil
}

// newBus makes a bus, and reads the maps of its units.
func newBus(m Modbus, ports devices.Ports) (*modbus.Bus, error) {
	cfg := modbus.Config{Serial: m.Serial, Baud: m.Baud, Parity: m.Parity, StopBits: m.StopBits,
		TCP: m.TCP, Framing: m.Framing, Timeout: m.Timeout, Every: m.Every}
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
	if isFile(name) {
		return config.Load[modbus.Map](name)
	}
	text, err := modbus.Shipped(name)
	if err != nil {
		return modbus.Map{}, err
	}
	return config.Parse[modbus.Map](text)
}

// withCounters returns the machines of a configuration with what the register maps
// know of their counters. What the configuration says itself goes before.
func withCounters(c Config) ([]machine.Config, error) {
	out := slices.Clone(c.Machines)
	for _, bus := range c.Modbus {
		for _, u := range bus.Units {
			registers, err := registerMap(u.Map)
			if err != nil {
				return nil, fmt.Errorf("modbus unit %d: %w", u.Unit, err)
			}
			for i := range out {
				if m := &out[i]; m.Machine == u.Machine {
					m.RolloverL = cmp.Or(m.RolloverL, registers.Rollover())
					m.ResolutionL = cmp.Or(m.ResolutionL, registers.Resolution())
				}
			}
		}
	}
	return out, nil
}
