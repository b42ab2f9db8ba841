package devices

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
// sheet; https://github.com/arduino12/rdm6300.
const (
	rdmSize  = 14
	rdmStart = 0x02
	rdmEnd   = 0x03
)

func newRDM6300(ports Ports, s Settings) (Sensor, error) {
	return newStream("rdm6300", ports, s, 9600, nil, rdmFrame)
}

func rdmFrame(at time.Time, buf []byte, _ bool) (Reading, int, error) {
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
	case end < 0 && len(buf) < rdmSize:
		return nil, 0, nil
	case end < 0:
		return nil, rdmSize, fmt.Errorf("no end after %d bytes: %w", rdmSize, ErrFrame)
	case end != rdmSize-1:
		return nil, end + 1, fmt.Errorf("a card of %d bytes, not %d: %w", end+1, rdmSize, ErrFrame)
	}
	digits := string(buf[1 : rdmSize-1])
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return nil, rdmSize, fmt.Errorf("not hex digits: %w", ErrFrame)
	}
	var sum byte
	for _, v := range raw[:5] {
		sum ^= v
	}
	if sum != raw[5] {
		return nil, rdmSize, fmt.Errorf("checksum %02X, not %02X: %w", sum, raw[5], ErrFrame)
	}
	return Tap{At: at, Code: strings.ToUpper(digits[:10])}, rdmSize, nil
}
