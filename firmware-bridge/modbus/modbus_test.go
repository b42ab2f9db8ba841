package modbus

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

func shippedMap(t testing.TB, name string) *Map {
	t.Helper()
	text, err := Shipped(name)
	if err != nil {
		t.Fatal(err)
	}
	var m Map
	if err := yaml.UnmarshalWithOptions(text, &m, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return &m
}

func TestShippedMapsAreRight(t *testing.T) {
	if len(ShippedNames()) < 3 {
		t.Fatalf("shipped: %v", ShippedNames())
	}
	for _, name := range ShippedNames() {
		if err := shippedMap(t, name).Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Shipped("nothing"); err == nil || !strings.Contains(err.Error(), "plc-fogger") {
		t.Errorf("an unknown map: %v", err)
	}
}

func TestAMapReportsWhatIsWrongWithIt(t *testing.T) {
	good := Value{Name: "x", Table: "holding", Type: "float32", Unit: "L/h", Means: fact.FieldFlow}
	for _, c := range []struct {
		want   string
		change func(*Value)
	}{
		{"name", func(v *Value) { v.Name = "" }},
		{"type", func(v *Value) { v.Type = "float" }},
		{"table", func(v *Value) { v.Table = "4x" }},
		{"65535", func(v *Value) { v.Address = 65535 }},
		{"word_order", func(v *Value) { v.Words = "cdab" }},
		{"byte_order", func(v *Value) { v.Bytes = "little" }},
		{"unit", func(v *Value) { v.Unit = "gpm" }},
		{"means", func(v *Value) { v.Means = "flow" }},
		{"min", func(v *Value) { v.Min, v.Max = new(2.0), new(1.0) }},
		{"bit", func(v *Value) { v.Bit = new(uint8(1)) }},
		{"bit", func(v *Value) { v.Means, v.Bit = fact.FieldCommand, new(uint8(1)) }},
		{"faults", func(v *Value) { v.Faults = map[uint16]string{1: "a"} }},
		{"whole", func(v *Value) { v.Means = fact.FieldFault }},
		{"type must be bit", func(v *Value) { v.Table = "coil" }},
		{"write type: bit", func(v *Value) { v.Table, v.Type = "coil", "" }},
		{"type bit is of coil", func(v *Value) { v.Type = "bit" }},
	} {
		v := good
		c.change(&v)
		m := Map{Model: "m", Values: []Value{v}}
		err := m.Check()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "values[0]") {
			t.Errorf("%+v: %v, want %q", v, err, c.want)
		}
	}
	m := Map{Model: "m", Values: []Value{good, good}}
	if err := m.Check(); err == nil || !strings.Contains(err.Error(), "means flow_lpm, too") {
		t.Errorf("one meaning twice: %v", err)
	}
	tank := good
	tank.Name, tank.Means, tank.Unit, tank.Type = "level", fact.FieldTank, "%", "uint16"
	m.Values[1] = tank
	if err := m.Check(); err == nil || !strings.Contains(err.Error(), "level: it is the register of values[0] x") {
		t.Errorf("one register twice: %v", err)
	}
	m.Values[1].Table = "input"
	if err := m.Check(); err != nil {
		t.Errorf("one address of two tables: %v", err)
	}
	on := Value{Name: "on", Table: "holding", Type: "uint16", Means: fact.FieldCommand, Bit: new(uint8(0))}
	ready := on
	ready.Means, ready.Bit = fact.FieldArmed, new(uint8(1))
	m.Values = []Value{on, ready}
	if err := m.Check(); err != nil {
		t.Errorf("two bits of one register: %v", err)
	}
	if err := new(Map).Check(); err == nil {
		t.Error("an empty map is right")
	}
}

func TestOneRequestReadsAdjacentAddresses(t *testing.T) {
	b := blocks(shippedMap(t, "plc-fogger"))
	if len(b) != 3 || b[2].table != "input" || b[2].address != 0 || b[2].count != 6 {
		t.Errorf("%+v", b)
	}
	if b = blocks(shippedMap(t, "vfd-pump")); len(b) != 2 {
		t.Errorf("what is in between is not requested: %+v", b)
	}
}

func TestCommandAndFault(t *testing.T) {
	vfd := shippedMap(t, "vfd-pump")
	var s runs.Sample
	for i, reg := range []uint16{5, 5000} {
		if err := vfd.Values[i].set(&s, [][]uint16{{reg}}); err != nil {
			t.Fatal(err)
		}
	}
	if s.Fault != "oL 过载" || s.Command == nil || !*s.Command {
		t.Errorf("%+v", s)
	}
	s = runs.Sample{}
	_ = vfd.Values[0].set(&s, [][]uint16{{77}})
	_ = vfd.Values[1].set(&s, [][]uint16{{40}})
	if s.Fault != "drive fault 77" || *s.Command {
		t.Errorf("%+v", s)
	}
	run := Value{Type: "uint16", Means: fact.FieldCommand, Bit: new(uint8(3))}
	_ = run.set(&s, [][]uint16{{8}})
	if !*s.Command {
		t.Error("bit 3 of 8 is off")
	}
}

// readMap reports whether text is YAML of a map. The library panics at some texts.
func readMap(text []byte, m *Map) (ok bool) {
	defer func() { _ = recover() }()
	return yaml.UnmarshalWithOptions(text, m, yaml.Strict()) == nil
}

func FuzzMap(f *testing.F) {
	for _, name := range ShippedNames() {
		text, _ := Shipped(name)
		f.Add(text, []byte{1, 2, 3, 4, 5, 6, 7, 8})
	}
	f.Fuzz(func(t *testing.T, text, answer []byte) {
		var m Map
		if !readMap(text, &m) || m.Check() != nil {
			return
		}
		read := memory{}
		for _, b := range blocks(&m) {
			values := make([]byte, b.request(1).size())
			copy(values, answer)
			read.store(b, values)
		}
		var s runs.Sample
		for _, v := range m.Values {
			regs, ok := read.of(v)
			if !ok {
				t.Errorf("%s is in no block", v.Name)
			}
			_ = v.set(&s, regs)
		}
		if bad := s.Clean(); len(bad) > 0 {
			t.Error(bad)
		}
		if m.Rollover() < 0 || m.Resolution() < 0 {
			t.Errorf("rollover %g, resolution %g", m.Rollover(), m.Resolution())
		}
	})
}
