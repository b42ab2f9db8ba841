package port

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// computer is where the system shows its processes and its serial ports.
type computer struct{ proc, byID, byPath string }

func here() computer {
	return computer{proc: "/proc", byID: "/dev/serial/by-id", byPath: "/dev/serial/by-path"}
}

// explain returns what to do about an error of opening a serial port; "" when nothing
// is known.
func (c computer) explain(name string, err error) string {
	switch {
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EWOULDBLOCK):
		return c.busy(name)
	case errors.Is(err, fs.ErrPermission):
		return forbidden(name)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return c.missing()
	case errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EISDIR), errors.Is(err, unix.ELOOP):
		return "it is no serial port: give the name of one, like those in " + c.byID
	}
	return ""
}

// busy says who has a port open.
func (c computer) busy(name string) string {
	holders := c.holders(name)
	if len(holders) == 0 {
		return "it is in use by another program (whose is not to be seen: sudo fuser -v " + name + " names it)"
	}
	text := "it is in use by " + strings.Join(holders, ", ")
	for _, h := range holders {
		comm, _, _ := strings.Cut(h, " ")
		if advice := greedy(comm); advice != "" {
			return text + ": " + advice
		}
	}
	return text + ": end that, or use another port"
}

// forbidden says how this user may open a port.
func forbidden(name string) string {
	who := strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	const container = "; in a container, pass the device to it"
	info, err := os.Stat(name)
	if err != nil {
		return "user " + who + " may not see it: look at the rights of its folder" + container
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode().Perm()&0o060 != 0o060 {
		return fmt.Sprintf("user %s may not open it, nor may its group (its mode is %s): "+
			"give it GROUP=\"dialout\", MODE=\"0660\" by a udev rule%s", who, info.Mode(), container)
	}
	group := strconv.FormatUint(uint64(st.Gid), 10)
	if g, err := user.LookupGroupId(group); err == nil {
		group = g.Name
	}
	return fmt.Sprintf("add the user to the group %s: sudo usermod -aG %s %s, then log in again "+
		"(of a service: start it again)%s", group, group, who, container)
}

// missing lists the ports there are, and the programs that may have taken one away.
func (c computer) missing() string {
	text := "no USB adapter is plugged in (" + c.byID + " is empty)"
	if links, err := filepath.Glob(filepath.Join(c.byID, "*")); err == nil && len(links) > 0 {
		text = "there is no such port; those that are plugged in: " + strings.Join(links, ", ")
	}
	for _, name := range []string{"brltty", "ModemManager"} {
		if slices.ContainsFunc(c.processes(), func(pid string) bool { return c.comm(pid) == name }) {
			text += "; if it was there and has gone: " + greedy(name)
		}
	}
	return text
}

// greedy returns what to do about a program that takes ports which are not for it.
func greedy(comm string) string {
	switch comm {
	case "brltty":
		return "brltty takes adapters with CH340 and CP210x for Braille displays: sudo apt remove brltty, " +
			"then plug the adapter in again"
	case "ModemManager":
		return "ModemManager takes adapters for modems: sudo systemctl disable --now ModemManager, " +
			"or ENV{ID_MM_DEVICE_IGNORE}=\"1\" in a udev rule"
	}
	return ""
}

// holders returns the programs that have a port open, as far as this user may see.
func (c computer) holders(name string) (all []string) {
	target, err := os.Stat(name)
	if err != nil {
		return nil
	}
	for _, pid := range c.processes() {
		files, err := filepath.Glob(filepath.Join(c.proc, pid, "fd", "*"))
		if err != nil {
			continue
		}
		if !slices.ContainsFunc(files, func(file string) bool {
			info, err := os.Stat(file)
			return err == nil && os.SameFile(info, target)
		}) {
			continue
		}
		if pid == strconv.Itoa(os.Getpid()) {
			all = append(all, "another device of this gate")
			continue
		}
		all = append(all, fmt.Sprintf("%s (process %s)", cmp.Or(c.comm(pid), "a program"), pid))
	}
	return all
}

// processes returns the numbers of the processes.
func (c computer) processes() (pids []string) {
	entries, _ := os.ReadDir(c.proc) // what can't be read names nobody
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, e.Name())
		}
	}
	return pids
}

// comm returns the name of a process, or "".
func (c computer) comm(pid string) string {
	b, _ := os.ReadFile(filepath.Join(c.proc, pid, "comm")) // it may have ended
	return strings.TrimSpace(string(b))
}
