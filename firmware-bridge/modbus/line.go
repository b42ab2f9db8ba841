package modbus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// errHungUp means that the other end closed the connection, or the line is gone,
// before an answer came.
var errHungUp = errors.New("hung up before it answered")

// line is an open bus. Its methods belong to one goroutine; it owns the goroutine
// that reads.
type line struct {
	stream  io.ReadWriteCloser
	framing framing
	came    chan piece
	done    chan struct{} // closed by close
	wg      sync.WaitGroup

	number  uint16         // of the newest transaction
	pending map[uint8]sent // by unit: the newest request without an answer
	mute    int            // requests in a row after which no byte came
}

// piece is what one read brought, or why reading has ended.
type piece struct {
	at  time.Time
	b   []byte
	err error
}

// sent is a request without an answer.
type sent struct {
	request
	at   time.Time
	late time.Duration // after which its answer came; 0: none has come
}

func newLine(stream io.ReadWriteCloser, f framing) *line {
	l := &line{stream: stream, framing: f, came: make(chan piece, 64), done: make(chan struct{}),
		pending: map[uint8]sent{}}
	l.wg.Go(l.read)
	return l
}

// read passes on what comes until the line fails or is closed. A read that times
// out returns no bytes and no error.
func (l *line) read() {
	for {
		buf := make([]byte, 512)
		n, err := l.stream.Read(buf)
		if n == 0 && err == nil {
			select {
			case <-l.done:
				return
			default:
				continue
			}
		}
		select {
		case l.came <- piece{time.Now(), buf[:n], err}:
		case <-l.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// close closes the line and waits for its goroutine.
func (l *line) close() {
	close(l.done)
	_ = l.stream.Close() // nothing can be done about an error
	l.wg.Wait()
}

const (
	mostKept    = 1024 // bytes in which an answer is looked for; a frame has at most 260
	mostDrained = 200  // pieces that are dropped before a request
)

// drain drops what came since the last request: late answers must not be taken for
// the next one. It notes how late an answer was.
func (l *line) drain() error {
	var b []byte
	for range mostDrained {
		select {
		case p := <-l.came:
			if p.err != nil {
				return fmt.Errorf("%w: %w", errHungUp, p.err)
			}
			b = append(b, p.b...)
			b = b[max(0, len(b)-mostKept):]
			for unit, s := range l.pending {
				if f := l.framing.find(s.request, b); f.answered && s.late == 0 {
					s.late = p.at.Sub(s.at)
					l.pending[unit] = s
				}
			}
		default:
			return nil
		}
	}
	return nil
}

// ask sends a request and returns the values that answer it. The error is an
// exception, errHungUp, a *silence, or that of ctx.
func (l *line) ask(ctx context.Context, r request, timeout time.Duration) ([]byte, error) {
	if err := l.drain(); err != nil {
		return nil, err
	}
	l.number++
	r.number = l.number
	if _, err := l.stream.Write(l.framing.frame(r)); err != nil {
		return nil, fmt.Errorf("%w: %w", errHungUp, err)
	}
	began := time.Now()
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	var b []byte
	var f found
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-limit.C:
			return nil, l.unanswered(r, began, timeout, b, f)
		case p := <-l.came:
			b = append(b, p.b...)
			b = b[max(0, len(b)-mostKept):]
			f = l.framing.find(r, b)
			switch {
			case f.answered:
				delete(l.pending, r.unit)
				l.mute = 0
				if f.refused != 0 {
					return nil, f.refused
				}
				return f.values, nil
			case p.err != nil:
				return nil, fmt.Errorf("%w: %w", errHungUp, p.err)
			}
		}
	}
}

// unanswered notes a request without an answer, and returns what is known of why.
func (l *line) unanswered(r request, began time.Time, timeout time.Duration, b []byte, f found) error {
	if l.mute++; len(b) > 0 {
		l.mute = 0
	}
	late := l.pending[r.unit].late
	l.pending[r.unit] = sent{request: r, at: began}
	return &silence{bytes: b, found: f, waited: timeout, late: late, framing: l.framing, request: r}
}

// silence is the error of a request that was not answered in time.
type silence struct {
	bytes   []byte // that came
	found   found  // among them
	waited  time.Duration
	late    time.Duration // after which an earlier request was answered; 0: it was not
	framing framing
	request request
}

func (s *silence) Error() string {
	return fmt.Sprintf("timed out after %s: %s", s.waited, s.try())
}

// try returns what may be wrong, and what to try.
func (s *silence) try() string {
	_, serial := s.framing.(rtu)
	switch {
	case s.late > 0:
		return fmt.Sprintf("an earlier answer came after %s: set timeout: %s or more",
			s.late.Round(10*time.Millisecond), (s.late + time.Second).Truncate(time.Second))
	case s.found.other != "":
		return s.found.other
	case s.found.echo:
		return "the adapter echoes: the request came back, and no answer. " +
			"Is the unit connected, and is unit its number? Switch the adapter's echo off if it has such a switch"
	case len(s.bytes) > 0 && serial && mbap{}.find(s.request, s.bytes).other != "":
		return "what comes is Modbus TCP: leave framing: rtu out"
	case len(s.bytes) > 0 && !serial && rtu{}.find(s.request, s.bytes).answered:
		return "what comes is Modbus RTU: set framing: rtu"
	case len(s.bytes) > 0 && serial:
		return "what comes is no answer: are baud, parity and stop_bits those of the unit, " +
			"and A and B not swapped?"
	case len(s.bytes) > 0:
		return "what comes is no answer of Modbus TCP: does the device speak it on this port?"
	case serial:
		return "nothing came. Is the unit on, is unit its number, are baud and parity right, " +
			"A and B not swapped? A slow one needs a longer timeout"
	}
	return "nothing came. Is unit right (255, 0 or 1 for many devices on TCP)? A slow one needs a longer timeout"
}
