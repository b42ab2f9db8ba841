package upgrade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// unit is the agent's service.
const unit = "gatehouse-agent.service"

// System is the computer's package manager and its services.
type System interface {
	// Installed returns the installed packages of gatehouse: their versions by their names.
	Installed(ctx context.Context) (map[string]string, error)
	// Architecture returns that of the computer, as dpkg calls it.
	Architecture(ctx context.Context) (string, error)
	// Install installs packages from files, whatever was installed before, and finishes what
	// was cut off.
	Install(ctx context.Context, files []string) error
	// Runs reports whether the agent's service runs.
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
	args := append([]string{"--force-confold", "--force-confdef", "--force-downgrade", "--install"}, files...)
	if _, err := run(ctx, "dpkg", args...); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	if _, err := run(ctx, "dpkg", "--force-confold", "--force-confdef", "--configure", "--pending"); err != nil {
		return fmt.Errorf("finish what was cut off: %w", err)
	}
	return nil
}

// Runs implements System.
func (Debian) Runs(ctx context.Context) bool {
	_, err := run(ctx, "systemctl", "--quiet", "is-active", unit)
	return err == nil
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

// run runs a program to its end. The error has the end of what it printed.
func run(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
	var out, problem strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(problem.String())
		if lines := strings.Split(text, "\n"); len(lines) > 4 {
			text = strings.Join(lines[len(lines)-4:], "; ")
		}
		return "", errors.Join(fmt.Errorf("%s: %w: %s", name, err, text), ctx.Err())
	}
	return out.String(), nil
}
