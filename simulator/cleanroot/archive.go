package cleanroot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// suite is the Debian that is made.
const suite = "bookworm"

// include lists what a clean root has beside Debian's minimum: what a gate's or a county's
// computer has in any case.
var include = []string{"systemd", "systemd-sysv", "udev", "dbus", "ca-certificates", "tzdata"}

// dropped are folders that debootstrap leaves full and nothing in a test reads.
var dropped = []string{"var/cache/apt", "var/lib/apt/lists", "var/log", "dev", "proc", "sys", "run"}

// archive returns the path of the archive of a fresh root, and makes it at the first call.
func archive(ctx context.Context, tools string) (string, error) {
	if err := needRoot(); err != nil {
		return "", err
	}
	spec := sha256.Sum256([]byte(suite + strings.Join(append(include, dropped...), ",")))
	path := filepath.Join(tools, "roots", suite+"-"+hex.EncodeToString(spec[:4])+".tar")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // no secrets in it
		return "", fmt.Errorf("make a clean root: %w", err)
	}
	unlock, err := lock(path + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	switch _, err := os.Stat(path); {
	case err == nil:
		return path, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("make a clean root: %w", err)
	}
	return path, bootstrap(ctx, path)
}

// lock waits until no other program makes the archive.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make a clean root: %w", err)
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("make a clean root: lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// bootstrap makes a root by debootstrap, and the archive of it at path.
func bootstrap(ctx context.Context, path string) error {
	mirror, err := mirror(ctx)
	if err != nil {
		return fmt.Errorf("make a clean root: %w", err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), "new-")
	if err != nil {
		return fmt.Errorf("make a clean root: %w", err)
	}
	defer os.RemoveAll(dir)
	if _, err := run(exec.CommandContext(ctx, "debootstrap", "--variant=minbase",
		"--include="+strings.Join(include, ","), suite, dir, mirror)); err != nil {
		return fmt.Errorf("make a clean root: %w", err)
	}
	args := []string{"-C", dir, "--numeric-owner", "--xattrs", "--sort=name"}
	for _, name := range dropped {
		args = append(args, "--exclude=./"+name+"/*")
	}
	if _, err := run(exec.CommandContext(ctx, "tar", append(args, "-cf", path+".part", ".")...)); err != nil {
		return fmt.Errorf("make a clean root: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("make a clean root: %w", err)
	}
	return nil
}

// mirror returns the address from which the computer's own apt takes Debian 12.
func mirror(ctx context.Context) (string, error) {
	out, err := run(exec.CommandContext(ctx, "apt-get", "indextargets", "--format",
		"$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"))
	if err != nil {
		return "", fmt.Errorf("find the mirror of apt: %w", err)
	}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == suite && f[1] == "main" {
			return f[2], nil
		}
	}
	return "", fmt.Errorf("find the mirror of apt: no source of this computer has Debian's %s main", suite)
}
