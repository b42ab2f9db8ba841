package wire

import (
	"errors"
	"fmt"
	"strconv"
)

// Temp is a temperature in hundredths of a degree Celsius. On the wire it is a
// JSON number in °C with two decimals, so that people can read it, and it is
// compared as an integer, so that 34.10 + 3.20 meets a limit of 37.30.
type Temp int32

// maxTemp bounds what the wire carries, in °C either way.
const maxTemp = 1000

var errTemp = errors.New("not a temperature in °C")

// String gives "36.50".
func (t Temp) String() string {
	sign, v := "", int64(t)
	if v < 0 {
		sign, v = "-", -v
	}
	return fmt.Sprintf("%s%d.%02d", sign, v/100, v%100)
}

// MarshalJSON writes 36.50 as the number 36.50.
func (t Temp) MarshalJSON() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalJSON reads a number in °C with at most two decimals that count
// (36.5, 36.50 and 36.500 are the same; 36.505 is refused, not rounded).
func (t *Temp) UnmarshalJSON(b []byte) error {
	v, err := ParseTemp(string(b))
	if err != nil {
		return err
	}
	*t = v
	return nil
}

// ParseTemp reads "36.5" as 36.50 °C; at most two decimals may count.
func ParseTemp(s string) (Temp, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != f || f > maxTemp || f < -maxTemp {
		return 0, fmt.Errorf("%.20q: %w", s, errTemp)
	}
	scaled := f * 100
	v := int64(scaled + 0.5)
	if scaled < 0 {
		v = int64(scaled - 0.5)
	}
	if d := scaled - float64(v); d > 1e-6 || d < -1e-6 {
		return 0, fmt.Errorf("%.20q: %w: more than two decimals", s, errTemp)
	}
	return Temp(v), nil
}
