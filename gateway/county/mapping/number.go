package mapping

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gatehouse/gateway/fact"
)

// units are the spellings of units behind a number, by the unit of the field: what
// to multiply by. All in lower case.
var units = map[string]map[string]float64{
	"L/min": {
		"l/min": 1, "lpm": 1, "l/minute": 1, "升/分": 1, "升/分钟": 1,
		"l/h": 1.0 / 60, "l/hr": 1.0 / 60, "lph": 1.0 / 60, "升/时": 1.0 / 60, "升/小时": 1.0 / 60,
		"l/s": 60, "升/秒": 60, "ml/min": 0.001, "毫升/分": 0.001, "毫升/分钟": 0.001,
		"m3/h": 1000.0 / 60, "m³/h": 1000.0 / 60, "立方米/小时": 1000.0 / 60, "方/时": 1000.0 / 60,
	},
	"L": {
		"l": 1, "ltr": 1, "liter": 1, "litre": 1, "liters": 1, "litres": 1, "升": 1,
		"ml": 0.001, "毫升": 0.001, "m3": 1000, "m³": 1000, "立方米": 1000, "方": 1000,
	},
	"%":   {"%": 1, "％": 1, "pct": 1, "percent": 1},
	"m/s": {"m/s": 1, "mps": 1, "米/秒": 1, "km/h": 1 / 3.6, "kmh": 1 / 3.6, "公里/小时": 1 / 3.6, "kn": 1852.0 / 3600},
	"m":   {"m": 1, "米": 1, "cm": 0.01, "km": 1000, "ft": 0.3048},
	"°":   {"°": 1, "deg": 1, "n": 1, "e": 1, "s": -1, "w": -1, "°n": 1, "°e": 1, "°s": -1, "°w": -1},
}

var (
	numberThenUnit = regexp.MustCompile(`^([+-]?(?:[0-9][0-9.,]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(.*)$`)
	pointDecimal   = regexp.MustCompile(`^[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]*$`) // 1,234.5
	commaDecimal   = regexp.MustCompile(`^[+-]?[0-9]{1,3}(\.[0-9]{3})+,[0-9]*$`) // 1.234,5
	ambiguous      = regexp.MustCompile(`^[+-]?[1-9][0-9]{0,2},[0-9]{3}$`)       // 1,234
)

var errNumber = errors.New("is not a number")

// number returns the number in a text, in the unit of the field n. A unit behind
// the number is converted, unless scale is not 0: then that alone counts. known is
// false when the text says that there is no value.
func number(n fact.Number, text string, scale float64) (v float64, known bool, err error) {
	if noValue(text) {
		return 0, false, nil
	}
	if word, unit, two := strings.Cut(text, " "); two && noValue(word) && units[n.Unit][unitOf(unit)] != 0 {
		return 0, false, nil // nan L/min
	}
	parts := numberThenUnit.FindStringSubmatch(text)
	if parts == nil {
		return 0, false, fmt.Errorf("%q %w", shorten(text, 40), errNumber)
	}
	digits, err := decimal(parts[1])
	if err != nil {
		return 0, false, err
	}
	v, err = strconv.ParseFloat(digits, 64)
	if err != nil {
		return 0, false, fmt.Errorf("%q %w", shorten(text, 40), errNumber)
	}
	unit := unitOf(parts[2])
	switch factor := units[n.Unit][unit]; {
	case scale != 0:
		v *= scale
	case unit == "":
	case factor == 0:
		return 0, false, fmt.Errorf("%q: the unit of %s is %s; if %q is another one, give a scale",
			shorten(text, 40), n.Name, n.Unit, shorten(unit, 20))
	default:
		v *= factor
	}
	return v, true, nil
}

// unitOf returns the unit in a text as the table of units writes it.
func unitOf(text string) string { return strings.ToLower(strings.ReplaceAll(text, " ", "")) }

// decimal returns a number with a decimal point, which may have come with a
// decimal comma, or with separators of thousands.
func decimal(text string) (string, error) {
	commas := strings.Count(text, ",")
	switch {
	case commas == 0:
		return text, nil
	case pointDecimal.MatchString(text):
		return strings.ReplaceAll(text, ",", ""), nil
	case commaDecimal.MatchString(text):
		return strings.Replace(strings.ReplaceAll(text, ".", ""), ",", ".", 1), nil
	case ambiguous.MatchString(text):
		return "", fmt.Errorf("%q may be a thousand times as much: write it with a decimal point", shorten(text, 40))
	case commas == 1 && !strings.Contains(text, "."):
		return strings.Replace(text, ",", ".", 1), nil
	}
	return "", fmt.Errorf("%q %w", shorten(text, 40), errNumber)
}
