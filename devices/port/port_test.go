package port_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/devices"
	"gatehouse/devices/port"
	"gatehouse/devices/port/pty"
)

func open(t *testing.T) (*pty.PTY, io.ReadWriteCloser) {
	t.Helper()
	p, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	line, err := port.NewHost().Serial(p.Path, 9600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	return p, line
}

func TestBytesPassBothWaysUnchanged(t *testing.T) {
	p, line := open(t)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if _, err := p.Write(all); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for len(got) < len(all) {
		b := make([]byte, 64)
		n, err := line.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b[:n]...)
	}
	if !bytes.Equal(got, all) {
		t.Fatalf("got % X", got)
	}
	if _, err := line.Write(all); err != nil {
		t.Fatal(err)
	}
	got = make([]byte, len(all))
	if _, err := io.ReadFull(p, got); err != nil || !bytes.Equal(got, all) {
		t.Fatalf("the device got % X, %v", got, err)
	}
}

func TestAnIdleLineTimesOutWithoutAnError(t *testing.T) {
	_, line := open(t)
	began := time.Now()
	n, err := line.Read(make([]byte, 8))
	if n != 0 || err != nil {
		t.Fatalf("an idle line reads %d, %v", n, err)
	}
	if took := time.Since(began); took < port.ReadTimeout/2 || took > 500*time.Millisecond {
		t.Fatalf("it took %s", took)
	}
}

func TestAHangUpIsErrGoneAndNotATimeOut(t *testing.T) {
	p, line := open(t)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // first EIO, then always EOF at once
		if _, err := line.Read(make([]byte, 8)); !errors.Is(err, devices.ErrGone) {
			t.Fatalf("a hung-up line reads %v", err)
		}
	}
}

func TestOpeningDiscardsBytesReceivedBefore(t *testing.T) {
	p, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Write([]byte("stale")); err != nil {
		t.Fatal(err)
	}
	line, err := port.NewHost().Serial(p.Path, 9600)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	if n, err := line.Read(make([]byte, 8)); n != 0 || err != nil {
		t.Fatalf("read %d bytes received before opening, %v", n, err)
	}
}

func TestAPortInUseIsRefused(t *testing.T) {
	p, _ := open(t)
	link := filepath.Join(t.TempDir(), "by-id", "reader")
	if err := p.Link(link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{p.Path, link} {
		_, err := port.NewHost().Serial(name, 9600)
		if err == nil || !strings.Contains(err.Error(), "in use") || !strings.Contains(err.Error(), name) {
			t.Fatalf("opening %s again: %v", name, err)
		}
	}
}

func TestCloseDoesNotHangWhileReadWaits(t *testing.T) {
	_, line := open(t)
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		_, _ = line.Read(make([]byte, 8))
	}()
	closed := make(chan struct{})
	go func() { defer close(closed); line.Close() }()
	for name, c := range map[string]chan struct{}{"close": closed, "read": reading} {
		select {
		case <-c:
		case <-time.After(5 * time.Second):
			t.Fatalf("%s hangs", name)
		}
	}
}

func TestAMissingPortIsErrGoneAndABadRateIsNot(t *testing.T) {
	h := port.NewHost()
	if _, err := h.Serial(filepath.Join(t.TempDir(), "nothing"), 9600); !errors.Is(err, devices.ErrGone) {
		t.Fatalf("a missing port: %v", err)
	}
	p, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := h.Serial(p.Path, 14400); err == nil || errors.Is(err, devices.ErrGone) {
		t.Fatalf("an unknown rate: %v", err)
	}
	if line, err := h.Serial(p.Path, 9600); err != nil {
		t.Fatalf("the failed opening left the port locked: %v", err)
	} else {
		line.Close()
	}
}

func TestErrorsNameTheMissingBusOrPin(t *testing.T) {
	h := port.NewHost()
	_, err := h.I2C("no-such-bus")
	if !errors.Is(err, devices.ErrGone) || !strings.Contains(err.Error(), "no-such-bus") {
		t.Errorf("bus: %v", err)
	}
	if _, err := h.Pin("NO-PIN"); err == nil || !strings.Contains(err.Error(), "NO-PIN") {
		t.Errorf("pin: %v", err)
	}
}

func TestAnUnpluggedPtyCanBeReplaced(t *testing.T) {
	link := filepath.Join(t.TempDir(), "thermometer")
	for range 2 {
		p, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Link(link); err != nil {
			t.Fatal(err)
		}
		line, err := port.NewHost().Serial(link, 9600)
		if err != nil {
			t.Fatal(err)
		}
		line.Close()
		p.Close()
	}
	if _, err := os.Lstat(link); err != nil {
		t.Fatal(err)
	}
}

// Pseudo-terminals keep the bits of odd parity and of two stop bits, though they
// have no use for them.
func TestParityAndStopBitsAreSet(t *testing.T) {
	const bits = unix.PARODD | unix.CSTOPB
	for want, l := range map[uint32]devices.Line{
		0:           {Baud: 9600},
		unix.PARODD: {Baud: 9600, Parity: devices.ParityOdd, StopBits: 1},
		unix.CSTOPB: {Baud: 9600, Parity: devices.ParityEven, StopBits: 2},
	} {
		p, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		line, err := port.NewHost().SerialLine(p.Path, l)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(p.Path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		if err != nil || got.Cflag&bits != want {
			t.Errorf("%+v: %o, want %o (%v)", l, got.Cflag&bits, want, err)
		}
		_, _, _ = f.Close(), line.Close(), p.Close()
	}
	_, err := port.NewHost().SerialLine("/dev/null", devices.Line{Baud: 9600, Parity: "mark"})
	if err == nil || !strings.Contains(err.Error(), "none, even, odd") {
		t.Errorf("parity mark: %v", err)
	}
}
