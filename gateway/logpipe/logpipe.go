// Package logpipe keeps a program from waiting for whoever reads its log, and from
// ending when nobody reads it any more.
package logpipe

import (
	"bytes"
	"io"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

const (
	room     = 1 << 20 // bytes of lines that may wait
	patience = time.Second
)

// IgnoreBrokenPipes keeps the process alive when it writes to a standard output or
// error output whose reader has ended. Without it Go ends the process by SIGPIPE, as
// the documentation of os/signal says; with it the write returns EPIPE.
func IgnoreBrokenPipes() { signal.Ignore(syscall.SIGPIPE) }

// Writer passes lines on to another writer, in a goroutine of its own. Write never
// waits for that writer: up to 1 MiB of lines wait, further ones are dropped and
// counted. Its methods may be called from any goroutine.
type Writer struct {
	out  io.Writer
	say  func(lines int) []byte
	done chan struct{} // the goroutine has ended

	mu      sync.Mutex
	more    *sync.Cond // waiting, dropped or ending has changed
	waiting []byte
	dropped int
	ending  bool
}

// New returns a Writer to out, and starts its goroutine, which Close ends. say
// returns a line that reports how many lines were dropped; it is written once there
// is room again; nil: nothing reports it. A line is what one call of Write gets.
func New(out io.Writer, say func(lines int) []byte) *Writer {
	w := &Writer{out: out, say: say, done: make(chan struct{})}
	w.more = sync.NewCond(&w.mu)
	go w.run()
	return w
}

// Write takes a line. It never fails: nobody could be told.
func (w *Writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ending || len(w.waiting)+len(line) > room {
		w.dropped++
		return len(line), nil
	}
	w.waiting = append(w.waiting, line...)
	w.more.Signal()
	return len(line), nil
}

// Close returns when all lines are written, or after a second: a write to a pipe that
// is full and that nobody reads can't be ended, only left to the end of the process.
func (w *Writer) Close() {
	w.mu.Lock()
	w.ending = true
	w.more.Signal()
	w.mu.Unlock()
	select {
	case <-w.done:
	case <-time.After(patience):
	}
}

// run writes what waits until Close.
func (w *Writer) run() {
	defer close(w.done)
	lost := 0 // lines that nobody has been told of
	for {
		lines, dropped, last := w.take()
		lost += dropped
		failed := false
		if len(lines) > 0 {
			if _, err := w.out.Write(lines); err != nil {
				failed, lost = true, lost+bytes.Count(lines, []byte("\n"))
			}
		}
		if lost > 0 && !failed && w.say != nil {
			if _, err := w.out.Write(w.say(lost)); err == nil {
				lost = 0
			}
		}
		if last {
			return
		}
	}
}

// take waits for lines and returns them, with how many were dropped behind them. last
// reports that no more will come.
func (w *Writer) take() (lines []byte, dropped int, last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.waiting) == 0 && !w.ending {
		w.more.Wait()
	}
	lines, dropped = w.waiting, w.dropped
	w.waiting, w.dropped = nil, 0
	return lines, dropped, w.ending
}
