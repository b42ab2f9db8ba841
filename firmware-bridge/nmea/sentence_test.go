package nmea

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// summed returns a sentence with its $ and checksum.
func summed(body string) string {
	var sum byte
	for i := range len(body) {
		sum ^= body[i]
	}
	return fmt.Sprintf("$%s*%02X", body, sum)
}

const (
	where = "3554.000,N,11506.600,E"
	rmc9  = "GPRMC,123519,A," + where + ",002.4,084.4,140220"
)

func TestAFixCountsByStatusModeAndQuality(t *testing.T) {
	for body, fix := range map[string]bool{
		rmc9:              true,
		rmc9 + ",":        true,
		rmc9 + ",,A":      true,
		rmc9 + ",,N":      false,
		rmc9 + ",,E":      false, // estimated, without direction of the variation
		rmc9 + ",3.1,E":   true,  // 3.1° east
		rmc9 + ",,W":      true,
		rmc9 + ",3.1,W,A": true,
		rmc9 + ",3.1,E,E": false,
		rmc9 + ",,,A":     true,
		rmc9 + ",,,A,V":   true, // the status of navigation says nothing of the fix
		rmc9 + ",,,D":     true,
		rmc9 + ",,,R,S":   true,
		rmc9 + ",,,F":     true,
		rmc9 + ",,,P":     true,
		rmc9 + ",,,E":     false,
		rmc9 + ",,,M":     false,
		rmc9 + ",,,S":     false,
		rmc9 + ",,,N":     false,
		rmc9 + ",,,":      true,
		rmc9 + ", ~":      true, // a space and a tilde end no sentence
		rmc9 + ",,A,S":    true, // mode and status of navigation, without direction
		rmc9 + ",,S,A":    false,
		"GPRMC,123519,V," + where + ",,,140220,,,A": false,
		"GPRMC,123519,C," + where + ",,,140220,,,A": false,
		"GPRMC,123519,D," + where + ",,,140220":     true,
		"GPRMC,123519,A,,,,,,,140220,,,A":           false,
		"GPGGA,123519," + where + ",0,08":           false,
		"GPGGA,123519," + where + ",1,08":           true,
		"GPGGA,123519," + where + ",2,08":           true,
		"GPGGA,123519," + where + ",3,08":           true,
		"GPGGA,123519," + where + ",4,08":           true,
		"GPGGA,123519," + where + ",5,08":           true,
		"GPGGA,123519," + where + ",6,08":           false,
		"GPGGA,123519," + where + ",7,08":           false,
		"GPGGA,123519," + where + ",8,08":           false,
		"GPGGA,123519," + where + ",9,08":           true,
		"GPGGA,123519," + where + ",,08":            false,
		"GPGGA,123519," + where + ",1":              true,
	} {
		s, ok, err := Parse(summed(body))
		if err != nil || ok != fix || ok && (math.Abs(*s.Lat-35.9) > 1e-9 || math.Abs(*s.Lon-115.11) > 1e-9) {
			t.Errorf("%s: %v %v %+v", body, ok, err, s)
		}
	}
}

func TestWhatIsWrongWithASentenceIsSaid(t *testing.T) {
	for body, want := range map[string]string{
		"GPRMC,123519,A," + where:                         "7 fields",
		"GPGGA,123519," + where:                           "6 fields",
		"GPGGA,123519," + where + ",x,08":                 `quality "x"`,
		"GPRMC,1,A,3560.000,N,11506.600,E,1":              `"3560.000"`,
		"GPRMC,1,A,9000.001,N,11506.600,E,1":              `"9000.001"`,
		"GPRMC,1,A,3554.000,N,18000.001,E,1":              `"18000.001"`,
		"GPRMC,1,A,3554.000,E,11506.600,E,1":              "neither N nor S",
		"GPRMC,1,A,3554.000,N,11506.600,N,1":              "neither E nor W",
		"GPRMC,1,A,3554.000,N,,E,1":                       "longitude",
		"GPRMC,1,A,,N,11506.600,E,1":                      "latitude",
		"GPRMC,1,A,-3554.000,N,11506.600,E,1":             "no number",
		"GPRMC,1,A,3554.0.0,N,11506.600,E,1":              "no number",
		"GPRMC,1,A,NaN,N,11506.600,E,1":                   "no number",
		"GPRMC,1,A,000000000000000003554,N,11506.600,E,1": "no number",
		"GPRMC,1,A,3554.000,N,11506.600,E,fast":           "speed",
		"GPGGA,1," + where + ",1,08*00":                   "checksum",
	} {
		_, ok, err := Parse(summed(body))
		if ok || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	for text, want := range map[string]string{
		"$" + rmc9 + "*6":   "hexadecimal",
		"$" + rmc9 + "*xy":  "hexadecimal",
		"$" + rmc9 + "*001": "hexadecimal",
		"$" + rmc9 + "*00":  "not 00",
		"$" + rmc9[:40]:     "no checksum",
	} {
		if _, ok, err := Parse(text); ok || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestTheEdgesOfTheEarthAndOfFields(t *testing.T) {
	s, ok, err := Parse(summed("GPRMC,1,A,9000.000,S,18000.000,W,"))
	if !ok || err != nil || *s.Lat != -90 || *s.Lon != -180 || s.Speed != nil {
		t.Errorf("%v %v %+v", ok, err, s)
	}
	s, ok, err = Parse(summed("GPRMC,1,A,0000.0600,S,00000.5999,W,10"))
	if !ok || err != nil || math.Abs(*s.Lat+0.001) > 1e-12 || math.Abs(*s.Lon+0.5999/60) > 1e-12 ||
		math.Abs(*s.Speed-5.14444444) > 1e-6 {
		t.Errorf("%v %v %+v", ok, err, s)
	}
	for digits, want := range map[int]bool{15: true, 16: false} { // 20 and 21 characters
		text := "3554." + strings.Repeat("0", digits)
		if _, ok, err := Parse(summed("GPRMC,1,A," + text + ",N,11506.600,E,1")); ok != want || (err == nil) != want {
			t.Errorf("%s: %v %v", text, ok, err)
		}
	}
}

func TestAnyPositionIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lat, lon := rapid.Float64Range(-90, 90).Draw(t, "lat"), rapid.Float64Range(-180, 180).Draw(t, "lon")
		write := func(v float64, plus, minus string, width int) string {
			side := plus
			if v < 0 {
				side = minus
			}
			tenThousandths := int(math.Round(math.Abs(v) * 60e4))
			return fmt.Sprintf("%0*d%02d.%04d,%s", width, tenThousandths/60e4,
				tenThousandths/1e4%60, tenThousandths%1e4, side)
		}
		text := "GNGGA,1," + write(lat, "N", "S", 2) + "," + write(lon, "E", "W", 3) + ",1"
		s, ok, err := Parse(summed(text))
		if !ok || err != nil || math.Abs(*s.Lat-lat) > 1e-6 || math.Abs(*s.Lon-lon) > 1e-6 {
			t.Fatalf("%s: %v %v %+v", text, ok, err, s)
		}
	})
}
