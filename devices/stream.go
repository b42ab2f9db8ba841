package devices

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// framer finds the first frame in buf. It returns how many bytes to drop from
// the front of buf, with the reading they are, or with an error when they are
// no frame. used == 0 asks for more bytes. idle says that the line has been
// quiet for a read time-out, for devices that mark the end of a frame by
// silence. A framer is pure, and never looks at buf again. One that breaks this
// is refused by name: what it was given is dropped, and Next returns an error
// that wraps ErrFault.
type framer func(at time.Time, buf []byte, idle bool) (r Reading, used int, err error)

const (
	firstRetry = 100 * time.Millisecond // before a port that is gone is tried again
	lastRetry  = 5 * time.Second
	maxBuffer  = 8 << 10 // bytes without a frame; a framer that keeps more is at fault
)

// stream is a Sensor on a serial line: it opens the line, feeds a framer, and
// opens the line again after it was unplugged.
type stream struct {
	model string
	ports Ports
	port  string
	baud  int
	frame framer
	ask   []byte // makes the device talk; sent after each opening

	line  io.ReadWriteCloser
	buf   []byte
	chunk [512]byte
	at    time.Time // when the newest byte in buf came
	idle  bool
	bad   error // bytes that were no frame, not reported yet
	noise noise // whether there has been a frame at all

	gone  bool // ErrGone was returned and the line is not back
	retry time.Duration
}

// newStream checks the settings of a serial device.
func newStream(m string, ports Ports, s Settings, baud int, ask []byte, f framer) (Sensor, error) {
	if s.Port == "" {
		return nil, fmt.Errorf("%s: port is missing", m)
	}
	if s.Baud != 0 {
		baud = s.Baud
	}
	return &stream{model: m, ports: ports, port: s.Port, baud: baud, frame: f, ask: ask, retry: firstRetry}, nil
}

// Next implements Sensor. It returns (nil, nil) when a line that was gone is
// open again.
func (s *stream) Next(ctx context.Context) (Reading, error) {
	for {
		if err := ctx.Err(); err != nil {
			s.close()
			return nil, err
		}
		if s.line == nil {
			back, err := s.open(ctx)
			if back || err != nil {
				return nil, err
			}
			continue
		}
		if r := s.parse(); r != nil {
			return r, nil
		}
		if err := s.bad; err != nil {
			s.bad = nil
			return nil, err
		}
		n, err := s.line.Read(s.chunk[:])
		if err != nil {
			s.close()
			if !errors.Is(err, ErrGone) {
				err = fmt.Errorf("%w: %w", ErrGone, err)
			}
			s.gone = true
			return nil, fmt.Errorf("%s: %w", s.model, err)
		}
		s.idle = n == 0
		if n > 0 {
			s.at = time.Now()
			s.buf = append(s.buf, s.chunk[:n]...)
		}
	}
}

// parse takes frames off the buffer until one is a reading or more bytes are
// needed. However much garbage it meets, it leaves one error.
func (s *stream) parse() Reading {
	for len(s.buf) > 0 {
		r, used, err := s.frame(s.at, s.buf, s.idle)
		if breach := breach(r, used, len(s.buf), err); breach != "" {
			r, used, err = nil, len(s.buf), fmt.Errorf("the driver %s is wrong: it %s: %w", s.model, breach, ErrFault)
		}
		if used == 0 && len(s.buf) > maxBuffer {
			used, err = len(s.buf), fmt.Errorf("%d bytes without an end: %w", len(s.buf), ErrFrame)
		}
		s.buf = append(s.buf[:0], s.buf[used:]...)
		if errors.Is(err, ErrFrame) && s.noise.bad(s.at, used) {
			err = fmt.Errorf("bytes come, but never a frame: check baud rate (%d now), model and wiring: %w", s.baud, ErrFault)
		}
		if err != nil && (s.bad == nil || errors.Is(err, ErrFault)) {
			s.bad = fmt.Errorf("%s on %s: %w", s.model, s.port, err)
		}
		if r != nil {
			s.noise.good()
			return r
		}
		if used == 0 {
			return nil
		}
	}
	return nil
}

// breach says what of its contract a framer has broken that was given n bytes,
// or "".
func breach(r Reading, used, n int, err error) string {
	switch {
	case used < 0 || used > n:
		return fmt.Sprintf("wants to drop %d bytes of %d", used, n)
	case r != nil && err != nil:
		return fmt.Sprintf("gives a reading and an error (%v)", err)
	case r != nil && used == 0:
		return "gives a reading and drops nothing"
	case err != nil && used == 0:
		return fmt.Sprintf("gives an error and drops nothing (%v)", err)
	}
	return ""
}

// open opens the line. It reports a failure once and then tries quietly, with
// back-off, until the line is back or ctx ends.
func (s *stream) open(ctx context.Context) (back bool, err error) {
	line, err := s.ports.Serial(s.port, s.baud)
	if err == nil && len(s.ask) > 0 {
		if _, err = line.Write(s.ask); err != nil {
			line.Close()
		}
	}
	if err == nil {
		back = s.gone
		s.line, s.gone, s.retry, s.idle, s.bad = line, false, firstRetry, false, nil
		s.buf = s.buf[:0]
		s.noise = noise{}
		return back, nil
	}
	first := !s.gone
	s.gone = true
	if first {
		if !errors.Is(err, ErrGone) {
			err = fmt.Errorf("%w: %w", ErrGone, err)
		}
		return false, fmt.Errorf("%s: %w", s.model, err)
	}
	wait(ctx, s.retry)
	s.retry = min(2*s.retry, lastRetry)
	return false, nil
}

func (s *stream) close() {
	if s.line != nil {
		s.line.Close()
		s.line = nil
	}
}

// wait waits for d or the end of ctx.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
