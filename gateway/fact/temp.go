package fact

import (
	"errors"
	"fmt"
	"strings"
)

// Temp is a temperature in hundredths of a degree Celsius, at most 1000 °C
// either way. Every thermometer of the catalogue reports multiples of 0.01 °C,
// so nothing is rounded, and 34.10 + 3.20 meets a limit of 37.30. In JSON and in
// configuration files it is a number in °C with two decimals: 37.3 is 37.30 °C.
type Temp int32

// The bounds of a body temperature that a guard can enter: what clinical thermometers
// show (ASTM E1112 asks for 35.5 to 41 °C at least) with some room on both sides.
const (
	EnteredMin Temp = 34_00
	EnteredMax Temp = 42_90
)

const maxTemp Temp = 1000_00

var errTemp = errors.New("not a temperature in °C")

// String returns t in °C with two decimals: "36.50".
func (t Temp) String() string {
	sign, v := "", int64(t)
	if v < 0 {
		sign, v = "-", -v
	}
	return fmt.Sprintf("%s%d.%02d", sign, v/100, v%100)
}

// MarshalJSON writes 36.50 as the number 36.50.
func (t Temp) MarshalJSON() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalJSON reads a number in °C; see ParseTemp.
func (t *Temp) UnmarshalJSON(b []byte) error {
	v, err := parseTemp(b)
	if err != nil {
		return err
	}
	*t = v
	return nil
}

// UnmarshalYAML reads a number in °C; see ParseTemp.
func (t *Temp) UnmarshalYAML(b []byte) error {
	number, _, _ := strings.Cut(string(b), "#") // the YAML library passes the line's comment, too
	return t.UnmarshalJSON([]byte(strings.TrimSpace(number)))
}

// MarshalYAML writes 36.50 as the number 36.50.
func (t Temp) MarshalYAML() ([]byte, error) { return []byte(t.String()), nil }

// ParseTemp reads "36.5" as 36.50 °C: digits with an optional minus and
// decimals, no exponent, from -1000 to 1000. At most two decimals may count:
// 36.5, 36.50 and 36.500 are the same, 36.505 is refused, not rounded.
func ParseTemp(s string) (Temp, error) { return parseTemp(s) }

func parseTemp[T string | []byte](s T) (Temp, error) {
	negative := len(s) > 0 && s[0] == '-'
	first := 0
	if negative {
		first = 1
	}
	value, whole, decimals, exact := Temp(0), 0, -1, true // decimals: -1 before the point
	for i := first; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '.' && whole > 0 && decimals < 0:
			decimals = 0
			continue
		case c < '0' || c > '9':
			return 0, fmt.Errorf("%.20q: %w", s, errTemp)
		case decimals < 0:
			whole++
		default:
			decimals++
		}
		if decimals > 2 {
			exact = exact && c == '0'
			continue
		}
		value = min(value*10+Temp(c-'0'), maxTemp+1)
	}
	for n := max(decimals, 0); n < 2; n++ {
		value = min(value*10, maxTemp+1)
	}
	switch {
	case whole == 0 || decimals == 0:
		return 0, fmt.Errorf("%.20q: %w", s, errTemp)
	case !exact:
		return 0, fmt.Errorf("%.20q: %w: more than two decimals", s, errTemp)
	case value > maxTemp:
		return 0, fmt.Errorf("%.20q: %w: more than 1000 either way", s, errTemp)
	case negative:
		return -value, nil
	}
	return value, nil
}
