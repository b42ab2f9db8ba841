package port

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"gatehouse/devices/frame"
)

// lockPort takes the advisory lock of a serial port: tarm/serial lets two
// programs open one port, and each would get part of the bytes. The returned
// file is non-blocking, so that line.wait can use Go's poller on it; gofrs/flock
// makes its file blocking and does not hand it out.
func lockPort(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, openError(name, name, err)
	}
	// f.Fd() would make the file blocking.
	conn, err := f.SyscallConn()
	if err == nil {
		var busy error
		err = conn.Control(func(fd uintptr) { busy = take(int(fd)) })
		err = errors.Join(err, busy)
	}
	if err != nil {
		err = openError(name, name, err)
		f.Close()
		return nil, err
	}
	return f, nil
}

// take takes the lock of a port, unless another program has declared the port its own
// (TIOCEXCL): the kernel refuses such a port to everybody but root.
func take(fd int) error {
	if own, err := unix.IoctlGetInt(fd, unix.TIOCGEXCL); err == nil && own != 0 {
		return unix.EBUSY
	}
	return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
}

// claim declares a port this program's own (TIOCEXCL), for programs that don't look at
// the lock. The kernel ends that when the last one that has the port open closes it.
// Pseudo-terminals are left alone: their owner has them open all the time.
func claim(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var refused error
	err = conn.Control(func(fd uintptr) {
		var st unix.Stat_t
		if refused = unix.Fstat(int(fd), &st); refused != nil || pseudo(st.Rdev) {
			return
		}
		refused = unix.IoctlSetInt(int(fd), unix.TIOCEXCL, 0)
	})
	return errors.Join(err, refused)
}

// pseudo reports whether a device number is a pseudo-terminal's: majors 136 to 143
// (Linux, Documentation/admin-guide/devices.txt).
func pseudo(device uint64) bool { major := unix.Major(device); return major >= 136 && major <= 143 }

// openError says what failed about a port, and what to do.
func openError(what, name string, err error) error {
	advice := here().explain(name, err)
	if err = markGone(err); advice == "" {
		return fmt.Errorf("open serial port %s: %w", what, err)
	}
	return fmt.Errorf("open serial port %s: %w: %s", what, err, advice)
}

// markGone wraps err with frame.ErrGone if it means that the port is missing.
func markGone(err error) error {
	for _, e := range []error{fs.ErrNotExist, syscall.EIO, syscall.ENXIO, syscall.ENODEV} {
		if errors.Is(err, e) {
			return fmt.Errorf("%w: %w", frame.ErrGone, err)
		}
	}
	return err
}
