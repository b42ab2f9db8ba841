package modbus

import (
	"math"
	"strings"
	"testing"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

func TestARefusedNumberNamesTheReadingThatWouldBePlausible(t *testing.T) {
	total := Value{Name: "total", Type: "uint32", Scale: 0.01, Unit: "L", Means: fact.FieldVolume, Max: new(1e6)}
	flow := Value{Name: "flow", Type: "float32", Unit: "m3/h", Means: fact.FieldFlow, Max: new(300.0)}
	lowest := flow
	lowest.Words, lowest.Bytes = lowFirst, lowFirst
	tank := Value{Name: "tank", Type: "uint16", Scale: 0.1, Unit: "%", Means: fact.FieldTank}
	double := Value{Name: "total", Type: "float64", Unit: "L", Means: fact.FieldVolume}
	f, d := math.Float32bits(0.252), math.Float64bits(1234.5)
	high, low := uint16(f>>16), uint16(f)
	swap := func(r uint16) uint16 { return r<<8 | r>>8 }
	for name, c := range map[string]struct {
		v    Value
		regs []uint16
		want string
	}{
		"a counter":        {total, []uint16{12345, 0}, "low_first, byte_order: high_first it is 123.45"},
		"a float":          {flow, []uint16{low, high}, "low_first, byte_order: high_first it is 4.2"},
		"bytes":            {flow, []uint16{swap(high), swap(low)}, "high_first, byte_order: low_first it is 4.2"},
		"both":             {flow, []uint16{swap(low), swap(high)}, "low_first, byte_order: low_first it is 4.2"},
		"the other way":    {lowest, []uint16{high, low}, "order: high_first, byte_order: high_first it is 4.2"},
		"another type":     {total, []uint16{high, low}, "with type: float32, word_order: high"},
		"four words":       {double, []uint16{0, uint16(d >> 32), uint16(d >> 40), uint16(d >> 48)}, "word_order"},
		"bytes of one":     {tank, []uint16{0x2503}, "byte_order: low_first it is 80.5"},
		"of no use":        {tank, []uint16{0xFE7D}, "are type, scale and unit right in the map?"},
		"words of no use":  {flow, []uint16{0x4EEE, 0x4EEE}, "is word_order right in the map?"},
		"much too small":   {flow, []uint16{0, 1}, "not plausible"},
		"too high a total": {total, []uint16{0x7F7F, 0x7F7F}, "give max"},
	} {
		var s runs.Sample
		err := c.v.set(&s, [][]uint16{c.regs})
		if err == nil || !strings.Contains(err.Error(), c.want) || !s.Empty() {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	parts := total
	parts.Parts = []Part{{Address: 1}, {Address: 3}}
	if err := parts.set(new(runs.Sample), [][]uint16{{12345, 0}, {12345, 0}}); err == nil ||
		!strings.Contains(err.Error(), "of its parts") {
		t.Error(err)
	}
}

func TestLimits(t *testing.T) {
	v := Value{Means: fact.FieldVolume}
	for f, ok := range map[float64]bool{0: true, counterMax: true, counterMax * 1.01: false, -counterMax: true,
		-counterMax * 1.01: false, 1e-9: true,
		0.9e-9: false, math.NaN(): false} {
		if v.plausible(f) != ok {
			t.Errorf("%g: %v", f, !ok)
		}
	}
	v.Min, v.Max = new(-5.0), new(5.0)
	for f, ok := range map[float64]bool{-5: true, 5: true, 5.01: false, -5.01: false, -1e-10: false} {
		if v.plausible(f) != ok {
			t.Errorf("%g within -5 to 5: %v", f, !ok)
		}
	}
}
