package upgrade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unit is the agent's service.
const unit = "gatehouse-agent.service"

// pipesLimit bounds how long a program that was killed is waited for because one that it has
// started, such as a package's script, still holds its output.
const pipesLimit = 5 * time.Second

// ErrLocked means that another program, such as apt, installs packages now.
var ErrLocked = errors.New("another program installs packages")

// System is the computer's package manager and its services.
type System interface {
	// Installed returns the installed packages of gatehouse: their versions by their names.
	Installed(ctx context.Context) (map[string]string, error)
	// Architecture returns that of the computer, as dpkg calls it.
	Architecture(ctx context.Context) (string, error)
	// Install installs packages from files, whatever was installed before, and finishes what
	// was cut off. It is not stopped in the middle when ctx ends. The error wraps ErrLocked when
	// nothing was done because another program is at work.
	Install(ctx context.Context, files []string) error
	// Whole reports whether a version of a package is installed whole.
	Whole(ctx context.Context, name, version string) bool
	// Runs reports whether the agent's service runs, or starts.
	Runs(ctx context.Context) bool
	// Restart starts the agent's service anew.
	Restart(ctx context.Context) error
	// Free returns how many bytes are free where path is.
	Free(path string) (int64, error)
}

// Debian is a System with dpkg and systemd.
type Debian struct{}

// Installed implements System.
func (Debian) Installed(ctx context.Context) (map[string]string, error) {
	out, err := run(ctx, "dpkg-query", "--show", "--showformat", `${db:Status-Abbrev}|${Package}|${Version}\n`,
		"gatehouse*")
	if err != nil {
		return nil, fmt.Errorf("ask which packages are installed: %w", err)
	}
	list := map[string]string{}
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSpace(line), "|")
		// i: it is to be installed; the second letter is how far that has come.
		if len(f) == 3 && strings.HasPrefix(f[0], "i") && len(f[0]) > 1 && !strings.Contains("nc", f[0][1:2]) {
			list[f[1]] = f[2]
		}
	}
	return list, nil
}

// Architecture implements System.
func (Debian) Architecture(ctx context.Context) (string, error) {
	out, err := run(ctx, "dpkg", "--print-architecture")
	if err != nil {
		return "", fmt.Errorf("ask for the architecture: %w", err)
	}
	return strings.TrimSpace(out), nil
}

// Install implements System.
func (Debian) Install(ctx context.Context, files []string) error {
	ctx = context.WithoutCancel(ctx) // half an installation is worse than a late end
	args := append([]string{"--force-confold", "--force-confdef", "--force-downgrade", "--install"}, files...)
	if _, err := run(ctx, "dpkg", args...); err != nil {
		if strings.Contains(err.Error(), "locked by another process") {
			err = fmt.Errorf("%w: %w", ErrLocked, err)
		}
		return fmt.Errorf("install: %w", err)
	}
	if _, err := run(ctx, "dpkg", "--force-confold", "--force-confdef", "--configure", "--pending"); err != nil {
		return fmt.Errorf("finish what was cut off: %w", err)
	}
	return nil
}

// Whole implements System.
func (Debian) Whole(ctx context.Context, name, version string) bool {
	out, err := run(ctx, "dpkg-query", "--show", "--showformat", "${db:Status-Abbrev}|${Version}", name)
	return err == nil && out == "ii |"+version
}

// Runs implements System.
func (Debian) Runs(ctx context.Context) bool {
	out, err := run(ctx, "systemctl", "show", "--property", "ActiveState", "--value", unit)
	// One that starts reads its journal, or is started again after it has failed.
	return err == nil && slices.Contains([]string{"active", "activating", "reloading"}, strings.TrimSpace(out))
}

// Restart implements System.
func (Debian) Restart(ctx context.Context) error {
	if _, err := run(ctx, "systemctl", "restart", unit); err != nil {
		return fmt.Errorf("start the agent anew: %w", err)
	}
	return nil
}

// Free implements System.
func (Debian) Free(path string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, fmt.Errorf("look how much is free at %s: %w", path, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:gosec,unconvert // 32 bits on 32-bit ARM
}

// run runs a program to its end, for stepLimit at most. The error has the end of what it printed.
func run(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
	var out, problem strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &problem, pipesLimit
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for this program, which decides
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(problem.String())
		if lines := strings.Split(text, "\n"); len(lines) > 4 {
			text = strings.Join(lines[len(lines)-4:], "; ")
		}
		return "", errors.Join(fmt.Errorf("%s: %w: %s", name, err, text), ctx.Err())
	}
	return out.String(), nil
}
