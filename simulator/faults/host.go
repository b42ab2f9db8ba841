package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/retry"
)

// run runs a program; the error contains its output.
func run(ctx context.Context, argv ...string) error {
	if _, err := exec.LookPath(argv[0]); err != nil {
		argv[0] = "/usr/sbin/" + argv[0] // not in every PATH
	}
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput() //nolint:gosec // from constants
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

var errRoot = errors.New("this fault mounts file systems: run as root")

// Memory mounts a file system of the given size in memory on dir. It needs root.
func Memory(dir string, kib int) (unmount func(), err error) {
	if os.Geteuid() != 0 {
		return nil, errRoot
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := unix.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%dk,mode=700", kib)); err != nil {
		return nil, fmt.Errorf("mount a file system in memory on %s: %w", dir, err)
	}
	return func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }, nil
}

// Inject traces calls of a running process with strace for d and tampers with
// them as inject says, for example "fsync:error=EIO:when=3+2".
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
	retry.Sleep(ctx, d)
	_ = cmd.Process.Signal(syscall.SIGINT) // strace detaches
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() > 1 {
		return fmt.Errorf("trace process %d: %w", pid, err)
	}
	return nil
}

// Descriptors returns how many file descriptors a process has open.
func Descriptors(pid int) (int, error) {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(list), err
}

// Processor returns the processor time that a process has used since its start,
// in steps of 10 ms (proc(5), fields 14 and 15 of stat).
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

// ResidentKiB returns the resident memory of a process.
func ResidentKiB(pid int) (int, error) { return memoryKiB(pid, "VmRSS") }

// PeakKiB returns the most resident memory that a process had since its start.
func PeakKiB(pid int) (int, error) { return memoryKiB(pid, "VmHWM") }

// RollupKiB returns a field of the sum over all mappings of a process (proc(5), smaps_rollup):
// Rss counts every page that is in memory, Pss a share of those that several processes have,
// Anonymous only those that are of no file.
func RollupKiB(pid int, field string) (int, error) { return kibOf(pid, "smaps_rollup", field) }

// memoryKiB returns a field of status, of proc(5), that is in kB.
func memoryKiB(pid int, field string) (int, error) { return kibOf(pid, "status", field) }

func kibOf(pid int, file, field string) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		var n int
		if _, err := fmt.Sscanf(line, field+": %d kB", &n); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("process %d has no resident memory: it has ended", pid)
}
