package modbus

import (
	"cmp"
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
	// MaxRegisters is the most that the unit reads in one request; default 100.
	MaxRegisters uint16 `yaml:"max_registers,omitempty"`
}

// Value is one value in a unit's registers.
type Value struct {
	Name    string  `yaml:"name"`                 // for messages
	Table   string  `yaml:"table"`                // coil, discrete, input, holding: functions 1, 2, 4, 3
	Address uint16  `yaml:"address"`              // as on the wire, from 0: a manual's 40001 is holding 0
	Type    string  `yaml:"type"`                 // bit (coil, discrete), or one of Types
	Words   string  `yaml:"word_order,omitempty"` // of 32 and 64 bits: high_first (default), low_first
	Bytes   string  `yaml:"byte_order,omitempty"` // in a register: high_first (default and the standard), low_first
	Scale   float64 `yaml:"scale,omitempty"`      // multiplies the number; default 1
	Offset  float64 `yaml:"offset,omitempty"`     // is added after that
	Unit    string  `yaml:"unit,omitempty"`       // of number × scale + offset; see units
	// Parts are what the number is the sum of, instead of Address.
	Parts []Part `yaml:"parts,omitempty"`
	// Means is flow_lpm, volume_l, tank_pct, battery_pct, speed_ms, command,
	// armed or fault.
	Means string `yaml:"means"`
	// Of command and armed: Bit (from 0) of the register that says so, or the
	// number Above which it is so; neither: any number but zero.
	Bit       *uint8            `yaml:"bit,omitempty"`
	Above     *float64          `yaml:"above,omitempty"`
	Min       *float64          `yaml:"min,omitempty"` // plausible, in the unit of Means; default by meaning
	Max       *float64          `yaml:"max,omitempty"`
	Faults    map[uint16]string `yaml:"faults,omitempty"`    // of fault: words for codes; 0 is none
	Sentinels *Sentinels        `yaml:"sentinels,omitempty"` // numbers that mean "no value"; absent: the usual ones
	// Rollover is where a counter begins again at 0, in Unit; absent: where its
	// type ends.
	Rollover float64 `yaml:"rollover,omitempty"`
}

// Part is one summand of a value, such as the hundreds of a total.
type Part struct {
	Address uint16  `yaml:"address"`
	Type    string  `yaml:"type,omitempty"`       // absent: that of the value; likewise the orders
	Words   string  `yaml:"word_order,omitempty"` //
	Bytes   string  `yaml:"byte_order,omitempty"` //
	Scale   float64 `yaml:"scale,omitempty"`      // default 1; the value's own scale multiplies the sum
}

// units are the units that a number may be in, with the factor to ours.
var units = map[string]map[string]float64{
	fact.FieldFlow:    {"L/min": 1, "L/h": 1.0 / 60, "m3/h": 1000.0 / 60, "mL/min": 0.001},
	fact.FieldVolume:  {"L": 1, "mL": 0.001, "m3": 1000},
	fact.FieldTank:    {"%": 1},
	fact.FieldBattery: {"%": 1},
	fact.FieldSpeed:   {"m/s": 1, "km/h": 1 / 3.6},
}

// counterMax is how far from 0 a counter may be by default, in litres: less than
// possible, because words in the wrong order make large numbers.
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
var registers = map[string]uint16{
	"bit":    1,
	"uint16": 1, "int16": 1, "bcd16": 1,
	"uint32": 2, "int32": 2, "float32": 2, "bcd32": 2,
	"uint64": 4, "int64": 4, "float64": 4,
}

// Types are the types of registers.
const Types = "uint16, int16, bcd16, uint32, int32, float32, bcd32, uint64, int64, float64"

