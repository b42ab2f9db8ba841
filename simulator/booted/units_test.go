package booted

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const deploy = "../../deploy"

// Of each service, and how much of a computer it may reach at most, as systemd-analyze counts.
var exposure = map[string]float64{
	"gatehouse-agent.service":   2.0,
	"gatehouse-collect.service": 2.0,
	"gatehouse-broker.service":  2.0,
	"gatehouse-kiosk.service":   4.5, // a browser, with its own sandbox, on the screen
}

// run runs a program that must succeed.
func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestTheUnitsAreValidAndTheirSandboxHolds(t *testing.T) {
	files, err := filepath.Glob(deploy + "/systemd/*.service")
	if err != nil || len(files) < len(exposure) {
		t.Fatalf("%q, %v", files, err)
	}
	dir := t.TempDir()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// The programs and manual pages of the packages are not installed here.
		var lines []string
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "ExecStart=") {
				line = "ExecStart=/bin/true\n"
			}
			if !strings.HasPrefix(line, "Documentation=") {
				lines = append(lines, line)
			}
		}
		here := filepath.Join(dir, filepath.Base(file))
		if err := os.WriteFile(here, []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := run(t, "systemd-analyze", "verify", here); out != "" {
			t.Errorf("%s:\n%s", file, out)
		}
		if most, ours := exposure[filepath.Base(file)]; ours {
			out := run(t, "systemd-analyze", "security", "--offline=true", "--no-pager",
				"--threshold="+strconv.Itoa(int(most*10)), here)
			t.Log(out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:])
		}
	}
}

// A unit of ours that systemd does not know, or that is open, would fail the test above.
func TestAnOpenUnitIsAboveTheThreshold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "open.service")
	if err := os.WriteFile(file, []byte("[Service]\nExecStart=/bin/true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=20", file)
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("%s", out)
	}
}

// attribute writes a file of the fake sysfs.
func attribute(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// adapter makes a USB serial adapter in a fake sysfs, and returns the paths of its port and its
// USB device under it.
func adapter(t *testing.T, sys, vendor, product, serial string) (tty, usb string) {
	t.Helper()
	bus := "devices/pci0000:00/0000:00:14.0"
	usb = bus + "/usb1/1-2"
	face := usb + "/1-2:1.0"
	port := face + "/ttyUSB0"
	tty = port + "/tty/ttyUSB0"
	for path, subsystem := range map[string]string{bus: "bus/pci", bus + "/usb1": "bus/usb", usb: "bus/usb",
		face: "bus/usb", port: "bus/usb-serial", tty: "class/tty"} {
		for _, dir := range []string{path, subsystem} {
			if err := os.MkdirAll(filepath.Join(sys, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(strings.Repeat("../", strings.Count(path, "/")+1)+subsystem,
			filepath.Join(sys, path, "subsystem")); err != nil {
			t.Fatal(err)
		}
	}
	for path, text := range map[string]string{
		bus + "/uevent":            "",
		bus + "/usb1/uevent":       "DEVTYPE=usb_device",
		usb + "/uevent":            "DEVTYPE=usb_device\nPRODUCT=" + vendor + "/" + product + "/100",
		usb + "/idVendor":          vendor,
		usb + "/idProduct":         product,
		usb + "/product":           "USB Serial",
		face + "/uevent":           "DEVTYPE=usb_interface",
		face + "/bInterfaceNumber": "00",
		face + "/bInterfaceClass":  "ff",
		port + "/uevent":           "",
		port + "/port_number":      "0",
		tty + "/uevent":            "MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB0",
	} {
		attribute(t, filepath.Join(sys, path), text)
	}
	if serial != "" {
		attribute(t, filepath.Join(sys, usb, "serial"), serial)
	}
	if err := os.Symlink("../../../ttyUSB0", filepath.Join(sys, tty, "device")); err != nil {
		t.Fatal(err)
	}
	return tty, usb
}

// udev runs our rules, after Debian's, for a device of a fake sysfs, and returns what it says.
// brltty is what the rules of brltty would do on a system that has them.
func udev(t *testing.T, sys, device, brltty string) string {
	t.Helper()
	rules, err := filepath.Abs(deploy + "/udev")
	if err != nil {
		t.Fatal(err)
	}
	script := `set -e
mount -t tmpfs run /run
mount -t tmpfs dev /dev
mkdir -p /run/udev/rules.d
cp "$2"/*.rules /run/udev/rules.d
printf '%s\n' "$4" >/run/udev/rules.d/85-brltty.rules
mount --bind "$1" /sys
SYSTEMD_DEVICE_VERIFY_SYSFS=0 udevadm test --action=add "/sys/$3" 2>&1`
	return run(t, "unshare", "--mount", "--propagation", "private", "sh", "-c", script,
		"sh", sys, rules, device, brltty)
}

func TestAdaptersHaveNamesThatStayAndAreLeftAlone(t *testing.T) {
	const brltty = `SUBSYSTEM=="usb", ENV{PRODUCT}=="10c4/ea60/*|1a86/7523/*", ENV{BRLTTY_BRAILLE_DRIVER}="sk", ` +
		`ENV{SYSTEMD_WANTS}+="brltty-device@.service"`
	for _, c := range []struct {
		name, vendor, product, serial string
		links                         []string
	}{
		{"with a serial number", "10c4", "ea60", "00A1B2C3", []string{
			"/dev/gatehouse/serial-10c4-ea60-00A1B2C3", "/dev/gatehouse/port-pci-0000:00:14.0-usb-0:2:1.0"}},
		{"without one", "1a86", "7523", "", []string{"/dev/gatehouse/port-pci-0000:00:14.0-usb-0:2:1.0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sys := t.TempDir()
			tty, usb := adapter(t, sys, c.vendor, c.product, c.serial)
			out := udev(t, sys, tty, brltty)
			for line := range strings.Lines(out) {
				if strings.Contains(line, "gatehouse.rules") && (strings.Contains(line, "nvalid") ||
					strings.Contains(line, "rror") || strings.Contains(line, "nknown key")) {
					t.Error(line)
				}
			}
			var got []string
			for line := range strings.Lines(out) {
				if all, ok := strings.CutPrefix(strings.TrimSpace(line), "DEVLINKS="); ok {
					got = strings.Fields(all)
				}
			}
			ours := 0
			for _, link := range got {
				if strings.HasPrefix(link, "/dev/gatehouse/") {
					ours++
				}
			}
			for _, want := range c.links {
				if !strings.Contains(" "+strings.Join(got, " ")+" ", " "+want+" ") {
					t.Errorf("%s is missing in %q", want, got)
				}
			}
			if ours != len(c.links) {
				t.Errorf("names: %q, want %q", got, c.links)
			}
			out = udev(t, sys, usb, brltty)
			if !strings.Contains(out, "ID_MM_DEVICE_IGNORE=1") {
				t.Errorf("ModemManager may use it:\n%s", out)
			}
			for line := range strings.Lines(out) {
				line = strings.TrimSpace(line)
				if strings.HasPrefix(line, "SYSTEMD_WANTS=b") || strings.HasPrefix(line, "BRLTTY_BRAILLE_DRIVER=s") {
					t.Errorf("brltty takes it: %s", line)
				}
			}
		})
	}
}
