package logpipe_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"gatehouse/gateway/logpipe"
)

// reader takes lines when it is open, or fails.
type reader struct {
	bytes.Buffer
	open chan struct{} // closed: it reads
	fail bool
}

func (r *reader) Write(b []byte) (int, error) {
	<-r.open
	if r.fail {
		return 0, errors.New("broken pipe")
	}
	return r.Buffer.Write(b)
}

func say(lines int) []byte { return fmt.Appendf(nil, "%d dropped\n", lines) }

func TestWritingDoesNotWaitForTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{open: make(chan struct{})}
		w := logpipe.New(r, say)
		fmt.Fprintln(w, "first")
		synctest.Wait() // it is being written, and nobody reads
		line := strings.Repeat("x", 1023) + "\n"
		for range 1024 + 7 {
			if n, err := w.Write([]byte(line)); n != len(line) || err != nil {
				t.Fatal(n, err)
			}
		}
		w.Close() // returns though nobody reads
		close(r.open)
		synctest.Wait()
		got := r.String()
		if n := strings.Count(got, "x\n"); n != 1024 || !strings.HasPrefix(got, "first\n") ||
			!strings.HasSuffix(got, "x\n7 dropped\n") {
			t.Errorf("%d lines; the end is %q", n, got[len(got)-30:])
		}
	})
}

func TestLinesThatCannotBeWrittenAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{open: make(chan struct{}), fail: true}
		close(r.open)
		w := logpipe.New(r, say)
		for range 3 {
			fmt.Fprintln(w, "lost")
			synctest.Wait()
		}
		r.fail = false
		fmt.Fprintln(w, "read")
		w.Close()
		if r.String() != "read\n3 dropped\n" {
			t.Errorf("%q", r.String())
		}
	})
}

func TestCloseWritesWhatWaits(t *testing.T) {
	r := &reader{open: make(chan struct{})}
	close(r.open)
	w := logpipe.New(r, nil)
	fmt.Fprintln(w, "a")
	fmt.Fprintln(w, "b")
	w.Close()
	if r.String() != "a\nb\n" {
		t.Errorf("%q", r.String())
	}
}
