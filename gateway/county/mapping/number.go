package mapping

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"gatehouse/gateway/fact"
)

// units are the spellings of units behind a number, by the unit of the field: what
// to multiply by. All in lower case, without blanks.
var units = allUnits()

func allUnits() map[string]map[string]float64 {
	const minutes, litres = 60.0, 1000.0 // of an hour, of a cubic metre
	return map[string]map[string]float64{
		"L/min": join(
			same(1, "l/min", "lpm", "l/minute", "升/分", "升/分钟"),
			same(1/minutes, "l/h", "l/hr", "lph", "升/时", "升/小时"),
			same(minutes, "l/s", "升/秒"),
			same(1/litres, "ml/min", "毫升/分", "毫升/分钟"),
			same(litres/minutes, "m3/h", "m³/h", "立方米/小时", "方/时"),
		),
		"L": join(
			same(1, "l", "ltr", "liter", "litre", "liters", "litres", "升"),
			same(1/litres, "ml", "毫升"),
			same(litres, "m3", "m³", "立方米", "方"),
		),
		"%":   same(1, "%", "％", "pct", "percent"),
		"m/s": join(same(1, "m/s", "mps", "米/秒"), same(1/3.6, "km/h", "kmh", "公里/小时"), same(1852.0/3600, "kn")),
		"m":   join(same(1, "m", "米"), same(0.01, "cm"), same(1000, "km"), same(0.3048, "ft")),
		"°":   join(same(1, "°", "deg", "n", "e", "°n", "°e"), same(-1, "s", "w", "°s", "°w")),
	}
}

// same returns spellings of units of one factor.
func same(factor float64, spellings ...string) map[string]float64 {
	out := map[string]float64{}
	for _, s := range spellings {
		out[s] = factor
	}
	return out
}

func join(parts ...map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for _, p := range parts {
		maps.Copy(out, p)
	}
	return out
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
	factor := units[n.Unit][unit]
	if scale != 0 {
		return v * scale, true, nil
	}
	if unit == "" {
		return v, true, nil
	}
	if factor == 0 {
		return 0, false, fmt.Errorf("%q: the unit of %s is %s; if %q is another one, give a scale",
			shorten(text, 40), n.Name, n.Unit, shorten(unit, 20))
	}
	return v * factor, true, nil
}

// unitOf returns the unit in a text as the table of units writes it.
func unitOf(text string) string { return strings.ToLower(strings.ReplaceAll(text, " ", "")) }

// decimal returns a number with a decimal point, which may have come with a
// decimal comma, or with separators of thousands.
func decimal(text string) (string, error) {
	switch {
	case !strings.Contains(text, ","):
		return text, nil
	case pointDecimal.MatchString(text):
		return strings.ReplaceAll(text, ",", ""), nil
	case commaDecimal.MatchString(text):
		return strings.Replace(strings.ReplaceAll(text, ".", ""), ",", ".", 1), nil
	case ambiguous.MatchString(text):
		return "", fmt.Errorf("%q may be a thousand times as much: write it with a decimal point", shorten(text, 40))
	case strings.Contains(text, "."):
		return "", fmt.Errorf("%q %w", shorten(text, 40), errNumber)
	}
	return strings.Replace(text, ",", ".", 1), nil // a second comma is no number
}
