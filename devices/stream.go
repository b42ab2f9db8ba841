package devices

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gatehouse/devices/frame"
)

const (
	firstRetry = 100 * time.Millisecond // wait before re-opening; doubles up to lastRetry
	lastRetry  = 5 * time.Second
	maxBuffer  = 8 << 10 // bytes kept while a framer asks for more

	// A device that must be asked to send forgets it when its supply fails.
	askAfter = 2 * time.Second // without a reading: ask again
	askEvery = 5 * time.Second

	// pause is how long the line is read at a time while a frame is not complete, until
	// nothing has come for silence.
	pause   = 50 * time.Millisecond
	silence = 250 * time.Millisecond
)

// stream is a Sensor on a serial line: it opens the line, feeds a framer, and re-opens
// the line after it was unplugged. If the framer breaks its contract, the buffer is
// dropped and Next returns an error that wraps ErrFault and names the driver.
type stream struct {
	model string
	frame frame.Framer
	line  line

	buf   []byte
	chunk [512]byte
	at    time.Time     // when the newest byte in buf arrived
	quiet time.Duration // how long nothing has arrived since
	bad   error         // to be returned by Next
	noise frame.Noise
}

// line is the serial line of a stream.
type line struct {
	ports Ports
	port  string
	baud  int
	ask   []byte    // makes the device send; written after each opening and in silence
	due   time.Time // when it is asked again

	io    io.ReadWriteCloser // nil while it is not open
	gone  bool               // ErrGone was returned and the line is not open again
	retry time.Duration      // wait before the next opening
}

// newStream checks the settings and returns the sensor; Next opens the line.
// baud is the model's default; ask may be nil.
func newStream(model string, ports Ports, s Settings, baud int, ask []byte, find frame.Framer) (Sensor, error) {
	if s.Port == "" {
		return nil, fmt.Errorf("%s: port is missing", model)
	}
	if s.Baud != 0 {
		baud = s.Baud
	}
	return &stream{
		model: model,
		frame: find,
		line:  line{ports: ports, port: s.Port, baud: baud, ask: ask, retry: firstRetry},
	}, nil
}

// Next implements Sensor.
func (s *stream) Next(ctx context.Context) (Reading, error) {
	for {
		if err := ctx.Err(); err != nil {
			s.close()
			return nil, err
		}
		if s.line.io == nil {
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
		n, err := s.read()
		if err != nil {
			s.close()
			if !errors.Is(err, ErrGone) {
				err = fmt.Errorf("%w: %w", ErrGone, err)
			}
			s.line.gone = true
			return nil, fmt.Errorf("%s: %w", s.model, err)
		}
		s.quiet = time.Since(s.at)
		if n > 0 {
			s.at, s.quiet = time.Now(), 0
			s.buf = append(s.buf, s.chunk[:n]...)
		}
	}
}

// read reads from the line, after asking the device again when that is due.
func (s *stream) read() (int, error) {
	if l := &s.line; len(l.ask) > 0 && time.Now().After(l.due) {
		l.due = time.Now().Add(askEvery)
		if _, err := l.io.Write(l.ask); err != nil {
			return 0, err
		}
	}
	brief, ok := s.line.io.(interface {
		ReadWithin(b []byte, d time.Duration) (int, error)
	})
	if ok && len(s.buf) > 0 && s.quiet < silence {
		return brief.ReadWithin(s.chunk[:], pause)
	}
	return s.line.io.Read(s.chunk[:])
}

// parse takes frames off the buffer until one is a reading, which it returns,
// or more bytes are needed. However much garbage it meets, it leaves at most one
// error in s.bad.
func (s *stream) parse() Reading {
	for len(s.buf) > 0 {
		r, used, err := s.frame(s.at, s.buf, s.quiet)
		if breach := breach(r, used, len(s.buf), err); breach != "" {
			r, used = nil, len(s.buf)
			err = fmt.Errorf("the driver %s is wrong: it %s: %w", s.model, breach, ErrFault)
		}
		if used == 0 && len(s.buf) > maxBuffer {
			used, err = len(s.buf), fmt.Errorf("%d bytes without an end: %w", len(s.buf), ErrFrame)
		}
		s.buf = append(s.buf[:0], s.buf[used:]...)
		if errors.Is(err, ErrFrame) && s.noise.Bad(s.at, used) {
			err = fmt.Errorf("%s (%d baud now; the newest: %w): %w", frame.Hint, s.line.baud, err, ErrFault)
		}
		if err != nil && (s.bad == nil || errors.Is(err, ErrFault)) {
			s.bad = fmt.Errorf("%s on %s: %w", s.model, s.line.port, err)
		}
		if r != nil {
			s.noise.Good()
			s.line.due = s.at.Add(askAfter)
			return r
		}
		if used == 0 {
			return nil
		}
	}
	return nil
}

// breach describes how a framer's results for n bytes break its contract; it
// returns "" if they do not.
func breach(r Reading, used, n int, err error) string {
	switch {
	case used < 0 || used > n:
		return fmt.Sprintf("wants to drop %d bytes of %d", used, n)
	case r != nil && err != nil:
		return fmt.Sprintf("returns a reading and an error (%v)", err)
	case r != nil && used == 0:
		return "returns a reading and drops nothing"
	case err != nil && used == 0:
		return fmt.Sprintf("returns an error and drops nothing (%v)", err)
	}
	return ""
}

// open tries once to open the line. It returns the first failure; after later
// ones it returns nil once it has waited for the back-off or ctx is done. back
// reports that a line which was gone is open again.
func (s *stream) open(ctx context.Context) (back bool, err error) {
	l := &s.line
	opened, err := l.ports.Serial(l.port, l.baud)
	if err == nil && len(l.ask) > 0 {
		if _, err = opened.Write(l.ask); err != nil {
			opened.Close()
		}
	}
	if err == nil {
		back = l.gone
		l.io, l.gone, l.retry, l.due = opened, false, firstRetry, time.Now().Add(askAfter)
		s.buf, s.quiet, s.bad, s.noise = s.buf[:0], 0, nil, frame.Noise{}
		return back, nil
	}
	first := !l.gone
	l.gone = true
	if first {
		if !errors.Is(err, ErrGone) {
			err = fmt.Errorf("%w: %w", ErrGone, err)
		}
		return false, fmt.Errorf("%s: %w", s.model, err)
	}
	wait(ctx, l.retry)
	l.retry = min(2*l.retry, lastRetry)
	return false, nil
}

func (s *stream) close() {
	if s.line.io != nil {
		s.line.io.Close()
		s.line.io = nil
	}
}

// wait waits for d or until ctx is done.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
