package port

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// plugged returns a computer with adapters, by their names in by-id; an adapter without
// one is "".
func plugged(t *testing.T, ids ...string) computer {
	t.Helper()
	dir := t.TempDir()
	c := computer{byID: filepath.Join(dir, "by-id"), byPath: filepath.Join(dir, "by-path")}
	err := errors.Join(os.Mkdir(c.byID, 0o700), os.Mkdir(c.byPath, 0o700))
	for i, id := range ids {
		n := string(rune('0' + i))
		file := filepath.Join(dir, "ttyUSB"+n)
		err = errors.Join(err, os.WriteFile(file, nil, 0o600), os.Symlink(file, filepath.Join(c.byPath, "pci-"+n)))
		if id != "" {
			err = errors.Join(err, os.Symlink(file, filepath.Join(c.byID, id)))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNamesThatChangeAreWarnedOf(t *testing.T) {
	for _, k := range []struct {
		adapters   []string
		name, want string
	}{
		{[]string{"usb-reader"}, "/dev/ttyUSB0", "use ID/usb-reader"},
		{[]string{"usb-reader"}, "/dev/ttyACM3", "use that in ID"},
		{nil, "/dev/ttyUSB0", "use that in ID"},
		{[]string{"usb-reader"}, "/dev/ttyS0", ""},
		{[]string{"usb-reader"}, "/dev/pts/3", ""},
		{[]string{"usb-reader", "usb-gps"}, "ID/usb-reader", ""},
		{[]string{"usb-reader"}, "ID/usb-other", ""},
		// Two alike without a serial number: by-id has the last one only.
		{[]string{"", "usb-1a86_USB_Serial"}, "ID/usb-1a86_USB_Serial", "use PATH/pci-1, and leave each in its socket"},
		{[]string{"", "usb-1a86_USB_Serial"}, "/dev/ttyUSB0", "use PATH/pci-0"},
		{[]string{"", "usb-1a86_USB_Serial"}, "/dev/ttyUSB1", "use PATH/pci-1"},
		{[]string{"", "usb-1a86_USB_Serial"}, "PATH/pci-0", ""},
	} {
		c := plugged(t, k.adapters...)
		full := strings.NewReplacer("ID", c.byID, "PATH", c.byPath)
		name, want := k.name, full.Replace(k.want)
		if !strings.HasPrefix(name, "/dev") {
			name = full.Replace(name)
		}
		if got := c.unstable(name); !strings.HasSuffix(got, want) || (want == "") != (got == "") {
			t.Errorf("%q of %q: %q, want %q", name, k.adapters, got, want)
		}
	}
}
