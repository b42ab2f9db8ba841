package mavlink

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/bluenviron/gomavlib/v3/pkg/dialect"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/frame"
	"github.com/bluenviron/gomavlib/v3/pkg/message"
)

// sieve passes on only whole frames of a serial line. The library's reader takes
// a magic byte inside a frame for the start of one, swallows the start of the
// next, and may go on like this for as long as the frames are alike.
type sieve struct {
	line    io.Reader
	dialect *dialect.ReadWriter
	buf     []byte
	whole   int // bytes at the start of buf that are whole frames
}

// messages returns the messages that are understood; making them takes some 20 ms.
var messages = sync.OnceValues(func() (*dialect.ReadWriter, error) {
	d := &dialect.ReadWriter{Dialect: ardupilotmega.Dialect}
	if err := d.Initialize(); err != nil {
		return nil, fmt.Errorf("mavlink: %w", err)
	}
	return d, nil
})

func newSieve(line io.Reader) (*sieve, error) {
	d, err := messages()
	return &sieve{line: line, dialect: d}, err
}

// Read returns bytes of whole frames; 0 when the line had none.
func (s *sieve) Read(b []byte) (int, error) {
	if s.whole == 0 {
		chunk := make([]byte, 512)
		n, err := s.line.Read(chunk)
		if err != nil {
			return 0, err
		}
		s.buf = append(s.buf, chunk[:n]...)
		s.find()
	}
	n := copy(b, s.buf[:s.whole])
	s.buf, s.whole = s.buf[n:], s.whole-n
	return n, nil
}

// find drops what is not a frame and counts what is one.
func (s *sieve) find() {
	for {
		rest := s.buf[s.whole:]
		n, enough := length(rest)
		switch {
		case !enough:
			return
		case n > 0 && s.valid(rest[:n]):
			s.whole += n
		default:
			s.buf = append(s.buf[:s.whole], rest[1:]...)
		}
	}
}

// length returns the length of the frame that b may start with; 0: with none.
// enough is false while more bytes are needed.
func length(b []byte) (n int, enough bool) {
	if len(b) < 3 {
		return 0, false
	}
	switch b[0] {
	case magicV1:
		n = 8 + int(b[1])
	case magicV2:
		if n = 12 + int(b[1]); b[2]&1 == 1 {
			n += 13 // signature
		}
	default:
		return 0, true
	}
	return n, len(b) >= n
}

// valid reports whether b is a known frame with a right checksum.
func (s *sieve) valid(b []byte) bool {
	r := &frame.Reader{BufByteReader: bufio.NewReader(bytes.NewReader(b)), DialectRW: s.dialect}
	if r.Initialize() != nil {
		return false
	}
	f, err := r.Read()
	if err != nil {
		return false
	}
	_, unknown := f.GetMessage().(*message.MessageRaw) // its checksum can't be verified
	return !unknown
}
