// Package cleanroot makes a fresh Debian 12 in a folder, for tests that install packages:
// debootstrap makes it once from the mirror that the computer's own apt uses, and each test
// unpacks a copy. Programs in it run by chroot, in a mount namespace of their own, so nothing
// stays mounted when they have ended. It needs root, debootstrap, tar and util-linux.
package cleanroot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Root is a Debian 12 in a folder. Its methods may be called from several goroutines, but
// dpkg in it refuses to run twice at once.
type Root struct {
	Dir string // absolute
}

// Unpack puts a fresh Debian into dir, a folder that is empty or not there. tools is the
// repository's .tools, in which the archive of the first call is kept for those after it. The
// first call needs the mirror and takes about a minute, others about a second. Calls of several
// programs at once wait for each other.
func Unpack(ctx context.Context, tools, dir string) (*Root, error) {
	archive, err := archive(ctx, tools)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("unpack a clean root: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // users of the root read it
		return nil, fmt.Errorf("unpack a clean root: %w", err)
	}
	if _, err := run(exec.CommandContext(ctx, "tar", "-C", dir, "--numeric-owner", "--xattrs",
		"-xpf", archive)); err != nil {
		return nil, fmt.Errorf("unpack a clean root: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // see above
		return nil, fmt.Errorf("unpack a clean root: %w", err)
	}
	return &Root{Dir: dir}, nil
}

// Path returns where a file of the root is for programs outside it.
func (r *Root) Path(name string) string { return filepath.Join(r.Dir, name) }

// enter mounts what programs expect of a running Debian, then becomes one: $1 is the root, $2
// the user. What it mounts is gone when the program has ended.
const enter = `set -e
mount -t proc -o nosuid,nodev,noexec proc "$1/proc"
mount -t tmpfs -o nosuid,mode=755 dev "$1/dev"
mkdir "$1/dev/pts" "$1/dev/shm"
mount --bind /dev/pts "$1/dev/pts"
mount -t tmpfs -o nosuid,nodev,mode=1777 shm "$1/dev/shm"
for name in null zero full random urandom tty; do
	: >"$1/dev/$name"
	mount --bind "/dev/$name" "$1/dev/$name"
done
ln -s /proc/self/fd "$1/dev/fd"
root=$1 user=$2
shift 2
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/ \
	DEBIAN_FRONTEND=noninteractive chroot --userspec="$user" "$root" "$@"
`

// Command returns a command that runs a program in the root as user, who is known there ("root",
// "gatehouse"), with the user's groups. The process that the caller starts and signals is that of the
// program itself. It has the network, the process ids and the terminals (/dev/pts) of the
// computer; when the caller's thread ends, it is killed.
func (r *Root) Command(ctx context.Context, user, program string, args ...string) *exec.Cmd {
	argv := []string{"--mount", "--propagation", "private", "sh", "-c", enter, "sh", r.Dir, user, program}
	return exec.CommandContext(ctx, "unshare", append(argv, args...)...)
}

// Run runs a program to its end, and returns what it printed. The error of a program that
// fails has that too. The program sees no other process than those it starts, which end with it.
func (r *Root) Run(ctx context.Context, user, program string, args ...string) (string, error) {
	c := r.Command(ctx, user, program, args...)
	c.Args = slices.Insert(c.Args, 1, "--pid", "--fork", "--kill-child")
	return run(c)
}

// Install installs .deb packages of the computer by the root's dpkg: anew, as an upgrade, or as a
// downgrade. What they depend on must be there.
func (r *Root) Install(ctx context.Context, packages ...string) error {
	into, err := os.MkdirTemp(r.Path("tmp"), "packages-")
	if err != nil {
		return fmt.Errorf("install packages: %w", err)
	}
	defer os.RemoveAll(into)
	args := []string{"--install"}
	for _, name := range packages {
		to := filepath.Join(into, filepath.Base(name))
		if _, err := run(exec.CommandContext(ctx, "cp", name, to)); err != nil {
			return fmt.Errorf("install packages: %w", err)
		}
		args = append(args, strings.TrimPrefix(to, r.Dir))
	}
	if _, err := r.Run(ctx, "root", "dpkg", args...); err != nil {
		return fmt.Errorf("install packages: %w", err)
	}
	return nil
}

// run runs a command, and returns what it printed.
func run(c *exec.Cmd) (string, error) {
	out, err := c.CombinedOutput()
	if err != nil {
		name := c.Args[0]
		if i := slices.Index(c.Args, enter); i >= 0 {
			name = strings.Join(c.Args[i+4:], " ")
		}
		if errors.Is(err, exec.ErrNotFound) {
			return "", fmt.Errorf("%w: run make tools", err)
		}
		return string(out), fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return string(out), nil
}

// needRoot returns an error unless the program runs as root.
func needRoot() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("make a clean root: %w: run it as root", syscall.EPERM)
	}
	return nil
}
