package frame

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// RDM6300: reader of 125 kHz EM4100 cards. While a card is near it sends every
// 65 ms: 02, ten hex digits (version and 32-bit number), two hex digits (the
// XOR of those five bytes), 03. It takes no commands. Source: the module's data
// sheet; https://github.com/arduino12/rdm6300. Near motors and power supplies it also
// sends cards that are not there, with the right XOR, once each (Tasmota issue 9522).
//
// ID-12LA and ID-20LA, and modules that copy them, send CR LF before the 03, some
// after it; they send a card once. Source: ID-12LA data sheet.
const (
	rdmSize  = 14
	rdmStart = 0x02
	rdmEnd   = 0x03
)

// RDM6300 returns the card that buf begins with; see Framer.
func RDM6300(at time.Time, buf []byte, _ time.Duration) (Reading, int, error) {
	if breaks := len(buf) - len(bytes.TrimLeft(buf, "\r\n")); breaks > 0 {
		return nil, breaks, nil
	}
	start := bytes.IndexByte(buf, rdmStart)
	if start < 0 {
		start = len(buf)
	}
	if start > 0 {
		return nil, start, fmt.Errorf("%d bytes before a card: %w", start, ErrFrame)
	}
	end := bytes.IndexByte(buf, rdmEnd)
	if again := bytes.IndexByte(buf[1:], rdmStart); again >= 0 && (end < 0 || again+1 < end) {
		return nil, again + 1, fmt.Errorf("a card cut short after %d bytes: %w", again+1, ErrFrame)
	}
	switch {
	case end < 0 && len(buf) < rdmSize+2:
		return nil, 0, nil
	case end < 0:
		return nil, len(buf), fmt.Errorf("no end after %d bytes: %w", len(buf), ErrFrame)
	}
	digits := bytes.TrimRight(buf[1:end], "\r\n")
	if len(digits) != rdmSize-2 {
		return nil, end + 1, fmt.Errorf("a card of %d digits, not %d: %w", len(digits), rdmSize-2, ErrFrame)
	}
	code, err := rdmCard(digits)
	if err != nil {
		return nil, end + 1, err
	}
	return Tap{At: at, Code: code, Repeats: len(digits) == end-1}, end + 1, nil
}

// rdmCard returns the card of twelve digits, in upper case, without its checksum.
func rdmCard(digits []byte) (string, error) {
	raw, err := hex.DecodeString(string(digits))
	if err != nil {
		return "", fmt.Errorf("not hex digits: %w", ErrFrame)
	}
	var sum byte
	for _, v := range raw[:5] {
		sum ^= v
	}
	if sum != raw[5] {
		return "", fmt.Errorf("checksum %02X, not %02X: %w", sum, raw[5], ErrFrame)
	}
	code := strings.ToUpper(string(digits[:10]))
	if code[2:] == "00000000" || code == "FFFFFFFFFF" {
		return "", fmt.Errorf("%s is no card: a reader or line that is disturbed: %w", code, ErrFrame)
	}
	return code, nil
}