// parts returns the parts of a value, of which it may be the only one.
func (v Value) parts() (out []Part) {
	if len(v.Parts) == 0 {
		return []Part{{v.Address, v.Type, v.Words, v.Bytes, 1}}
	}
	for _, p := range v.Parts {
		out = append(out, Part{p.Address, cmp.Or(p.Type, v.Type), cmp.Or(p.Words, v.Words),
			cmp.Or(p.Bytes, v.Bytes), cmp.Or(p.Scale, 1)})
	}
	return out
}

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
		for j, before := range m.Values[:i] {
			if v.repeats(before) {
				errs = append(errs, fmt.Errorf("values[%d] %s: it is the register of values[%d] %s, and one reading "+
					"confirms nothing twice: leave one of the two out", i, v.Name, j, before.Name))
			}
		}
	}
	if m.MaxRegisters > 125 || m.MaxRegisters > 0 && m.MaxRegisters < m.widest() {
		errs = append(errs, fmt.Errorf("max_registers %d is not in %d to 125", m.MaxRegisters, m.widest()))
	}
	return errors.Join(errs...)
}

// repeats reports whether a value and another one are the same number: both begin at
// one address, and they are no bits of one register.
func (v Value) repeats(other Value) bool {
	_, number := units[v.Means]
	_, otherNumber := units[other.Means]
	if v.Table != other.Table || !number && !otherNumber {
		return false
	}
	return slices.ContainsFunc(v.parts(), func(p Part) bool {
		return slices.ContainsFunc(other.parts(), func(o Part) bool { return p.Address == o.Address })
	})
}

// widest returns the most registers that one part of a value takes.
func (m *Map) widest() (n uint16) {
	for _, v := range m.Values {
		for _, p := range v.parts() {
			n = max(n, registers[p.Type])
		}
	}
	return n
}

func (v Value) check() (errs []error) {
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if v.Name == "" {
		add("name is missing")
	}
	switch v.Table {
	case tableCoil, tableDiscrete, tableInput, tableHolding:
	default:
		add("table %q is none of coil, discrete, input, holding", v.Table)
	}
	if len(v.Parts) > 0 && v.Address != 0 {
		add("address and parts exclude each other")
	}
	for _, p := range v.parts() {
		errs = append(errs, p.check(v.Table == tableCoil || v.Table == tableDiscrete)...)
	}
	if v.Min != nil && v.Max != nil && *v.Min >= *v.Max {
		add("min is not below max")
	}
	return append(append(errs, v.checkMeaning()...), v.checkRollover()...)
}

// check returns what is wrong with a part in a table of bits or of registers.
func (p Part) check(bits bool) (errs []error) {
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	n, known := registers[p.Type]
	switch {
	case bits && p.Type != "bit":
		add("type must be bit in the tables coil and discrete: write type: bit")
	case !known:
		add("type %q is none of bit, %s", p.Type, Types)
	case !bits && p.Type == "bit":
		add("type bit is of coil and discrete: in a register, give bit: with the number of the bit")
	}
	if int(p.Address)+int(n) > 65536 {
		add("address %d: its registers end beyond 65535", p.Address)
	}
	for _, order := range []struct{ key, is string }{{"word_order", p.Words}, {"byte_order", p.Bytes}} {
		if order.is != "" && order.is != highFirst && order.is != lowFirst {
			add("%s %q is neither high_first nor low_first (ABCD: both high_first, CDAB: word_order: low_first, "+
				"BADC: byte_order: low_first, DCBA: both low_first)", order.key, order.is)
		}
	}
	return errs
}

func (v Value) checkRollover() (errs []error) {
	if v.Rollover == 0 {
		return nil
	}
	if v.Means != fact.FieldVolume || v.Rollover < 0 {
		return []error{errors.New("rollover is of means: volume_l, and above 0")}
	}
	if most := v.typeEnds(); most > 0 && v.Rollover > most*(1+1e-9) {
		return []error{fmt.Errorf("rollover %g is more than type × scale can count, %g", v.Rollover, most)}
	}
	return nil
}

func (v Value) checkMeaning() (errs []error) {
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
		if v.Bit != nil && (*v.Bit > 15 || registers[v.Type] != 1 || len(v.Parts) > 0 || v.Above != nil) {
			add("bit is 0 to 15 of one register, and excludes above")
		}
	case v.Means == fact.FieldFault:
		if strings.HasPrefix(v.Type, "float") || len(v.Parts) > 0 || v.Bit != nil || v.Above != nil {
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
