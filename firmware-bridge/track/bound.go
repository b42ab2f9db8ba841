package track

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxBytes bounds a file of any format.
const maxBytes = 64 << 20

var errLarge = fmt.Errorf("the file is larger than %d MiB: cut it into days", maxBytes>>20)

// source reads a file and refuses it as soon as it is too large, in bytes or,
// while in is set, in points: decoders read a whole text or array into memory
// before its points can be counted.
type source struct {
	r      *bufio.Reader
	left   int
	in     func(b byte) (point bool) // reports whether a point begins with b
	points int                       // how many more may begin
}

// atOnce is how many bytes are read before they are counted.
const atOnce = 64 << 10

func newSource(r io.Reader, most int) *source {
	return &source{r: bufio.NewReaderSize(r, atOnce), left: most}
}

// ReadByte keeps an XML decoder from reading ahead.
func (s *source) ReadByte() (byte, error) {
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, err
	}
	return b, s.take(b)
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p[:min(len(p), atOnce)])
	for i, b := range p[:n] {
		if err := s.take(b); err != nil {
			return i, err
		}
	}
	return n, err
}

func (s *source) take(b byte) error {
	if s.left--; s.left < 0 {
		return errLarge
	}
	if s.in != nil && s.in(b) {
		if s.points--; s.points < 0 {
			return ErrMany
		}
	}
	return nil
}

// words recognises the points of KML's coordinates: words between blanks.
func words() func(byte) bool {
	blank := true
	return func(b byte) bool {
		was := blank
		blank = b == ' ' || b == '\n' || b == '\t' || b == '\r'
		return was && !blank && b != '<'
	}
}

// arrays recognises the points of GeoJSON: arrays that begin with a number.
func arrays() func(byte) bool {
	const outside, array, text, escaped = 0, 1, 2, 3
	state := outside
	return func(b byte) bool {
		was := state
		switch {
		case was == escaped:
			state = text
		case was == text && b == '\\':
			state = escaped
		case was == text && b != '"', was == array && (b == ' ' || b == '\n' || b == '\t' || b == '\r'):
			// it goes on
		case b == '"' && was != text:
			state = text
		case b == '[':
			state = array
		default:
			state = outside
		}
		return was == array && (b == '-' || b >= '0' && b <= '9')
	}
}

// refused returns ErrMany or errLarge when err wraps it, without what the decoder
// says around it, and otherwise err.
func refused(err error) error {
	for _, reason := range []error{ErrMany, errLarge} {
		if errors.Is(err, reason) {
			return reason
		}
	}
	return err
}
