package track

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

const (
	// MaxBytes bounds a file of any format, and what a KMZ unpacks to.
	MaxBytes = 160 << 20
	// maxText bounds the coordinates of one KML line and one feature of GeoJSON,
	// which the decoders hold in memory: a buffer that doubles stays below 64 MiB.
	maxText = 63 << 20
	// maxToken bounds any other piece that a decoder holds: a row of a table, an
	// XML element's tag, text or comment.
	maxToken = 2 << 20
)

// limits are what a file may hold at most: bytes, points, bytes of a long text and
// of any other piece.
type limits struct{ bytes, points, text, token int }

var allowed = limits{MaxBytes, MaxPoints, maxText, maxToken}

// Errors of files that are too large.
var (
	errLarge = fmt.Errorf("the file is larger than %d MiB: cut it into days", MaxBytes>>20)
	errText  = fmt.Errorf("a row, text or element is longer than %d MiB (a quotation mark that is not closed?)",
		maxToken>>20)
	errFeature = fmt.Errorf("a line or feature is longer than %d MiB: cut it into days", maxText>>20)
)

// source reads a file and refuses it as soon as it is too large: the whole, or
// the piece that a decoder reads next.
type source struct {
	r     *bufio.Reader
	left  int // of the file, beyond the piece
	piece int // of the piece
	why   error
	most  limits
}

// atOnce is how many bytes are read before they are counted.
const atOnce = 64 << 10

func newSource(r io.Reader, most limits) *source {
	return &source{r: bufio.NewReaderSize(r, atOnce), piece: most.bytes, why: errLarge, most: most}
}

// allow begins a piece of at most so many bytes; why is the error of a longer one.
func (s *source) allow(most int, why error) {
	s.left += max(s.piece, 0)
	s.piece, s.why = most, why
	if most >= s.left {
		s.piece, s.why = s.left, errLarge
	}
	s.left -= s.piece
}

// ReadByte keeps an XML decoder from reading ahead.
func (s *source) ReadByte() (byte, error) {
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, err
	}
	if s.piece--; s.piece < 0 {
		return 0, s.why
	}
	return b, nil
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p[:min(len(p), atOnce)])
	if s.piece -= n; s.piece < 0 {
		return 0, s.why
	}
	return n, err
}

// refused returns the error of this package that err wraps, without what a decoder
// says around it, and otherwise err.
func refused(err error) error {
	for _, reason := range []error{ErrMany, errLarge, errText, errFeature, errDeep, errElements, errMembers} {
		if errors.Is(err, reason) {
			return reason
		}
	}
	return err
}
