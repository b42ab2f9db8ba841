package port

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gatehouse/devices/port/pty"
)

func TestAPortThatAnotherProgramHasDeclaredItsOwnIsRefusedAndNamesIt(t *testing.T) {
	p, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	f, err := os.OpenFile(p.Path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	other := exec.CommandContext(t.Context(), "sleep", "60")
	other.Stdin = f
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	if err := unix.IoctlSetInt(int(f.Fd()), unix.TIOCEXCL, 0); err != nil {
		t.Fatal(err)
	}
	f.Close()
	_, err = NewHost().Serial(p.Path, 9600)
	want := fmt.Sprintf("sleep (process %d)", other.Process.Pid)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("%v; want %q", err, want)
	}
}

func TestErrorsOfOpeningSayWhatToDo(t *testing.T) {
	dir := t.TempDir()
	c := computer{proc: filepath.Join(dir, "proc"), byID: filepath.Join(dir, "by-id")}
	name, open, shut := filepath.Join(dir, "ttyUSB0"), filepath.Join(dir, "open"), filepath.Join(dir, "shut")
	for path, mode := range map[string]os.FileMode{name: 0o660, open: 0o660, shut: 0o600} {
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.explain(name, unix.ENOENT); !strings.Contains(got, "no USB adapter is plugged in") {
		t.Error(got)
	}
	process := func(pid, comm string) {
		fds := filepath.Join(c.proc, pid, "fd")
		if err := os.MkdirAll(fds, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.proc, pid, "comm"), []byte(comm+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(name, filepath.Join(fds, "5")); err != nil {
			t.Fatal(err)
		}
	}
	process("4711", "brltty")
	process("4712", "ModemManager")
	if err := os.Mkdir(c.byID, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(name, filepath.Join(c.byID, "usb-1a86")); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		path string
		err  error
		want []string
	}{
		{name, unix.EBUSY, []string{"brltty (process 4711)", "ModemManager (process 4712)", "apt remove brltty"}},
		{name, unix.EWOULDBLOCK, []string{"apt remove brltty"}},
		{open, unix.EBUSY, []string{"fuser -v " + open}},
		{name, unix.ENOENT,
			[]string{filepath.Join(c.byID, "usb-1a86"), "brltty", "systemctl disable --now ModemManager"}},
		{open, fs.ErrPermission, []string{"add the user to the group", "usermod -aG", "log in again"}},
		{shut, unix.EACCES, []string{"-rw-------", "udev rule"}},
		{filepath.Join(dir, "none"), unix.EPERM, []string{"may not see it"}},
		{name, unix.ENOTTY, []string{"no serial port"}},
		{dir, unix.EISDIR, []string{"no serial port"}},
		{name, unix.ELOOP, []string{c.byID}},
		{name, unix.EINVAL, []string{""}},
	} {
		got := c.explain(k.path, fmt.Errorf("open: %w", k.err))
		for _, want := range k.want {
			if !strings.Contains(got, want) || (want == "") != (got == "") {
				t.Errorf("%v of %s: %q; want %q", k.err, k.path, got, want)
			}
		}
	}
}

func TestOnlyRealPortsAreClaimed(t *testing.T) {
	for device, want := range map[uint64]bool{unix.Mkdev(136, 3): true, unix.Mkdev(143, 0): true,
		unix.Mkdev(188, 0): false, unix.Mkdev(4, 64): false, unix.Mkdev(135, 0): false, unix.Mkdev(144, 0): false} {
		if pseudo(device) != want {
			t.Errorf("major %d", unix.Major(device))
		}
	}
}
