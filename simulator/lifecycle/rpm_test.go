//go:build cleanroot

package lifecycle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The .rpm is installed by rpm, with its scripts, and removed.
func TestTheRPMIsInstalledAndRemoved(t *testing.T) {
	out := t.TempDir()
	tool(t, "deploy/package/quick.sh", out, tool(t, "deploy/package/version.sh"), top(t)+"/.tools", "bin", "bin", "rpm")
	found, err := filepath.Glob(out + "/gatehouse-[0-9]*.rpm")
	if err != nil || len(found) != 1 {
		t.Fatalf("packages %v, %v", found, err)
	}
	listed := "\n" + tool(t, "rpm", "-qpl", found[0]) + "\n"
	for _, name := range []string{"/usr/bin/gatehouse", "/usr/lib/systemd/system/gatehouse-agent.service",
		"/usr/share/man/man1/gatehouse.1.gz", "/etc/default/gatehouse-agent"} {
		if !strings.Contains(listed, "\n"+name+"\n") {
			t.Errorf("%s is not in the package:%s", name, listed)
		}
	}
	files := tool(t, "rpm", "-qp", "--configfiles", found[0])
	if !strings.Contains(files, "/etc/default/gatehouse-agent") {
		t.Errorf("configuration files: %s", files)
	}
	c := newComputer(t, "fedora")
	before := t.TempDir()
	tool(t, "deploy/package/quick.sh", before, tool(t, "deploy/package/version.sh", earlier), top(t)+"/.tools", "bin",
		"bin", "rpm")
	former, err := filepath.Glob(before + "/gatehouse-[0-9]*.rpm")
	if err != nil || len(former) != 1 {
		t.Fatalf("packages %v, %v", former, err)
	}
	rpm(t, c, "-i", former[0])
	c.write("etc/default/gatehouse-agent", "root", "# written by hand\n")
	rpm(t, c, "-U", found[0])
	text, err := os.ReadFile(c.Path("etc/default/gatehouse-agent"))
	if err != nil || string(text) != "# written by hand\n" {
		t.Errorf("after the upgrade the file that somebody wrote is %q, %v", text, err)
	}
	for _, name := range []string{"usr/bin/gatehouse", "etc/gatehouse", "var/lib/gatehouse"} {
		if _, err := os.Stat(c.Path(name)); err != nil {
			t.Errorf("after the installation: %v", err)
		}
	}
	c.run("gatehouse", "gatehouse", "version")
	rpm(t, c, "-e", "gatehouse")
	if _, err := os.Stat(c.Path("usr/bin/gatehouse")); err == nil {
		t.Error("after the removal the program is there")
	}
	if _, err := os.Stat(c.Path("var/lib/gatehouse")); err != nil {
		t.Errorf("the removal has taken the data: %v", err)
	}
}

// rpm runs rpm on a computer. Its Debian has no packages by the names of Fedora, and scripts need /proc.
func rpm(t *testing.T, c *computer, args ...string) {
	t.Helper()
	tool(t, "unshare", append([]string{"--mount", "sh", "-c", `mount -t proc proc "$1/proc" && exec rpm --root "$@"`,
		"sh", c.Dir, "--nodeps"}, args...)...)
}
