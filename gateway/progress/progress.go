// Package progress shows how far long work has come, on a terminal: how much is done, how
// fast, and when the rest will be. It shows nothing where nobody looks, such as in a pipe,
// in a file or in the journal of a service.
package progress

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"gatehouse/gateway/term"
)

// Bar shows how far one work has come. Any goroutine may call its methods.
type Bar interface {
	// Total says how much there is to do, when that becomes known or changes.
	Total(n int64)
	// Add says that n more are done.
	Add(n int64)
	// Set says that n in all are done.
	Set(n int64)
	// End takes the bar off the terminal, so that what is printed next has the line for
	// itself. Later calls do nothing. Whoever makes a bar ends it.
	End()
}

// Unit is what a work is counted in.
type Unit string

// The units.
const (
	Bytes   Unit = "B"
	Records Unit = "rec"
	Files   Unit = "files"
	Parts   Unit = "parts"
)

// every is how often a terminal is written to.
const every = 200 * time.Millisecond

// New returns a bar on w, the standard error of a command. what says in a few words what is
// being done. total is how much there is to do; 0 or less: not known, then the bar shows how
// much is done. On a w that is no terminal, or a dumb one, the bar shows nothing. It never writes
// escape codes, so NO_COLOR asks nothing of it.
func New(w io.Writer, what string, total int64, unit Unit) Bar {
	if !term.Is(w) || os.Getenv("TERM") == "dumb" {
		return None()
	}
	if total <= 0 {
		total = -1
	}
	return &bar{p: progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(24),
		progressbar.OptionThrottle(every),
		progressbar.OptionSetSpinnerChangeInterval(0), // else the library starts a goroutine
		progressbar.OptionShowCount(),
		counted(unit),
		progressbar.OptionSetItsString(string(unit)),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionUseANSICodes(false),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetRenderBlankState(true),
	)}
}

// counted returns how the library shows the speed in a unit.
func counted(unit Unit) progressbar.Option {
	if unit == Bytes {
		return progressbar.OptionShowBytes(true)
	}
	return progressbar.OptionShowIts()
}

// None returns a bar that shows nothing: for -o json and for tests.
func None() Bar { return none{} }

type none struct{}

func (none) Total(int64) {}
func (none) Add(int64)   {}
func (none) Set(int64)   {}
func (none) End()        {}

// bar is a bar on a terminal. The library's errors are those of writing to it, and no reason
// to end the work.
type bar struct {
	mu    sync.Mutex
	p     *progressbar.ProgressBar
	ended bool
}

// do calls f, if the bar is still there. The library takes away a bar that has reached its
// total, and would begin another line with the next call.
func (b *bar) do(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended && !b.p.IsFinished() {
		f()
	}
}

func (b *bar) Total(n int64) {
	if n > 0 {
		b.do(func() { b.p.ChangeMax64(n) })
	}
}

func (b *bar) Add(n int64) { b.do(func() { _ = b.p.Add64(n) }) }
func (b *bar) Set(n int64) { b.do(func() { _ = b.p.Set64(n) }) }

func (b *bar) End() {
	b.do(func() {
		b.ended = true
		_ = b.p.Exit()
		_ = b.p.Clear()
	})
}

// Writer returns w, whose writes take the bar's line first where b is on a terminal: what is
// written there in lines does not mix with the bar, which is drawn again below it.
func Writer(w io.Writer, b Bar) io.Writer {
	if shown, is := b.(*bar); is {
		return &writer{w, shown}
	}
	return w
}

type writer struct {
	w io.Writer
	b *bar
}

func (w *writer) Write(p []byte) (int, error) {
	w.b.do(func() { _ = w.b.p.Clear() })
	return w.w.Write(p)
}

// Reader returns r, whose bytes are added to b as they are read.
func Reader(r io.Reader, b Bar) io.Reader { return &reader{r, b} }

type reader struct {
	r io.Reader
	b Bar
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.b.Add(int64(n))
	return n, err
}
