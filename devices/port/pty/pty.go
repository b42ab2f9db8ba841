// Package pty opens pseudo-terminals that stand in for serial ports: tests and
// the simulator hold the device's end.
package pty

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// PTY is one pseudo-terminal. The program under test opens Path, or a symlink
// to it, as its serial port; the owner reads and writes as the device would.
type PTY struct {
	Path string // /dev/pts/N

	master *os.File
	slave  *os.File // kept open: otherwise the master reads EIO between two openings
}

// Open returns a new pty in raw mode. The master is non-blocking, so that
// deadlines and Close work on it. Raw mode is set before anything can be
// written: otherwise the terminal would echo and rewrite CR.
func Open() (*PTY, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a pty: %w", err)
	}
	master := os.NewFile(uintptr(fd), "/dev/ptmx")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		master.Close()
		return nil, fmt.Errorf("unlock a pty: %w", err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		master.Close()
		return nil, fmt.Errorf("number of a pty: %w", err)
	}
	path := fmt.Sprintf("/dev/pts/%d", n)
	slave, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		master.Close()
		return nil, fmt.Errorf("open the slave end of a pty: %w", err)
	}
	if err := raw(int(slave.Fd())); err != nil {
		return nil, errors.Join(fmt.Errorf("set %s to raw mode: %w", path, err), slave.Close(), master.Close())
	}
	return &PTY{Path: path, master: master, slave: slave}, nil
}

func raw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = unix.IGNPAR, 0, 0
	t.Cflag = unix.CREAD | unix.CLOCAL | unix.CS8 | unix.B9600
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// Read reads what the program wrote to its port.
func (p *PTY) Read(b []byte) (int, error) { return p.master.Read(b) }

// Write sends bytes to the program. If it does not read, the kernel buffers
// some 4 KB; bytes for which there is no room within 5 ms are dropped without an
// error, as on a UART that overruns.
func (p *PTY) Write(b []byte) (int, error) {
	if err := p.master.SetWriteDeadline(time.Now().Add(5 * time.Millisecond)); err != nil {
		return 0, err
	}
	n, err := p.master.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, nil
	}
	return n, err
}

// Close unplugs the port: the program's next read fails.
func (p *PTY) Close() error { return errors.Join(p.slave.Close(), p.master.Close()) }

// Link makes name a symlink to the port, as udev does under /dev/serial/by-id,
// so that another pty can take the place of an unplugged one.
func (p *PTY) Link(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("link a pty: %w", err)
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("link a pty: %w", err)
	}
	return os.Symlink(p.Path, name)
}
