package modbus

import (
	"errors"
	"math"
	"slices"

	"gatehouse/gateway/fact"
)

// Sentinels are the numbers by which a unit says that it has no value, before scale
// and offset. In a map they are a list, such as [0xFFFF, -999], or none.
type Sentinels struct{ Numbers []float64 }

// UnmarshalYAML reads none or a list of numbers.
func (s *Sentinels) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if err := unmarshal(&word); err == nil {
		if word == "none" {
			return nil
		}
		return errors.New("sentinels is none, or a list of numbers")
	}
	return unmarshal(&s.Numbers)
}

// are reports whether raw bits of a part mean that there is no value. Without a
// list these are all bits set, and for numbers also the highest and the lowest
// number of the signed type: what meters and converters answer. A float that is not
// a number is never one.
func (s *Sentinels) are(means string, p Part, raw uint64) bool {
	bits := bitsOf(p.Type)
	if p.Type == "float32" || p.Type == "float64" {
		f, _ := p.number(raw) // a float has no digits
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return true
		}
	}
	if s != nil {
		f, err := p.number(raw)
		return slices.Contains(s.Numbers, float64(raw)) || err == nil && slices.Contains(s.Numbers, f)
	}
	high := uint64(1) << (bits - 1)
	all := high | (high - 1)
	_, number := fact.NumberNamed(means)
	switch {
	case bits == 1 || means == fact.FieldFault:
		return false
	case !number:
		return raw == all
	}
	return raw == all || (raw == high || raw == high-1) && p.Type != "float32" && p.Type != "float64"
}
