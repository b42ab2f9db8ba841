package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// run runs a tool of the host; its words are in the error.
func run(ctx context.Context, argv ...string) error {
	if _, err := exec.LookPath(argv[0]); err != nil {
		argv[0] = "/usr/sbin/" + argv[0] // which is not on every PATH
	}
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput() //nolint:gosec // the proof's own words
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

var errRoot = errors.New("this fault mounts file systems: run it as root")

// Memory mounts a file system of so many KiB in memory on dir.
func Memory(dir string, kib int) (unmount func(), err error) {
	if os.Geteuid() != 0 {
		return nil, errRoot
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := unix.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%dk,mode=700", kib)); err != nil {
		return nil, fmt.Errorf("mount a small file system on %s: %w", dir, err)
	}
	return func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }, nil
}

// Resize changes the size of what Memory mounted.
func Resize(dir string, kib int) error {
	if err := unix.Mount("none", dir, "tmpfs", unix.MS_REMOUNT, fmt.Sprintf("size=%dk", kib)); err != nil {
		return fmt.Errorf("resize %s: %w", dir, err)
	}
	return nil
}

// Disk is an ext4 file system in an image file. What the kernel has not been
// asked to write is not in the file: a copy of it is what a power cut leaves.
type Disk struct{ image, dir string }

// NewDisk makes a file system of so many MiB in image and mounts it on dir.
func NewDisk(ctx context.Context, image, dir string, mib int) (*Disk, error) {
	if os.Geteuid() != 0 {
		return nil, errRoot
	}
	if err := os.MkdirAll(filepath.Dir(image), 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(image, int64(mib)<<20); err != nil {
		return nil, err
	}
	if err := run(ctx, "mkfs.ext4", "-q", "-F", image); err != nil {
		return nil, err
	}
	d := &Disk{image, dir}
	return d, d.mount(ctx)
}

func (d *Disk) mount(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	return run(ctx, "mount", "-o", "loop", d.image, d.dir)
}

// Unmount takes the disk off.
func (d *Disk) Unmount() { _ = unix.Unmount(d.dir, unix.MNT_DETACH) }

// Copy keeps what a power cut would leave now. The processes that write there
// are stopped meanwhile.
func (d *Disk) Copy(ctx context.Context, to string) error {
	return run(ctx, "cp", "--sparse=always", d.image, to)
}

// Mounted opens a copy; its own journal is replayed, as after a power cut.
func Mounted(ctx context.Context, image, dir string) (*Disk, error) {
	d := &Disk{image, dir}
	return d, d.mount(ctx)
}

// Inject makes system calls of a running process fail for d, such as
// "fsync:error=EIO:when=3+2".
func Inject(ctx context.Context, pid int, calls, inject string, d time.Duration) error {
	path, err := exec.LookPath("strace")
	if err != nil {
		return errors.New("strace is not installed: run make tools")
	}
	cmd := exec.CommandContext(ctx, path, "-f", "-qq", "-p", fmt.Sprint(pid), "-o", "/dev/null", "-e", "trace="+calls,
		"-e", "inject="+inject) //nolint:gosec // see run
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("trace process %d: %w", pid, err)
	}
	sleep(ctx, d)
	_ = cmd.Process.Signal(syscall.SIGINT) // it lets go of the process
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() > 1 {
		return fmt.Errorf("trace process %d: %w", pid, err)
	}
	return nil
}

// Descriptors counts what a process has open.
func Descriptors(pid int) (int, error) {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(list), err
}

// Processor is the processor time that a process has used since its start, in
// clock ticks of 10 ms (proc(5), fields 14 and 15 of stat).
func Processor(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+2:]))
	var user, system int64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond, nil
}

// ResidentKiB is how much memory a process takes.
func ResidentKiB(pid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		var n int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &n); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("process %d has no memory", pid)
}
