// Package booted boots a clean root with its own systemd, so that tests run the units of the
// packages as a computer does: with their sandbox, watchdog and journal. It needs root and
// systemd-nspawn.
package booted

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// patience is how long a boot may take on a busy computer.
const patience = 3 * time.Minute

// Options are those of a machine.
type Options struct {
	// State becomes its /var/lib/gatehouse; the root is read-only then but for that, /run and /tmp. Without it the
	// root can be written, and what is written stays when the machine has ended.
	State string
	// Network gives it the computer's network, instead of one of its own with nothing but loopback.
	Network bool
	// Busy: a service may take minutes to start, and is not waited for.
	Busy bool
	// Binds are files and folders of the computer, by the path at which the machine has them.
	Binds map[string]string
}

// args returns those of systemd-nspawn.
func (o Options) args(dir string) []string {
	name := fnv.New32a()
	_, _ = io.WriteString(name, dir) // it never fails
	args := []string{"--quiet", "--directory", dir, "--tmpfs", "/var/tmp:mode=1777", "--register=no", "--keep-unit",
		"--boot", "--machine", fmt.Sprintf("gatehouse-%08x", name.Sum32())}
	if o.State != "" {
		args = append(args, "--read-only", "--bind", o.State+":/var/lib/gatehouse", "--tmpfs", "/var/log:mode=755",
			"--tmpfs", "/var/lib/systemd:mode=755")
	}
	if !o.Network {
		args = append(args, "--private-network")
	}
	for to, from := range o.Binds {
		args = append(args, "--bind", from+":"+to)
	}
	return args
}

// Machine is a root whose systemd runs. Its methods may be called from several goroutines.
type Machine struct {
	nspawn *exec.Cmd
	leader int          // of the namespaces, as this computer counts processes
	said   bytes.Buffer // by systemd-nspawn; read after its end
	ended  chan struct{}
	busy   bool
}

// Boot boots the root in dir, which is at least readable by everybody. The machine runs until Halt or the end of
// ctx.
func Boot(ctx context.Context, dir string, o Options) (*Machine, error) {
	m := &Machine{ended: make(chan struct{}), busy: o.Busy}
	m.nspawn = exec.CommandContext(ctx, "systemd-nspawn", o.args(dir)...)
	m.nspawn.Stdout, m.nspawn.Stderr = &m.said, &m.said
	m.nspawn.Cancel = m.kill
	m.nspawn.WaitDelay = 10 * time.Second
	if err := m.nspawn.Start(); err != nil {
		return nil, fmt.Errorf("boot a machine (make tools installs what it needs): %w", err)
	}
	go func() { // ends with the process
		defer close(m.ended)
		_ = m.nspawn.Wait()
	}()
	if err := m.await(ctx); err != nil {
		return nil, errors.Join(err, m.Halt())
	}
	return m, nil
}

// await waits until systemd has booted.
func (m *Machine) await(ctx context.Context) error {
	last := "nothing"
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && ctx.Err() == nil; {
		select {
		case <-m.ended:
			return fmt.Errorf("boot a machine: systemd-nspawn has ended: %s", m.said.String())
		case <-time.After(100 * time.Millisecond):
		}
		if m.leader == 0 {
			m.leader = child(m.nspawn.Process.Pid)
			continue
		}
		out, _ := m.Run(ctx, "systemctl", "is-system-running")
		if last = strings.TrimSpace(out); last == "running" || last == "degraded" {
			return nil
		}
		if m.busy && last == "starting" {
			if _, err := m.Run(ctx, "systemctl", "--quiet", "is-active", "basic.target"); err == nil {
				return nil
			}
		}
	}
	return fmt.Errorf("boot a machine: it is %q after %s", last, patience)
}

// child returns the only child of a process, or 0.
func child(pid int) int {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "task", strconv.Itoa(pid), "children"))
	if err != nil {
		return 0
	}
	one, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return one
}

// Run runs a program in the machine as root, and returns what it printed. The error of one that
// fails has that too.
func (m *Machine) Run(ctx context.Context, args ...string) (string, error) {
	inside := []string{"--target", strconv.Itoa(m.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
		"--root", "--wd", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	out, err := exec.CommandContext(ctx, "nsenter", append(inside, args...)...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Property returns a property of a unit, such as StatusText.
func (m *Machine) Property(ctx context.Context, unit, name string) (string, error) {
	out, err := m.Run(ctx, "systemctl", "show", "--value", "--property", name, unit)
	return strings.TrimSpace(out), err
}

// kill ends the machine's first process, and with it all others.
func (m *Machine) kill() error {
	if m.leader == 0 {
		return m.nspawn.Process.Kill()
	}
	first, err := os.FindProcess(m.leader)
	if err != nil {
		return fmt.Errorf("halt the machine: %w", err)
	}
	return first.Kill()
}

// Halt ends the machine as a power cut does, and returns when it has ended.
func (m *Machine) Halt() error {
	err := m.kill()
	<-m.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
