package modbus

import (
	"math"
	"strings"

	"gatehouse/gateway/fact"
)

// Rollover returns after how many litres the counter of a map begins again at 0; 0:
// it has none, or that is not known.
func (m *Map) Rollover() float64 {
	for _, v := range m.Values {
		if v.Means != fact.FieldVolume {
			continue
		}
		if v.Rollover > 0 {
			return v.Rollover * units[v.Means][v.Unit]
		}
		return v.typeEnds() * units[v.Means][v.Unit]
	}
	return 0
}

// typeEnds returns after how many units the type of a counter begins again at 0; 0:
// it does not, or not within a lifetime.
func (v Value) typeEnds() (ends float64) {
	for _, p := range v.parts() {
		counts := 0.0
		switch p.Type {
		case "uint16", "int16", "uint32", "int32":
			counts = math.Exp2(float64(bitsOf(p.Type)))
		case "bcd16":
			counts = 1e4
		case "bcd32":
			counts = 1e8
		default:
			return 0
		}
		ends = max(ends, counts*p.Scale)
	}
	if v.Scale != 0 {
		ends *= v.Scale
	}
	return ends
}

// Resolution returns the smallest step of a map's counter in litres; 0: it has
// none, or that is not known.
func (m *Map) Resolution() float64 {
	for _, v := range m.Values {
		if v.Means != fact.FieldVolume {
			continue
		}
		least := math.Inf(1)
		for _, p := range v.parts() {
			if strings.HasPrefix(p.Type, "float") {
				return 0
			}
			least = min(least, p.Scale)
		}
		if v.Scale != 0 {
			least *= v.Scale
		}
		return least * units[v.Means][v.Unit]
	}
	return 0
}
