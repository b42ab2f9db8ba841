// Package host is the computer that doctor looks at.
package host

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/devices/port"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/doctor"
	"gatehouse/gateway/filesystem"
	"gatehouse/gateway/identity"
)

// patience bounds each question to the network and to systemd.
const patience = 5 * time.Second

// Host is this computer. The zero value is ready; tests set Clock, and Root to a folder
// with proc and sys of their own.
type Host struct {
	Clock clock.Source // nil: the system's
	Zone  *time.Location
	Root  string // before /proc and /sys; empty: the real ones
}

var _ doctor.Probe = Host{}

func (h Host) source() clock.Source {
	if h.Clock == nil {
		return clock.System{}
	}
	return h.Clock
}

// Now returns the time of the wall clock.
func (h Host) Now() time.Time { return h.source().Now().Wall }

// Synchronised reports whether the wall clock is known to be right.
func (h Host) Synchronised() bool { return h.source().Synchronised() }

// HostZone returns the computer's time zone.
func (h Host) HostZone() *time.Location {
	if h.Zone != nil {
		return h.Zone
	}
	return time.Local //nolint:gosmopolitan // that is the question
}

// HostName returns the computer's name.
func (Host) HostName() string {
	name, _ := os.Hostname() // empty: it has none
	return name
}

// mostStrangers bounds how many files of others are named.
const mostStrangers = 5

// Folder returns whose a folder is, and which files in it are somebody else's.
func (Host) Folder(path string) (f doctor.Folder, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return f, err
	}
	owner := ownerOf(info)
	f.Owner, f.Mode = nameOf(owner), info.Mode()
	list, err := os.ReadDir(path)
	if err != nil {
		return f, err
	}
	for _, e := range list {
		info, err := e.Info()
		if err == nil && ownerOf(info) != owner && len(f.Strangers) < mostStrangers {
			f.Strangers = append(f.Strangers, e.Name())
		}
	}
	return f, nil
}

func ownerOf(info os.FileInfo) uint32 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Uid
	}
	return 0
}

func nameOf(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// FileSystem says what may be lost on the file system of a folder.
func (Host) FileSystem(path string) (string, error) { return filesystem.Check(path) }

// above returns a folder, or the nearest one above it that is there.
func above(path string) string {
	for at := path; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			return at
		}
	}
}

// Room returns how much the disk of a folder holds.
func (Host) Room(path string) (r doctor.Room, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(above(path), &st); err != nil {
		return r, fmt.Errorf("look at the disk of %s: %w", path, err)
	}
	size := uint64(st.Bsize) //nolint:gosec // positive
	return doctor.Room{Free: st.Bavail * size, Total: st.Blocks * size, FreeFiles: st.Ffree, Files: st.Files}, nil
}

// Sync returns how long a small write with fsync takes: the median of five.
func (Host) Sync(_ context.Context, path string) (time.Duration, error) {
	dir := above(path)
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return 0, fmt.Errorf("nothing can be written to %s: %w", dir, err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var took []time.Duration
	for range 5 {
		begin := time.Now()
		if _, err := f.Write(bytes.Repeat([]byte{'x'}, 4096)); err != nil {
			return 0, fmt.Errorf("write to %s: %w", dir, err)
		}
		if err := f.Sync(); err != nil {
			return 0, fmt.Errorf("write to the disk of %s: %w", dir, err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// Memory returns how much memory is available, and how much there is, in bytes.
func (h Host) Memory() (available, total uint64, err error) {
	b, err := os.ReadFile(h.Root + "/proc/meminfo")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseUint(f[1], 10, 64) // of a line that counts it is a number
		switch f[0] {
		case "MemAvailable:":
			available = n << 10
		case "MemTotal:":
			total = n << 10
		}
	}
	if total == 0 {
		return 0, 0, errors.New("/proc/meminfo does not say it")
	}
	return available, total, nil
}

// Certificate reads one.
func (Host) Certificate(path string) (*x509.Certificate, error) {
	return identity.LoadCertificate(path)
}

// Served returns the certificate that a server shows, whether it counts or not.
func (Host) Served(ctx context.Context, address string) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	//nolint:gosec // only looked at; nothing is sent
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	c, ok := conn.(*tls.Conn)
	if !ok || len(c.ConnectionState().PeerCertificates) == 0 {
		return nil, errors.New("it shows no certificate")
	}
	return c.ConnectionState().PeerCertificates[0], nil
}

// Here reports whether a name leads to this computer.
func (Host) Here(ctx context.Context, name string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return false, err
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(found, func(at netip.Addr) bool {
		at = at.Unmap()
		return at.IsLoopback() || slices.ContainsFunc(own, func(o net.Addr) bool {
			n, ok := o.(*net.IPNet)
			return ok && n.IP.Equal(at.AsSlice())
		})
	}), nil
}

// Date asks a web server for its time.
func (Host) Date(ctx context.Context, url string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/healthz", nil)
	if err != nil {
		return time.Time{}, err
	}
	//nolint:gosec // only its time is read; what a gate does with the desk is signed
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true,
		MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return time.Time{}, err
	}
	defer res.Body.Close()
	at, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return time.Time{}, fmt.Errorf("it answers without a time: %w", err)
	}
	return at, nil
}

// Open opens a device, and closes it again.
func (Host) Open(d doctor.Device) error {
	ports := port.NewHost()
	switch d.Kind {
	case doctor.Serial:
		p, err := ports.Serial(d.Port, d.Baud)
		if err != nil {
			return err
		}
		return p.Close()
	case doctor.I2C:
		b, err := ports.I2C(d.Port)
		if err != nil {
			return err
		}
		return b.Close()
	case doctor.GPIO:
		_, err := ports.Pin(d.Port)
		return err
	}
	return fmt.Errorf("a device of kind %q is not known", d.Kind)
}

// Found returns the path of the first program that is installed.
func (Host) Found(programs ...string) string {
	for _, p := range programs {
		if at, err := exec.LookPath(p); err == nil {
			return at
		}
	}
	return ""
}
