// Package port opens the real ports, buses and lines of a computer. It is the
// only importer of tarm/serial and of periph's host drivers.
package port

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/host/v3"

	"gatehouse/devices/frame"
)

// ReadTimeout is how long a Read waits for a first byte, and so how long a
// sensor may take to notice that its context is done. A shorter one wakes idle
// ports more often (a county has 368), a longer one makes stopping slow.
// tarm/serial rounds to tenths of a second.
const ReadTimeout = 200 * time.Millisecond

// Host opens the ports of this computer. It implements Ports of package devices; its
// methods may be called from several goroutines.
type Host struct {
	periph sync.Once
	err    error // of loading periph's drivers
}

// NewHost returns a Host. It opens nothing yet.
func NewHost() *Host { return &Host{} }

// Serial opens a serial line; see Ports of package devices. A line that another process
// (or another device of this one) has open is refused.
func (h *Host) Serial(name string, baud int) (io.ReadWriteCloser, error) {
	return h.SerialLine(name, frame.Line{Baud: baud})
}

// SerialLine opens a serial line; see Ports of package devices.
func (h *Host) SerialLine(name string, l frame.Line) (io.ReadWriteCloser, error) {
	parity, err := parityOf(l.Parity)
	if err != nil {
		return nil, fmt.Errorf("open serial port %s: %w", name, err)
	}
	lock, err := lockPort(name)
	if err != nil {
		return nil, err
	}
	p, err := serial.OpenPort(&serial.Config{
		Name: name, Baud: l.Baud, Parity: parity, StopBits: serial.StopBits(l.StopBits), ReadTimeout: ReadTimeout,
	})
	if err != nil {
		lock.Close()
		return nil, openError(fmt.Sprintf("%s at %d baud", name, l.Baud), name, err)
	}
	if err := claim(lock); err != nil {
		lock.Close()
		p.Close()
		return nil, openError(name, name, err)
	}
	// Bytes received before opening must not become readings.
	if err := p.Flush(); err != nil {
		lock.Close()
		p.Close()
		return nil, fmt.Errorf("flush serial port %s: %w", name, err)
	}
	return &line{port: p, lock: lock, name: name}, nil
}

// parityOf returns tarm/serial's name for a parity.
func parityOf(name string) (serial.Parity, error) {
	switch name {
	case "", frame.ParityNone:
		return serial.ParityNone, nil
	case frame.ParityEven:
		return serial.ParityEven, nil
	case frame.ParityOdd:
		return serial.ParityOdd, nil
	}
	return 0, fmt.Errorf("parity %q is none of none, even, odd", name)
}

// line is one open serial line.
type line struct {
	port *serial.Port
	lock *os.File
	name string
}

// Read returns (0, nil) when ReadTimeout passed without a byte. It waits with
// Go's poller before it calls tarm/serial: a thread that sleeps in read(2)
// keeps the scheduler's monitor thread awake, which cost three quarters of an
// agent's processor time.
//
// tarm/serial returns io.EOF both for a time-out and for a hang-up. An EOF
// within half of the time-out is a hang-up; so is a time-out when the port's
// file no longer exists.
func (l *line) Read(b []byte) (int, error) { return l.ReadWithin(b, ReadTimeout) }

// ReadWithin is Read that waits for d at most.
func (l *line) ReadWithin(b []byte, d time.Duration) (int, error) {
	ready, err := l.wait(d)
	if err != nil {
		return 0, fmt.Errorf("read serial port %s: %w: %w", l.name, frame.ErrGone, err)
	}
	if !ready {
		if _, err := os.Stat(l.name); err != nil {
			return 0, fmt.Errorf("serial port %s: %w: %w", l.name, frame.ErrGone, err)
		}
		return 0, nil
	}
	began := time.Now()
	n, err := l.port.Read(b)
	switch {
	case n > 0:
		return n, nil
	case err == nil:
		return 0, nil
	case !errors.Is(err, io.EOF):
		return 0, fmt.Errorf("read serial port %s: %w: %w", l.name, frame.ErrGone, err)
	case time.Since(began) < ReadTimeout/2:
		return 0, fmt.Errorf("serial port %s: %w: hung up", l.name, frame.ErrGone)
	}
	return 0, nil
}

// wait waits for a byte or a hang-up, for d at most.
func (l *line) wait(d time.Duration) (ready bool, err error) {
	if err := l.lock.SetReadDeadline(time.Now().Add(d)); err != nil {
		return false, err
	}
	conn, err := l.lock.SyscallConn()
	if err != nil {
		return false, err
	}
	err = conn.Read(func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		return n > 0 || (err != nil && !errors.Is(err, unix.EINTR))
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, nil
	}
	return err == nil, err
}

func (l *line) Write(b []byte) (int, error) {
	n, err := l.port.Write(b)
	if err != nil {
		return n, fmt.Errorf("write serial port %s: %w: %w", l.name, frame.ErrGone, err)
	}
	return n, nil
}

// Close closes and unlocks the port. A Read in progress returns within
// ReadTimeout.
func (l *line) Close() error { return errors.Join(l.lock.Close(), l.port.Close()) }

// start loads periph's drivers, once, when the first bus or pin is opened.
func (h *Host) start() error {
	h.periph.Do(func() { _, h.err = host.Init() })
	if h.err != nil {
		return fmt.Errorf("load the I²C and GPIO drivers: %w", h.err)
	}
	return nil
}

// I2C opens an I²C bus; see Ports of package devices.
func (h *Host) I2C(name string) (i2c.BusCloser, error) {
	if err := h.start(); err != nil {
		return nil, err
	}
	bus, err := i2creg.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open I²C bus %q (is it enabled, and may this user open /dev/i2c-*?): %w: %w",
			name, frame.ErrGone, err)
	}
	return bus, nil
}

// Pin finds a GPIO line; see Ports of package devices.
func (h *Host) Pin(name string) (gpio.PinIO, error) {
	if err := h.start(); err != nil {
		return nil, err
	}
	p := gpioreg.ByName(name)
	if p == nil {
		return nil, fmt.Errorf("GPIO line %q is not on this computer (it has %d lines)", name, len(gpioreg.All()))
	}
	return p, nil
}
