package port

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNamesThatChangeAreWarnedOf(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ttyUSB0"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := computer{byID: filepath.Join(dir, "by-id")}
	if err := os.Mkdir(c.byID, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "ttyUSB0"), filepath.Join(c.byID, "usb-reader")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/dev/ttyUSB0": "use " + c.byID + "/usb-reader", "/dev/ttyACM3": "use that in " + c.byID,
		"/dev/ttyS0": "", "/dev/serial/by-id/usb-reader": "", "/dev/pts/3": "",
	} {
		if got := c.unstable(name); !strings.HasSuffix(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
