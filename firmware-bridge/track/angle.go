package track

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// axis is latitude or longitude.
type axis struct {
	name     string
	most     float64 // degrees
	positive string  // letters of its hemispheres
	negative string
}

var (
	latitude  = axis{"latitude", 90, "n北", "s南"}
	longitude = axis{"longitude", 180, "e东", "w西"}
)

// degrees reads an angle as loggers write it: 35.9, 35,9, 35.9N, N 35° 54' 00",
// 359000000 (1e-7 of a degree). hemisphere is what the column of the hemisphere
// says, if there is one; then 3554.0000 is 35° 54', as in NMEA.
func (a axis) degrees(text, hemisphere string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	letter := ""
	if err != nil {
		if v, letter, err = a.spelled(text); err != nil {
			return 0, err
		}
	}
	if math.Abs(v) >= 1e6 && v == math.Trunc(v) {
		v /= 1e7
	}
	if hemisphere = strings.ToLower(strings.TrimSpace(hemisphere)); hemisphere != "" {
		letter = string([]rune(hemisphere)[:1])
		if math.Abs(v) > a.most {
			whole := math.Trunc(v / 100)
			v = whole + (v-100*whole)/60
		}
	}
	switch {
	case letter == "" || strings.Contains(a.positive, letter):
		return v, nil
	case strings.Contains(a.negative, letter):
		return -math.Abs(v), nil
	}
	return 0, fmt.Errorf("%.20q is no %s", text+" "+hemisphere, a.name)
}

// spelled reads an angle of degrees, or degrees and minutes, or seconds too, and
// the letter of its hemisphere.
func (a axis) spelled(text string) (v float64, letter string, err error) {
	s := strings.ToLower(strings.TrimSpace(text))
	for _, letters := range []string{a.positive, a.negative} {
		for _, l := range letters {
			if rest := strings.Trim(s, string(l)+"纬经"); len(rest) < len(s) && strings.ContainsRune(s, l) {
				s, letter = rest, string(l)
			}
		}
	}
	if !strings.Contains(s, ".") {
		s = strings.Replace(s, ",", ".", 1)
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" °º度分秒'′’\"″”:", r) })
	if len(parts) == 0 || len(parts) > 3 {
		return 0, "", fmt.Errorf("%.20q is no %s", text, a.name)
	}
	for i, p := range parts {
		x, err := strconv.ParseFloat(p, 64)
		if err != nil || i > 0 && (x < 0 || x >= 60) {
			return 0, "", fmt.Errorf("%.20q is no %s", text, a.name)
		}
		v += math.Copysign(x/math.Pow(60, float64(i)), sign(parts[0]))
	}
	return v, letter, nil
}

// sign returns -1 for a text that begins with a minus, else 1.
func sign(text string) float64 {
	if strings.HasPrefix(text, "-") {
		return -1
	}
	return 1
}
