package modbus

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

func TestNumbers(t *testing.T) {
	f := math.Float32bits(4.25)
	high, low := uint16(f>>16), uint16(f)
	d := math.Float64bits(4.25)
	w := []uint16{uint16(d >> 48), uint16(d >> 32), uint16(d >> 16), uint16(d)}
	none := &Sentinels{}
	for _, c := range []struct {
		v    Value
		regs []uint16
		want float64
	}{
		{Value{Type: "uint16", Sentinels: none}, []uint16{65535}, 65535},
		{Value{Type: "int16", Sentinels: none}, []uint16{65535}, -1},
		{Value{Type: "uint16", Bytes: "low_first"}, []uint16{0x0100}, 1},
		{Value{Type: "uint16", Scale: 0.1, Offset: -40}, []uint16{500}, 10},
		{Value{Type: "uint32"}, []uint16{1, 2}, 65538},
		{Value{Type: "uint32", Words: "low_first"}, []uint16{2, 1}, 65538},
		{Value{Type: "uint32", Bytes: "low_first"}, []uint16{0x0100, 0x0200}, 65538},
		{Value{Type: "uint32", Bytes: "low_first", Words: "low_first"}, []uint16{0x0200, 0x0100}, 65538},
		{Value{Type: "int32"}, []uint16{0xFFFF, 0xFFFE}, -2},
		{Value{Type: "float32"}, []uint16{high, low}, 4.25},
		{Value{Type: "float32", Words: "low_first"}, []uint16{low, high}, 4.25},
		{Value{Type: "uint64"}, []uint16{0, 1, 0, 2}, 1<<32 + 2},
		{Value{Type: "uint64", Words: "low_first"}, []uint16{2, 0, 1, 0}, 1<<32 + 2},
		{Value{Type: "int64"}, []uint16{0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE}, -2},
		{Value{Type: "float64"}, w, 4.25},
		{Value{Type: "float64", Words: "low_first"}, []uint16{w[3], w[2], w[1], w[0]}, 4.25},
		{Value{Type: "bcd16"}, []uint16{0x1234}, 1234},
		{Value{Type: "bcd32", Scale: 0.01}, []uint16{0x1234, 0x5690}, 123456.9},
		{Value{Type: "bcd16"}, []uint16{0x9009}, 9009},
	} {
		got, err := c.v.read([][]uint16{c.regs})
		if err != nil || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%+v of %v is %g, want %g (%v)", c.v, c.regs, got, c.want, err)
		}
	}
	if _, err := (Value{Type: "bcd16"}).read([][]uint16{{0x12A4}}); err == nil ||
		!strings.Contains(err.Error(), "12A4") {
		t.Errorf("a digit A: %v", err)
	}
}

func TestATotalInTwoParts(t *testing.T) {
	hundreds, rest := math.Float32bits(12), math.Float32bits(34.5)
	for name, c := range map[string]struct {
		v    Value
		regs [][]uint16
		want float64
	}{
		"hundreds and rest": {Value{Type: "float32", Parts: []Part{{Address: 0, Scale: 100}, {Address: 2}}},
			[][]uint16{{uint16(hundreds >> 16), uint16(hundreds)}, {uint16(rest >> 16), uint16(rest)}}, 1234.5},
		"x1 and x65536": {Value{Type: "uint16", Scale: 0.1, Parts: []Part{{Address: 0}, {Address: 9, Scale: 65536}}},
			[][]uint16{{5}, {2}}, 13107.7},
		"a long and a fraction": {Value{Parts: []Part{{Type: "int32", Words: "low_first"}, {Type: "float32"}}},
			[][]uint16{{7, 0}, {uint16(rest >> 16), uint16(rest)}}, 41.5},
	} {
		got, err := c.v.read(c.regs)
		if err != nil || math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: %g, want %g (%v)", name, got, c.want, err)
		}
	}
	v := Value{Type: "uint16", Parts: []Part{{Address: 0}, {Address: 9, Scale: 65536}}}
	if _, err := v.read([][]uint16{{5}, {0xFFFF}}); !errors.Is(err, errNoValue) {
		t.Errorf("a part without a value: %v", err)
	}
}

