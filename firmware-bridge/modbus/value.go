package modbus

import (
	"fmt"
	"math"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

// block is a run of addresses that one request reads.
type block struct {
	table  string
	first  uint16
	count  uint16
	values []Value
}

// most registers that one request reads; the standard allows 125.
const most = 100

// blocks groups a map's values into requests of adjacent addresses: a unit may
// refuse those in between.
func blocks(m *Map) (out []block) {
	for _, v := range sorted(m.Values) {
		n := registers[v.Type]
		if last := len(out) - 1; last >= 0 {
			b := &out[last]
			end := int(b.first) + int(b.count)
			if b.table == v.Table && int(v.Address) <= end && int(v.Address)+int(n)-int(b.first) <= most {
				b.count = uint16(max(end, int(v.Address)+int(n)) - int(b.first))
				b.values = append(b.values, v)
				continue
			}
		}
		out = append(out, block{table: v.Table, first: v.Address, count: n, values: []Value{v}})
	}
	return out
}

// number converts registers to the number of a value: scaled, in the unit of the
// map. The library returns registers with the high byte first, as the standard
// has it.
func (v Value) number(regs []uint16) float64 {
	swap := func(r uint16) uint16 {
		if v.Bytes == lowFirst {
			return r<<8 | r>>8
		}
		return r
	}
	raw := uint32(swap(regs[0]))
	if registers[v.Type] == 2 {
		high, low := raw, uint32(swap(regs[1]))
		if v.Words == lowFirst {
			high, low = low, high
		}
		raw = high<<16 | low
	}
	var f float64
	switch v.Type {
	case "int16":
		f = float64(int16(raw))
	case "int32":
		f = float64(int32(raw))
	case "float32":
		f = float64(math.Float32frombits(raw))
	default:
		f = float64(raw)
	}
	if v.Scale != 0 {
		f *= v.Scale
	}
	return f + v.Offset
}

// tiny is less than any sensor reports; words in the wrong order make such numbers.
const tiny = 1e-15

// set sets the value in a sample, or returns why it is not plausible.
func (v Value) set(s *runs.Sample, regs []uint16) error {
	f := v.number(regs)
	on := f != 0
	switch {
	case v.Bit != nil:
		on = regs[0]>>*v.Bit&1 == 1
	case v.Above != nil:
		on = f > *v.Above
	}
	if flag, ok := fact.FlagNamed(v.Means); ok {
		*flag.Of(&s.Values) = &on
		return nil
	}
	if v.Means == fact.FieldFault {
		if code := uint16(f); f != 0 {
			s.Fault = v.Faults[code]
			if s.Fault == "" {
				s.Fault = fmt.Sprintf("%s %g", v.Name, f)
			}
		}
		return nil
	}
	n, ok := fact.NumberNamed(v.Means)
	if !ok {
		return fmt.Errorf("%s means %s, which is not a number", v.Name, v.Means) // the map was not checked
	}
	f *= units[v.Means][v.Unit]
	low, high := n.Min, n.Max
	if v.Means == fact.FieldVolume {
		high = counterMax
	}
	if v.Min != nil {
		low = *v.Min
	}
	if v.Max != nil {
		high = *v.Max
	}
	if !(f >= low && f <= high) || f != 0 && math.Abs(f) < tiny {
		return fmt.Errorf("%s is %.4g, which is not plausible (%s, %g to %g)%s",
			v.Name, f, v.Means, low, high, v.hint())
	}
	*n.Of(&s.Values) = &f
	return nil
}

// hint says what to look for in the map.
func (v Value) hint() string {
	if registers[v.Type] == 2 {
		return ": is word_order right in the map?"
	}
	return ": are type, scale and unit right in the map?"
}
