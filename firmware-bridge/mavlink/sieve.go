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

// sieve lets only whole frames of a serial line through. The library's reader
// takes a magic byte inside of a frame for the begin of one, swallows the begin
// of the next, and may go on so for as long as the frames are alike.
type sieve struct {
	line    io.Reader
	dialect *dialect.ReadWriter
	buf     []byte
	whole   int // bytes at the begin of buf that are frames
}

// messages are those that are understood; making them takes some 20 ms.
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

// Read gives bytes of whole frames; none when the line gave nothing.
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

// find drops what is no frame and counts what is.
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

// length is that of the frame that may begin b; 0: none does. enough is false
// while more bytes must come.
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

func (s *sieve) valid(b []byte) bool {
	r := &frame.Reader{BufByteReader: bufio.NewReader(bytes.NewReader(b)), DialectRW: s.dialect}
	if r.Initialize() != nil {
		return false
	}
	f, err := r.Read()
	if err != nil {
		return false
	}
	_, unknown := f.GetMessage().(*message.MessageRaw) // its checksum can't be told
	return !unknown
}
