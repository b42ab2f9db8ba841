package cli_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestALogThatNobodyReadsStopsNothing runs the broker, whose log is a pipe with room for
// a page, and makes it log far more than fits. Every connection must still be answered.
func TestALogThatNobodyReadsStopsNothing(t *testing.T) {
	for name, reader := range map[string]func(io.Closer){
		"the reader has ended": func(r io.Closer) { r.Close() },
		"the reader is stuck":  func(io.Closer) {},
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			conn, err := w.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.Control(func(fd uintptr) {
				_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 4096) // any size will do
			}); err != nil {
				t.Fatal(err)
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			c := exec.CommandContext(t.Context(), self)
			c.Args = []string{"gatehouse", "broker", "--listen", "127.0.0.1:0", "--dir", t.TempDir(),
				"--log-level", "debug"}
			c.Stderr = w
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
			address := listening(t, r)
			reader(r)
			for i := range 200 {
				if err := refused(address); err != nil {
					t.Fatalf("connection %d: %v", i, err)
				}
			}
		})
	}
}

// listening returns the address that the broker's log names.
func listening(t *testing.T, log io.Reader) string {
	lines := bufio.NewReaderSize(log, 16) // reads no more than it must
	up := regexp.MustCompile(`broker is up.* listen=(\S+)`)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if m := up.FindStringSubmatch(line); m != nil {
			return m[1]
		}
	}
}

// refused sends what is no MQTT, and waits until the broker hangs up.
func refused(address string) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		return err
	}
	if _, err = io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil // closed or reset
}
