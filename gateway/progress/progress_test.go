package progress_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/devices/port/pty"
	"gatehouse/gateway/progress"
)

// screen is a terminal, and what was written to it.
type screen struct {
	tty *os.File

	mu  sync.Mutex
	got bytes.Buffer
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	p, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(p.Path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{tty: tty}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for {
			n, err := p.Read(b)
			s.mu.Lock()
			s.got.Write(b[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { tty.Close(); p.Close(); <-done })
	return s
}

// see waits until the bar shows a text. A bar writes five times a second at most, and only
// when it is called.
func (s *screen) see(t *testing.T, b progress.Bar, text string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		b.Add(0)
		s.mu.Lock()
		got := s.got.String()
		s.mu.Unlock()
		if strings.Contains(got, text) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the bar never showed %q: %q", text, got)
		}
	}
}

// until waits until the screen was sent a text.
func (s *screen) until(t *testing.T, text string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		got := s.got.String()
		s.mu.Unlock()
		if strings.Contains(got, text) {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("the terminal never got %q: %q", text, got)
		}
	}
}

func TestABarOnATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	for name, c := range map[string]struct {
		total, add int64
		unit       progress.Unit
		want       string
	}{
		"records of a total":  {200, 50, progress.Records, "25%"},
		"bytes of a total":    {4096, 1024, progress.Bytes, "1.0/4.0 KiB"},
		"no total":            {0, 7, progress.Files, "7/-"},
		"more than the total": {3, 9, progress.Records, "export"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScreen(t)
			b := progress.New(s.tty, "export", c.total, c.unit)
			b.Add(c.add)
			s.see(t, b, c.want)
			b.End()
			b.Add(1)
			b.End()
			if _, err := s.tty.WriteString("after\n"); err != nil {
				t.Fatal(err)
			}
			got := s.until(t, "after\n")
			if !strings.Contains(got, c.want) || strings.Contains(got, "\x1b") {
				t.Errorf("%q: no %q, or escape codes", got, c.want)
			}
			if !strings.HasSuffix(got, " \rafter\n") {
				t.Errorf("the bar stays: %q", got)
			}
		})
	}
}

func TestABarWhoseTotalComesLater(t *testing.T) {
	t.Setenv("TERM", "xterm")
	s := newScreen(t)
	b := progress.New(s.tty, "read", 0, progress.Records)
	b.Set(10)
	b.Total(40)
	b.Set(20)
	s.see(t, b, "50%")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { b.Add(1); b.End() })
	}
	all.Wait()
}

func TestNoBarWhereNobodyLooks(t *testing.T) {
	for name, tt := range map[string]struct {
		term string
		w    func(t *testing.T) (io.Writer, func() string)
	}{
		"buffer": {"xterm", func(*testing.T) (io.Writer, func() string) {
			var b bytes.Buffer
			return &b, b.String
		}},
		"dumb terminal": {"dumb", func(t *testing.T) (io.Writer, func() string) {
			s := newScreen(t)
			return s.tty, func() string {
				if _, err := s.tty.WriteString("!"); err != nil {
					t.Fatal(err)
				}
				return strings.TrimSuffix(s.until(t, "!"), "!")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TERM", tt.term)
			w, got := tt.w(t)
			b := progress.New(w, "export", 10, progress.Records)
			b.Add(5)
			b.Total(20)
			b.Set(7)
			b.End()
			if s := got(); s != "" {
				t.Errorf("%q", s)
			}
		})
	}
}

func TestReaderCounts(t *testing.T) {
	var c counter
	got, err := io.ReadAll(progress.Reader(strings.NewReader("12345"), &c))
	if err != nil || string(got) != "12345" || c.n != 5 {
		t.Errorf("%q, %d counted, %v", got, c.n, err)
	}
}

type counter struct {
	progress.Bar

	n int64
}

func (c *counter) Add(n int64) { c.n += n }

// What is printed while a bar stands has its line for itself.
func TestLinesBesideABar(t *testing.T) {
	t.Setenv("TERM", "xterm")
	s := newScreen(t)
	b := progress.New(s.tty, "decide", 10, progress.Records)
	b.Add(5)
	s.see(t, b, "50%")
	if _, err := io.WriteString(progress.Writer(s.tty, b), "a line\n"); err != nil {
		t.Fatal(err)
	}
	if got := s.until(t, "a line\n"); !strings.HasSuffix(got, " \ra line\n") {
		t.Errorf("the line mixes with the bar: %q", got)
	}
	b.End()
	var plain bytes.Buffer
	if w := progress.Writer(&plain, progress.None()); w != io.Writer(&plain) {
		t.Error("a writer without a bar is another one")
	}
}
