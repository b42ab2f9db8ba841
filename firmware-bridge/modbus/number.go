package modbus

import (
	"fmt"
	"math"
)

// raw puts the registers of a part together to a number of up to 64 bits.
func (p Part) raw(regs []uint16) (raw uint64) {
	for i := range regs {
		r := regs[i]
		if p.Words == lowFirst {
			r = regs[len(regs)-1-i]
		}
		if p.Bytes == lowFirst {
			r = r<<8 | r>>8
		}
		raw = raw<<16 | uint64(r)
	}
	return raw
}

// bitsOf returns how many bits a type has.
func bitsOf(t string) int {
	if t == "bit" {
		return 1
	}
	return 16 * int(registers[t])
}

// number converts raw bits to the number that a type makes of them. It returns an
// error for digits that are none.
func (p Part) number(raw uint64) (float64, error) {
	switch p.Type {
	case "int16":
		return float64(int16(raw)), nil
	case "int32":
		return float64(int32(raw)), nil
	case "int64":
		return float64(int64(raw)), nil
	case "float32":
		return float64(math.Float32frombits(uint32(raw))), nil
	case "float64":
		return math.Float64frombits(raw), nil
	case "bcd16", "bcd32":
		return decimalDigits(raw, bitsOf(p.Type)/4)
	}
	return float64(raw), nil
}

// decimalDigits reads n decimal digits of four bits each.
func decimalDigits(raw uint64, n int) (f float64, err error) {
	for i := n - 1; i >= 0; i-- {
		digit := raw >> (4 * i) & 15
		if digit > 9 {
			return 0, fmt.Errorf("%0*X has digits that are not decimal", n, raw)
		}
		f = 10*f + float64(digit)
	}
	return f, nil
}
