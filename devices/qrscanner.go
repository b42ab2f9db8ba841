package devices

import (
	"bytes"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"
)

// Serial QR and barcode scanners (Grow GM65, GM72 and the like) send the
// decoded text followed, depending on their set-up, by CR, LF, both or nothing.
// Without a suffix, silence ends the text. Source: GM65 and GM72 manuals.
const qrMax = 4 << 10 // bytes; a QR code holds at most 2,953

func newQRScanner(ports Ports, s Settings) (Sensor, error) {
	return newStream("qr-scanner", ports, s, 9600, nil, qrFrame)
}

func qrFrame(at time.Time, buf []byte, idle bool) (Reading, int, error) {
	end := bytes.IndexAny(buf, "\r\n")
	used := end + 1
	switch {
	case end == 0:
		return nil, 1, nil // the LF of a CR LF, or an empty line
	case end > qrMax:
		return nil, used, fmt.Errorf("a code of more than %d bytes: %w", qrMax, ErrFrame)
	case end < 0 && len(buf) > qrMax:
		return nil, len(buf), fmt.Errorf("a code of more than %d bytes: %w", qrMax, ErrFrame)
	case end < 0 && !idle:
		return nil, 0, nil
	case end < 0:
		end, used = len(buf), len(buf)
	}
	text := buf[:end]
	if !utf8.Valid(text) {
		return nil, used, fmt.Errorf("a code of %d bytes that is not UTF-8: %w", end, ErrFrame)
	}
	if bytes.ContainsFunc(text, unicode.IsControl) {
		return nil, used, fmt.Errorf("a code with control characters: %w", ErrFrame)
	}
	return Tap{At: at, Code: string(text)}, used, nil
}
