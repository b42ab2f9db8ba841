// Package lockfile keeps a second process from using a folder or a file.
package lockfile

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// ErrHeld means that somebody else holds the lock.
var ErrHeld = errors.New("the lock is held by another process")

// Take locks the file at path, which it creates when there is none, until the
// returned lock is closed or the process ends. It never waits: when the lock is
// held, by another process or by this one, the error wraps ErrHeld. The content
// of the file is left alone. A symbolic link at path is not followed: root locks in folders of
// other accounts, too.
//
// The lock is advisory (flock). On NFS it holds between the clients of a server
// that supports locks, and fails where the server does not.
func Take(path string) (io.Closer, error) {
	l := flock.New(path, flock.SetFlag(os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW), flock.SetPermissions(0o600))
	taken, err := l.TryLock()
	switch {
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", path, err)
	case !taken:
		return nil, fmt.Errorf("lock %s: %w", path, ErrHeld)
	}
	return l, nil
}
