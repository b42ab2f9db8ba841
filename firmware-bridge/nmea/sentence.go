package nmea

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// sentence is what RMC and GGA say of a position. Other sentences are not read.
type sentence struct {
	kind     string // "RMC" or "GGA"
	epoch    string // the time of day of the fix, without zeros at its end; empty: not known
	fix      bool   // the receiver knows its position, and measured it
	no       bool   // the receiver says that it has no such position
	lat, lon float64
	speed    *float64 // m/s, of RMC
	sum      bool     // it ended with a checksum
}

// errNoSum means that a sentence ends without a checksum, and is not whole.
var errNoSum = errors.New("it has no checksum: a part is missing")

// leastWhole is the fewest fields of a sentence that is believed without a checksum:
// an RMC as far as its date.
const leastWhole = 10

const knot = 1852.0 / 3600 // m/s

// kindOf returns the last three letters of a sentence's address, such as RMC for any
// talker; empty: there is no address of five letters.
func kindOf(text string) string {
	address, _, _ := strings.Cut(strings.TrimPrefix(text, "$"), ",")
	if len(address) != 5 {
		return ""
	}
	for _, c := range []byte(address) {
		if c < 'A' || c > 'Z' {
			return ""
		}
	}
	return address[2:]
}

// parse reads a sentence that begins with its $. used is false for sentences of
// other kinds, which are checked for nothing.
//
// The fields are those of NMEA 0183. Receivers leave out what lies behind the
// date: old ones the mode, some the direction of the variation.
func parse(text string) (s sentence, used bool, err error) {
	s.kind = kindOf(text)
	if s.kind != "RMC" && s.kind != "GGA" {
		return s, false, nil
	}
	body, s, err := checked(text, s)
	if err != nil {
		return s, true, fmt.Errorf("%.90q: %w", text, err)
	}
	f := strings.Split(body, ",")
	if !s.sum && len(f) < leastWhole {
		return s, true, fmt.Errorf("%.90q: %w", text, errNoSum)
	}
	if s.kind == "RMC" {
		err = s.readRMC(f)
	} else {
		err = s.readGGA(f)
	}
	if err != nil {
		return s, true, fmt.Errorf("%.90q: %w", text, err)
	}
	return s, true, nil
}

// checked returns what stands between $ and *. A sentence without * has no
// checksum.
func checked(text string, s sentence) (string, sentence, error) {
	body, sum, has := strings.Cut(text[1:], "*")
	if !has {
		return body, s, nil
	}
	s.sum = true
	said, err := strconv.ParseUint(sum, 16, 8)
	if err != nil || len(sum) != 2 {
		return "", s, fmt.Errorf("checksum %q is not two hexadecimal digits", sum)
	}
	var is byte
	for i := range len(body) {
		is ^= body[i]
	}
	if is != byte(said) {
		return "", s, fmt.Errorf("checksum is %02X, not %s", is, sum)
	}
	return body, s, nil
}

// readRMC reads address, time, status, latitude, N or S, longitude, E or W, speed
// in knots, direction, date, and perhaps variation, its E or W, mode, status of
// navigation.
func (s *sentence) readRMC(f []string) error {
	if len(f) < 8 {
		return fmt.Errorf("%d fields, not 8 or more", len(f))
	}
	s.epoch = epoch(f[1])
	s.fix = (f[2] == "A" || f[2] == "D") && measured(mode(f))
	s.no = !s.fix
	if s.no {
		return nil
	}
	if err := s.position(f[3:7]); err != nil || !s.fix {
		return err
	}
	if f[7] == "" {
		return nil
	}
	knots, err := decimal(f[7])
	if err != nil {
		return fmt.Errorf("speed %w", err)
	}
	s.speed = new(knots * knot)
	return nil
}

// epoch returns a time of day such as 123519.50 without the zeros at its end: RMC
// and GGA of one receiver may be written with different digits.
func epoch(text string) string {
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// mode returns the mode of an RMC; empty: it has none. It stands behind the
// variation's direction, or in the place of that where a receiver leaves it out: an E
// without a variation is the mode.
func mode(f []string) string {
	switch {
	case len(f) < 12:
		return ""
	case f[11] != "" && strings.Contains("ADFMNPRS", f[11]):
		return f[11]
	case len(f) > 12:
		return f[12]
	case f[11] == "E" && f[10] == "":
		return f[11]
	}
	return ""
}

// measured reports whether a mode is that of a position that was measured: not
// estimated (E), given by hand (M), simulated (S) or absent (N).
func measured(mode string) bool { return mode == "" || !strings.Contains("EMNS", mode) }

// readGGA reads address, time, latitude, N or S, longitude, E or W, quality, and
// more that is not used.
func (s *sentence) readGGA(f []string) error {
	if len(f) < 7 {
		return fmt.Errorf("%d fields, not 7 or more", len(f))
	}
	s.epoch = epoch(f[1])
	switch f[6] {
	case "1", "2", "3", "4", "5", "9":
		s.fix = true
		return s.position(f[2:6])
	case "0", "6", "7", "8": // none, estimated, by hand, simulated
		s.no = true
		return nil
	case "": // some leave it out
		return nil
	}
	return fmt.Errorf("quality %q is not 0 to 9", f[6])
}

// position reads latitude, N or S, longitude, E or W. Where they are empty there is
// no fix.
func (s *sentence) position(f []string) (err error) {
	if f[0] == "" && f[2] == "" {
		s.fix = false
		return nil
	}
	if s.lat, err = angle(f[0], f[1], "N", "S", 90); err != nil {
		return fmt.Errorf("latitude %w", err)
	}
	if s.lon, err = angle(f[2], f[3], "E", "W", 180); err != nil {
		return fmt.Errorf("longitude %w", err)
	}
	return nil
}

// angle reads degrees and minutes, dddmm.mmmm, of at most so many degrees.
func angle(text, side, plus, minus string, most float64) (float64, error) {
	n, err := decimal(text)
	if err != nil {
		return 0, err
	}
	degrees := float64(int(n / 100))
	minutes := n - 100*degrees
	out := degrees + minutes/60
	if minutes >= 60 || out > most {
		return 0, fmt.Errorf("%q is not degrees and minutes up to %g°", text, most)
	}
	switch side {
	case plus:
		return out, nil
	case minus:
		return -out, nil
	}
	return 0, fmt.Errorf("side %q is neither %s nor %s", side, plus, minus)
}

// decimal reads digits with at most one point.
func decimal(text string) (float64, error) {
	if len(text) > 20 || strings.Trim(text, "0123456789.") != "" {
		return 0, fmt.Errorf("%.20q is no number", text)
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%.20q is no number", text)
	}
	return n, nil
}
