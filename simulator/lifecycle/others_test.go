//go:build cleanroot

package lifecycle

import (
	"path/filepath"
	"strings"
	"testing"
)

// The packages of the screen and of the simulator are installed beside gatehouse, and purged.
func TestTheOtherPackages(t *testing.T) {
	c := newComputer(t, "gate")
	debs := today(t)
	c.install(debs["gatehouse"])
	c.install(debs["gatehouse-simulator"])
	if out := c.run("gatehouse", "gatehouse-simulator", "demo", "--help"); !strings.Contains(out,
		`default "/usr/bin/gatehouse"`) || !strings.Contains(out, "gatehouse-simulator demo [flags]") {
		t.Errorf("the simulator does not know where it is: %s", out)
	}
	// Not here: cage, Chromium and fonts.
	file := "/tmp/" + filepath.Base(debs["gatehouse-kiosk"])
	tool(t, "cp", debs["gatehouse-kiosk"], c.Path(file))
	c.run("root", "dpkg", "--force-depends", "--install", file)
	if out := c.run("root", "id", "-nG", "gatehouse-kiosk"); !strings.Contains(out, "video") {
		t.Errorf("groups of the screen's user: %s", out)
	}
	c.run("root", "sh", "-c", "test -x /usr/libexec/gatehouse/gatehouse-kiosk && systemd-analyze --man=no verify "+
		"/usr/lib/systemd/system/gatehouse-kiosk.service")
	c.run("root", "dpkg", "--purge", "gatehouse-kiosk")
	c.run("root", "dpkg", "--purge", "gatehouse-simulator")
	c.run("root", "dpkg", "--purge", "gatehouse")
	c.purged()
}
