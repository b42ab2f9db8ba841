package modbus

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

// errNoValue means that the unit says that it has no value: it answers with a
// sentinel.
var errNoValue = errors.New("no value")

// read returns the number of a value, in its unit, or errNoValue.
func (v Value) read(cells [][]uint16) (sum float64, err error) {
	parts := v.parts()
	for i, regs := range cells {
		p := parts[i]
		raw := p.raw(regs)
		if v.Sentinels.are(v.Means, p, raw) {
			return 0, errNoValue
		}
		f, err := p.number(raw)
		if err != nil {
			return 0, err
		}
		if v.overran(p, f) {
			f += math.Exp2(float64(bitsOf(p.Type)))
		}
		sum += f * p.Scale
	}
	if v.Scale != 0 {
		sum *= v.Scale
	}
	return sum + v.Offset, nil
}

// overran reports whether a part belongs to a counter whose signed type has run
// beyond its highest number: a totaliser of 32 bits goes on from 2147483647 to
// -2147483648. A counter a little below zero is none.
func (v Value) overran(p Part, f float64) bool {
	return v.Means == fact.FieldVolume && strings.HasPrefix(p.Type, "int") &&
		f < -math.Exp2(float64(bitsOf(p.Type)-2))
}

// tiny is less than any sensor reports; words in the wrong order make such numbers.
const tiny = 1e-9

// set sets the value in a sample from the registers of its parts, or returns why it
// does not: errNoValue, or it is not plausible.
func (v Value) set(s *runs.Sample, cells [][]uint16) error {
	f, err := v.read(cells)
	switch {
	case errors.Is(err, errNoValue):
		return err
	case err != nil:
		return fmt.Errorf("%s: %w: is type right in the map?", v.Name, err)
	}
	on := f != 0
	switch {
	case v.Bit != nil:
		on = v.parts()[0].raw(cells[0])>>*v.Bit&1 == 1
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
			if s.Fault == "" || f != float64(code) {
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
	if !v.plausible(f) {
		low, high := v.limits()
		return fmt.Errorf("%s is %.4g, which is not plausible (%s, %g to %g)%s",
			v.Name, f, v.Means, low, high, v.hint(cells))
	}
	*n.Of(&s.Values) = &f
	return nil
}

// limits returns the plausible range of a value, in the unit of its meaning.
func (v Value) limits() (low, high float64) {
	if n, ok := fact.NumberNamed(v.Means); ok {
		low, high = n.Min, n.Max
	}
	if v.Means == fact.FieldVolume {
		low, high = -counterMax, counterMax
	}
	if v.Min != nil {
		low = *v.Min
	}
	if v.Max != nil {
		high = *v.Max
	}
	return low, high
}

// plausible reports whether a number in the unit of the meaning may be true.
func (v Value) plausible(f float64) bool {
	low, high := v.limits()
	return f >= low && f <= high && (f == 0 || math.Abs(f) >= tiny)
}
