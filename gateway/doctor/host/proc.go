package host

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gatehouse/gateway/doctor"
)

// listening is the state of a listening socket in /proc/net/tcp.
const listening = "0A"

// Holder returns who listens on an address, as far as this user may see.
func (h Host) Holder(address string) (who doctor.Holder, taken bool, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return who, false, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return who, false, fmt.Errorf("port %q: %w", port, err)
	}
	var inodes []string
	seen := false
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(h.Root + table)
		if err != nil {
			continue // a kernel without IPv6 has no second one
		}
		seen = true
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == listening && overlaps(f[1], host, uint16(n)) {
				inodes = append(inodes, f[9])
			}
		}
	}
	if !seen {
		return who, false, errors.New("/proc/net/tcp can't be read")
	}
	if len(inodes) == 0 {
		return who, false, nil
	}
	who.PID = h.pidOf(inodes)
	if who.PID != 0 {
		who.Program = h.comm(strconv.Itoa(who.PID))
	}
	return who, true, nil
}

// overlaps reports whether a local address of /proc/net/tcp keeps others from host:port.
func overlaps(local, host string, port uint16) bool {
	text, p, _ := strings.Cut(local, ":")
	n, err := strconv.ParseUint(p, 16, 16)
	b, err2 := hex.DecodeString(text)
	if err != nil || err2 != nil || uint16(n) != port {
		return false
	}
	for i := 0; i+3 < len(b); i += 4 { // words in the order of the processor
		slices.Reverse(b[i : i+4])
	}
	at, ok := netip.AddrFromSlice(b)
	want, err := netip.ParseAddr(host)
	if !ok || err != nil {
		return true // a name: any of the addresses
	}
	at = at.Unmap()
	return at == want.Unmap() || at.IsUnspecified() || want.IsUnspecified()
}

// pidOf returns the process that has one of the sockets open; 0: it can't be seen.
func (h Host) pidOf(inodes []string) int {
	for _, pid := range h.processes() {
		fds, err := filepath.Glob(filepath.Join(h.Root, "/proc", pid, "fd", "*"))
		if err != nil {
			continue
		}
		for _, fd := range fds {
			to, err := os.Readlink(fd)
			if err == nil && slices.Contains(inodes, strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")) {
				n, _ := strconv.Atoi(pid) // a number, see processes
				return n
			}
		}
	}
	return 0
}

// processes returns the numbers of all processes.
func (h Host) processes() (out []string) {
	list, _ := os.ReadDir(h.Root + "/proc") // none can be seen
	for _, e := range list {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			out = append(out, e.Name())
		}
	}
	return out
}

// comm returns the name of a process's program.
func (h Host) comm(pid string) string {
	b, _ := os.ReadFile(filepath.Join(h.Root, "/proc", pid, "comm")) // it has ended
	return strings.TrimSpace(string(b))
}

// Running returns which of the programs run.
func (h Host) Running(programs ...string) (out []string) {
	for _, pid := range h.processes() {
		if c := h.comm(pid); slices.Contains(programs, c) && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// Screens returns how many screens are connected.
func (h Host) Screens() (n int, err error) {
	list, err := filepath.Glob(h.Root + "/sys/class/drm/*/status")
	if err != nil || len(list) == 0 {
		return 0, errors.New("this computer has no graphics (/sys/class/drm)")
	}
	for _, file := range list {
		b, err := os.ReadFile(file)
		if err == nil && strings.TrimSpace(string(b)) == "connected" {
			n++
		}
	}
	return n, nil
}

// Sounds returns how many sound cards there are.
func (h Host) Sounds() (n int, err error) {
	b, err := os.ReadFile(h.Root + "/proc/asound/cards")
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strings.Count(string(b), "]: "), nil
}
