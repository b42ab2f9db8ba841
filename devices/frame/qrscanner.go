package frame

import (
	"bytes"
	"fmt"
	"time"
)

// Serial QR and barcode scanners (Grow GM65, GM72 and the like) send the decoded text
// followed, depending on their set-up, by CR, LF, both, TAB, ETX or nothing. Text with
// line breaks in it comes as it is, so that only silence tells the end of a code from
// a line of it; scanners send a code without pauses. Source: GM65 and GM72 manuals.
const (
	scanMax   = 7089 // bytes; a QR code holds at most 7,089 digits
	scanPause = 50 * time.Millisecond
	// scanSilence ends a code that has no suffix; where one is expected it may only
	// be late.
	scanSilence = 150 * time.Millisecond
	// scanRepeats is after how many equal lines in a row a scanner is held to repeat
	// one code without a pause.
	scanRepeats = 4
	scanLeast   = 4 // bytes that are no text: a code; fewer are a glitch of the line
	suffixes    = "\r\n\t\x03\x00"
)

// Scanner finds the codes in what a scanner sends. It is for one goroutine.
type Scanner struct {
	skipped time.Time // when the newest bytes of a code that is too long came
}

// NewScanner returns a scanner from which nothing has come.
func NewScanner() *Scanner { return &Scanner{} }

// Frame returns the code in buf when it is complete; see Framer.
func (s *Scanner) Frame(at time.Time, buf []byte, quiet time.Duration) (Reading, int, error) {
	if at.Sub(s.skipped) < scanPause {
		s.skipped = at
		return nil, len(buf), nil
	}
	if empty := len(buf) - len(bytes.TrimLeft(buf, suffixes)); empty > 0 {
		return nil, empty, nil // an empty line, or the LF of a CR LF that came late
	}
	if line, used := repeated(buf); used > 0 {
		return code(at, line, used)
	}
	body := bytes.TrimRight(buf, suffixes)
	switch {
	case len(body) > scanMax:
		s.skipped = at
		return nil, len(buf), fmt.Errorf("more than %d bytes: %w", scanMax, ErrUnread)
	case quiet < scanPause, len(body) == len(buf) && quiet < scanSilence:
		return nil, 0, nil
	}
	if line, same := equalLines(body); same {
		body = line
	}
	return code(at, body, len(buf))
}

// code returns the tap of a code's bytes, which are in the first used bytes.
func code(at time.Time, raw []byte, used int) (Reading, int, error) {
	text, err := Text(raw)
	switch {
	case err != nil && len(raw) >= scanLeast:
		return nil, used, fmt.Errorf("%w: %w", ErrUnread, err)
	case err != nil:
		return nil, used, err
	}
	return Tap{At: at, Code: text}, used, nil
}

// repeated returns the first line of buf, and how long it is with its suffix, when buf
// begins with scanRepeats equal lines: a scanner that sends a code again without a pause.
func repeated(buf []byte) (line []byte, used int) {
	end := bytes.IndexAny(buf, suffixes)
	if end < 0 {
		return nil, 0
	}
	next := len(buf) - len(bytes.TrimLeft(buf[end:], suffixes))
	if !bytes.HasPrefix(buf, bytes.Repeat(buf[:next], scanRepeats)) {
		return nil, 0
	}
	return buf[:end], next
}

// equalLines returns a line of body when all its lines are equal: the scanner has sent
// one code twice without a pause.
func equalLines(body []byte) (line []byte, same bool) {
	for l := range bytes.FieldsFuncSeq(body, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if line != nil && !bytes.Equal(l, line) {
			return nil, false
		}
		line = l
	}
	return line, line != nil
}
