package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Cage bounds the memory of a process with the kernel's control groups, as
// systemd's MemoryMax= does.
type Cage struct{ dir, limit, usage string }

// NewCage makes a control group of the given name, with version 1 or 2 of the
// kernel's interface. It needs root.
func NewCage(name string) (*Cage, error) {
	for _, c := range []Cage{
		{filepath.Join("/sys/fs/cgroup/memory", name), "memory.limit_in_bytes", "memory.usage_in_bytes"},
		{filepath.Join("/sys/fs/cgroup", name), "memory.max", "memory.current"},
	} {
		if os.Mkdir(c.dir, 0o700) != nil { //nolint:gosec // a control group
			continue
		}
		if _, err := os.Stat(filepath.Join(c.dir, c.limit)); err == nil {
			return &c, nil
		}
		os.Remove(c.dir)
	}
	return nil, errors.New("can't make a control group for memory: run as root")
}

// Command returns the command line that runs argv in the cage.
func (c *Cage) Command(argv []string) []string {
	return append([]string{"/bin/sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(c.dir, "cgroup.procs")},
		argv...)
}

// Tighten bounds the memory to 16 MiB more than is used and starts a process in
// the cage that takes all of it, so that the kernel kills pid, or that process.
// The returned function ends it.
func (c *Cage) Tighten(pid int) (end func(), err error) {
	b, err := os.ReadFile(filepath.Join(c.dir, c.usage))
	if err != nil {
		return nil, fmt.Errorf("memory in use in the control group: %w", err)
	}
	used, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("memory in use in the control group: %w", err)
	}
	if err := c.set(strconv.Itoa(used + 16<<20)); err != nil {
		return nil, err
	}
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte("1000"), 0o600); err != nil {
		return nil, fmt.Errorf("make the kernel prefer to kill process %d: %w", pid, err)
	}
	argv := c.Command([]string{"tail", "/dev/zero"}) // it keeps an endless line in memory
	cmd := exec.Command(argv[0], argv[1:]...)        //nolint:noctx,gosec // ended by the caller
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a process that takes all memory: %w", err)
	}
	return func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }, nil // the kernel may have killed it
}

// Limit bounds the memory to so many bytes, the pages of files that are read in it among them.
func (c *Cage) Limit(bytes int) error { return c.set(strconv.Itoa(bytes)) }

// Loosen removes the bound.
func (c *Cage) Loosen() {
	if c.set("-1") != nil { // version 1
		_ = c.set("max")
	}
}

func (c *Cage) set(v string) error {
	if err := os.WriteFile(filepath.Join(c.dir, c.limit), []byte(v), 0o600); err != nil {
		return fmt.Errorf("bound the memory: %w", err)
	}
	return nil
}

// Remove removes the group; its processes must have ended.
func (c *Cage) Remove() { os.Remove(c.dir) }