func TestSentinelsAreNoValues(t *testing.T) {
	total := Value{Name: "total", Unit: "L", Means: fact.FieldVolume, Max: new(1e30), Min: new(-1e30)}
	nan := math.Float32bits(float32(math.NaN()))
	inf := math.Float64bits(math.Inf(-1))
	for _, c := range []struct {
		is    string
		regs  []uint16
		value bool
	}{
		{"uint16", []uint16{0xFFFF}, false}, {"uint16", []uint16{0x7FFF}, false}, {"int16", []uint16{0x8000}, false},
		{"uint16", []uint16{0xFFFE}, true}, {"uint16", []uint16{0x8001}, true}, {"int16", []uint16{0x7FFE}, true},
		{"uint32", []uint16{0xFFFF, 0xFFFF}, false}, {"uint32", []uint16{0x8000, 0}, false},
		{"int32", []uint16{0x7FFF, 0xFFFF}, false}, {"int32", []uint16{0x7FFF, 0xFFFE}, true},
		{"uint32", []uint16{0, 0xFFFF}, true}, {"uint32", []uint16{0xFFFF, 0}, true},
		{"uint64", []uint16{0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF}, false}, {"int64", []uint16{0x8000, 0, 0, 0}, false},
		{"float32", []uint16{uint16(nan >> 16), uint16(nan)}, false}, {"float32", []uint16{0xFFFF, 0xFFFF}, false},
		{"float32", []uint16{0x8000, 0}, true}, // -0
		{"float64", []uint16{uint16(inf >> 48), 0, 0, 0}, false}, {"float64", []uint16{0x4011, 0, 0, 0}, true},
		{"bcd16", []uint16{0xFFFF}, false},
	} {
		v := total
		v.Type = c.is
		var s runs.Sample
		err := v.set(&s, [][]uint16{c.regs})
		if (err == nil) != c.value || !c.value && !errors.Is(err, errNoValue) || (s.Volume != nil) != c.value {
			t.Errorf("%s %04X: %v %+v", c.is, c.regs, err, s)
		}
	}
	for means, none := range map[string]bool{fact.FieldCommand: true, fact.FieldFault: false} {
		v := Value{Type: "uint16", Means: means}
		if got := errors.Is(v.set(new(runs.Sample), [][]uint16{{0xFFFF}}), errNoValue); got != none {
			t.Errorf("FFFF of %s", means)
		}
		if errors.Is(v.set(new(runs.Sample), [][]uint16{{0x8000}}), errNoValue) {
			t.Errorf("8000 of %s is no value", means)
		}
	}
	if errors.Is((Value{Type: "bit", Means: fact.FieldCommand}).set(new(runs.Sample), [][]uint16{{1}}), errNoValue) {
		t.Error("a bit that is set is no value")
	}
}

func TestAMapNamesItsSentinels(t *testing.T) {
	for text, c := range map[string]struct{ none, numbers []uint16 }{
		"none":           {nil, []uint16{0xFFFF, 0x8000}},
		"[]":             {nil, []uint16{0xFFFF, 0x8000}},
		"[9999, 0x7FFE]": {[]uint16{9999, 0x7FFE}, []uint16{0xFFFF}},
		"[-999]":         {[]uint16{0xFC19}, []uint16{0xFFFF, 999}},
	} {
		var v Value
		if err := yaml.UnmarshalWithOptions([]byte("type: int16\nsentinels: "+text), &v, yaml.Strict()); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, regs := range c.none {
			if _, err := v.read([][]uint16{{regs}}); !errors.Is(err, errNoValue) {
				t.Errorf("%s: %04X: %v", text, regs, err)
			}
		}
		for _, regs := range c.numbers {
			if _, err := v.read([][]uint16{{regs}}); err != nil {
				t.Errorf("%s: %04X: %v", text, regs, err)
			}
		}
	}
	var v Value
	if err := yaml.Unmarshal([]byte("sentinels: usual"), &v); err == nil ||
		!strings.Contains(err.Error(), "none, or a list") {
		t.Errorf("a word: %v", err)
	}
	if err := yaml.Unmarshal([]byte("sentinels: none"), &v); err != nil || v.Sentinels == nil {
		t.Errorf("%v %v", err, v.Sentinels)
	}
	nan := Value{Type: "float32", Sentinels: &Sentinels{}}
	if _, err := nan.read([][]uint16{{0x7FC0, 0}}); !errors.Is(err, errNoValue) {
		t.Errorf("NaN is a number: %v", err)
	}
}

