package modbus

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"gatehouse/gateway/fact"
)

// Map is the register map of one model, as in its YAML file.
type Map struct {
	Model  string  `yaml:"model"`
	Values []Value `yaml:"values"`
}

// Value is one value in a unit's registers.
type Value struct {
	Name    string  `yaml:"name"`                 // for messages
	Table   string  `yaml:"table"`                // coil, discrete, input, holding: functions 1, 2, 4, 3
	Address uint16  `yaml:"address"`              // as on the wire, from 0: a manual's 40001 is holding 0
	Type    string  `yaml:"type"`                 // bit (coil, discrete), uint16, int16, uint32, int32, float32
	Words   string  `yaml:"word_order,omitempty"` // of 32 bits: high_first (default), low_first
	Bytes   string  `yaml:"byte_order,omitempty"` // in a register: high_first (default and the standard), low_first
	Scale   float64 `yaml:"scale,omitempty"`      // multiplies the number; default 1
	Offset  float64 `yaml:"offset,omitempty"`     // is added after that
	Unit    string  `yaml:"unit,omitempty"`       // of number × scale + offset; see units
	// Means is flow_lpm, volume_l, tank_pct, battery_pct, speed_ms, command,
	// armed or fault.
	Means string `yaml:"means"`
	// Of command and armed: Bit (from 0) of the register that says so, or the
	// number Above which it is so; neither: any number but zero.
	Bit    *uint8            `yaml:"bit,omitempty"`
	Above  *float64          `yaml:"above,omitempty"`
	Min    *float64          `yaml:"min,omitempty"` // plausible, in the unit of Means; default by meaning
	Max    *float64          `yaml:"max,omitempty"`
	Faults map[uint16]string `yaml:"faults,omitempty"` // of fault: words for codes; 0 is none
}

// units are the units that a number may be in, with the factor to ours.
var units = map[string]map[string]float64{
	fact.FieldFlow:    {"L/min": 1, "L/h": 1.0 / 60, "m3/h": 1000.0 / 60, "mL/min": 0.001},
	fact.FieldVolume:  {"L": 1, "mL": 0.001, "m3": 1000},
	fact.FieldTank:    {"%": 1},
	fact.FieldBattery: {"%": 1},
	fact.FieldSpeed:   {"m/s": 1, "km/h": 1 / 3.6},
}

// counterMax is the default for the highest plausible counter, in litres: lower
// than possible, because words in the wrong order make large numbers.
const counterMax = 1e8

const (
	tableCoil     = "coil"
	tableDiscrete = "discrete"
	tableInput    = "input"
	tableHolding  = "holding"
	highFirst     = "high_first"
	lowFirst      = "low_first"
)

// registers is how many registers a type takes; a bit takes one.
var registers = map[string]uint16{"bit": 1, "uint16": 1, "int16": 1, "uint32": 2, "int32": 2, "float32": 2}

// Check returns an error that lists all that is wrong and the values concerned,
// or nil.
func (m *Map) Check() error {
	var errs []error
	if m.Model == "" {
		errs = append(errs, errors.New("model is missing"))
	}
	if len(m.Values) == 0 {
		errs = append(errs, errors.New("values: none are listed"))
	}
	seen := map[string]bool{}
	for i, v := range m.Values {
		for _, err := range v.check() {
			errs = append(errs, fmt.Errorf("values[%d] %s: %w", i, v.Name, err))
		}
		if seen[v.Means] {
			errs = append(errs, fmt.Errorf("values[%d] %s: another value means %s, too", i, v.Name, v.Means))
		}
		seen[v.Means] = true
	}
	return errors.Join(errs...)
}

func (v Value) check() (errs []error) {
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if v.Name == "" {
		add("name is missing")
	}
	n, known := registers[v.Type]
	if !known {
		add("type %q is none of bit, uint16, int16, uint32, int32, float32", v.Type)
	}
	switch v.Table {
	case tableCoil, tableDiscrete:
		if v.Type != "bit" {
			add("type must be bit in the table %s", v.Table)
		}
	case tableInput, tableHolding:
		if v.Type == "bit" {
			add("type bit is of coil and discrete: in a register, give bit: with the number of the bit")
		}
	default:
		add("table %q is none of coil, discrete, input, holding", v.Table)
	}
	if int(v.Address)+int(n) > 65536 {
		add("address %d: its registers end beyond 65535", v.Address)
	}
	for _, order := range []struct{ key, is string }{{"word_order", v.Words}, {"byte_order", v.Bytes}} {
		if order.is != "" && order.is != highFirst && order.is != lowFirst {
			add("%s %q is neither high_first nor low_first", order.key, order.is)
		}
	}
	if v.Min != nil && v.Max != nil && *v.Min >= *v.Max {
		add("min is not below max")
	}
	return append(errs, v.checkMeaning(n)...)
}

func (v Value) checkMeaning(n uint16) (errs []error) {
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	factors, number := units[v.Means]
	switch {
	case number:
		if _, ok := factors[v.Unit]; !ok {
			known := strings.Join(slices.Sorted(maps.Keys(factors)), ", ")
			add("unit %q is not one for %s: %s", v.Unit, v.Means, known)
		}
		if v.Bit != nil || v.Above != nil {
			add("bit and above are of command and armed")
		}
		if v.Type == "bit" {
			add("a bit can't be %s", v.Means)
		}
	case v.Means == fact.FieldCommand || v.Means == fact.FieldArmed:
		if v.Bit != nil && (*v.Bit > 15 || n != 1 || v.Above != nil) {
			add("bit is 0 to 15 of one register, and excludes above")
		}
	case v.Means == fact.FieldFault:
		if v.Type == "float32" || v.Bit != nil || v.Above != nil {
			add("a fault is a whole number, without bit or above")
		}
	default:
		add("means %q is none of %s", v.Means, strings.Join(meanings(), ", "))
	}
	if len(v.Faults) > 0 && v.Means != fact.FieldFault {
		add("faults are of means: fault")
	}
	return errs
}

// meanings returns what a value may mean.
func meanings() []string {
	return append(slices.Sorted(maps.Keys(units)), fact.FieldCommand, fact.FieldArmed, fact.FieldFault)
}

//go:embed maps/*.yaml
var shipped embed.FS

// Shipped returns the YAML text of a map that comes with the program.
func Shipped(name string) ([]byte, error) {
	b, err := shipped.ReadFile("maps/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no register map %q comes with this program, only %s: give the path of a .yaml file",
			name, strings.Join(ShippedNames(), ", "))
	}
	return b, nil
}

// ShippedNames returns the names of the maps that come with the program.
func ShippedNames() (names []string) {
	files, _ := fs.Glob(shipped, "maps/*.yaml") // the pattern is right
	for _, f := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(f, "maps/"), ".yaml"))
	}
	return names
}
