package journal

import (
	"bytes"
	"errors"
	"io"
)

const (
	scanBytes  = 64 << 10
	blockBytes = 4 << 10 // a medium loses this much at once
)

// scanner reads the frames of a segment up to limit. It skips bytes that are no
// valid frame, so that damage costs only the records that it hit.
type scanner struct {
	r     io.ReaderAt
	off   int64  // of the next byte to look at
	limit int64  // bytes from here on may be incomplete
	after uint64 // last seq seen; the next is higher

	buf []byte // bytes of the segment from offset at
	at  int64
}

// next returns the next valid frame, or false at the limit. The frame's skipped
// counts the bytes between the frame before and this one, or the limit.
func (s *scanner) next() (frame, bool) {
	start := s.off
	for s.off < s.limit {
		b := s.window(frameLen)
		if n := payloadLen(b); n >= 0 {
			b = s.window(frameLen + n)
		}
		if f, ok := parseFrame(b, s.after); ok {
			f.off, f.skipped = s.off, s.off-start
			s.off += frameLen + int64(len(f.payload))
			s.after = f.to
			return f, true
		}
		s.resync()
	}
	return frame{off: s.limit, skipped: s.limit - start}, false
}

// resync moves off to the next bytes that look like a frame.
func (s *scanner) resync() {
	s.off++
	for s.off < s.limit {
		b := s.window(len(frameMark))
		if i := bytes.Index(b, frameMark); i >= 0 {
			s.off += int64(i)
			return
		}
		s.off += int64(max(1, len(b)-len(frameMark)+1))
	}
	s.off = s.limit
}

// window returns the bytes from off on: at least n unless the limit is nearer.
func (s *scanner) window(n int) []byte {
	n = int(min(int64(n), s.limit-s.off))
	if s.off < s.at || s.off+int64(n) > s.at+int64(len(s.buf)) {
		s.load(n)
	}
	return s.buf[s.off-s.at:]
}

func (s *scanner) load(n int) {
	n = int(min(int64(max(n, scanBytes)), s.limit-s.off))
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	s.buf, s.at = s.buf[:n], s.off
	if got, err := s.r.ReadAt(s.buf, s.off); got < n {
		s.loadBlocks(got, err)
	}
}

// loadBlocks reads the rest of buf block by block. A block that can't be read is
// replaced by zeros, which are no valid frame.
func (s *scanner) loadBlocks(got int, err error) {
	for got < len(s.buf) {
		end := min(len(s.buf), got+blockBytes-int((s.at+int64(got))%blockBytes))
		n := 0
		if !errors.Is(err, io.EOF) {
			n, err = s.r.ReadAt(s.buf[got:end], s.at+int64(got))
		}
		clear(s.buf[got+n : end])
		got = end
	}
}