func TestASignedTotaliserGoesOnBeyondItsHighestNumber(t *testing.T) {
	total := Value{Name: "total", Type: "int32", Scale: 0.001, Unit: "L", Means: fact.FieldVolume}
	for raw, want := range map[uint32]float64{
		0x7FFFFFFE: 2147483.646, 0x80000001: 2147483.649, 0xBFFFFFFF: 3221225.471, 5: 0.005,
		0xC0000000: -1073741.824, 0xFFFFFFFE: -0.002, // a net totaliser below zero
	} {
		var s runs.Sample
		err := total.set(&s, [][]uint16{{uint16(raw >> 16), uint16(raw)}})
		if err != nil || math.Abs(*s.Volume-want) > 1e-6 {
			t.Errorf("%X: %v %+v, want %g", raw, err, s.Volume, want)
		}
	}
	tank := Value{Name: "tank", Type: "int16", Unit: "%", Means: fact.FieldTank}
	if err := tank.set(new(runs.Sample), [][]uint16{{0x8005}}); err == nil ||
		!strings.Contains(err.Error(), "-3.276e+04") {
		t.Errorf("a level is no counter: %v", err)
	}
}

func TestRolloverAndResolution(t *testing.T) {
	for _, c := range []struct {
		v           Value
		ends, steps float64
	}{
		{Value{Type: "uint16", Scale: 0.01, Unit: "L"}, 655.36, 0.01},
		{Value{Type: "int16", Unit: "m3"}, 65536000, 1000},
		{Value{Type: "uint32", Scale: 0.1, Unit: "mL"}, 429496.7296, 0.0001},
		{Value{Type: "int32", Unit: "L"}, 4294967296, 1},
		{Value{Type: "bcd32", Scale: 0.01, Unit: "L"}, 1e6, 0.01},
		{Value{Type: "bcd16", Unit: "L"}, 1e4, 1},
		{Value{Type: "uint64", Unit: "L"}, 0, 1},
		{Value{Type: "float32", Unit: "L"}, 0, 0},
		{Value{Type: "float64", Unit: "L", Rollover: 1e6}, 1e6, 0},
		{Value{Type: "uint32", Scale: 0.01, Unit: "m3", Rollover: 1000}, 1e6, 10},
		{Value{Type: "uint16", Unit: "L", Scale: 0.1, Parts: []Part{{Address: 1, Scale: 65536}, {Address: 2}}},
			429496729.6, 0.1},
		{Value{Type: "uint16", Unit: "L", Parts: []Part{{Scale: 100}, {Address: 2, Type: "float32"}}}, 0, 0},
	} {
		c.v.Means = fact.FieldVolume
		m := &Map{Values: []Value{{Means: fact.FieldTank}, c.v}}
		if got := m.Rollover(); math.Abs(got-c.ends) > 1e-9*c.ends {
			t.Errorf("%+v rolls over at %g L, want %g", c.v, got, c.ends)
		}
		if got := m.Resolution(); math.Abs(got-c.steps) > 1e-9*c.steps {
			t.Errorf("%+v has steps of %g L, want %g", c.v, got, c.steps)
		}
	}
	if m := (&Map{Values: []Value{{Type: "uint16", Means: fact.FieldTank}}}); m.Rollover() != 0 ||
		m.Resolution() != 0 {
		t.Error("a map without a counter rolls over")
	}
}
