//go:build cleanroot

package lifecycle

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// earlier is the commit of bin/gatehouse-earlier.
const earlier = "5316e1d"

// top is the repository.
func top(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// tool runs a program in the repository, and returns what it printed.
func tool(t *testing.T, program string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, args...)
	c.Dir = top(t)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// made is where today's packages are, made once for all tests.
var made struct {
	once sync.Once
	debs map[string]string
}

// TestMain removes what the tests have shared.
func TestMain(m *testing.M) {
	code := m.Run()
	for _, path := range made.debs {
		_ = os.Remove(path) // its folder goes, too, or what is left is in the way of nobody
		_ = os.Remove(filepath.Dir(path))
	}
	if program.path != "" {
		_ = os.RemoveAll(filepath.Dir(program.path))
	}
	os.Exit(code)
}

// today returns the packages of the programs in bin.
func today(t *testing.T) map[string]string {
	t.Helper()
	made.once.Do(func() {
		out, err := os.MkdirTemp("", "packages-")
		if err != nil {
			t.Fatal(err)
		}
		made.debs = pack(t, out, "bin")
	})
	if made.debs == nil {
		t.Fatal("the packages could not be made")
	}
	return made.debs
}

// pack makes the .deb packages with the programs of a folder in out, and returns the path of each by its
// name.
func pack(t *testing.T, out, programs string, version ...string) map[string]string {
	t.Helper()
	tool(t, "deploy/package/quick.sh", out, tool(t, "deploy/package/version.sh", version...), top(t)+"/.tools",
		programs, "bin")
	found, err := filepath.Glob(out + "/*.deb")
	if err != nil {
		t.Fatal(err)
	}
	debs := map[string]string{}
	for _, path := range found {
		name, _, _ := strings.Cut(filepath.Base(path), "_")
		debs[name] = path
	}
	if debs["gatehouse"] == "" || debs["gatehouse-simulator"] == "" {
		t.Fatalf("packages: %v", found)
	}
	return debs
}

// packEarlier makes the package of the earlier version. It did not know --enrol and did not speak to
// systemd, so its units say less.
func packEarlier(t *testing.T) string {
	t.Helper()
	programs := t.TempDir()
	for name, from := range map[string]string{"gatehouse": "gatehouse-earlier", "simulator": "simulator"} {
		if err := os.Link(filepath.Join(top(t), "bin", from), filepath.Join(programs, name)); err != nil {
			tool(t, "cp", filepath.Join(top(t), "bin", from), filepath.Join(programs, name))
		}
	}
	deb := pack(t, t.TempDir(), programs, earlier)["gatehouse"]
	dir := t.TempDir()
	tool(t, "dpkg-deb", "--raw-extract", deb, dir)
	units, err := filepath.Glob(dir + "/usr/lib/systemd/system/gatehouse-*.service")
	if err != nil || len(units) < 3 {
		t.Fatalf("units %v, %v", units, err)
	}
	tool(t, "sed", append([]string{"-i", "-e", "s/ --enrol / /", "-e", "s/^Type=notify/Type=simple/", "-e",
		"/^WatchdogSec/d"}, units...)...)
	to := filepath.Join(t.TempDir(), filepath.Base(deb))
	tool(t, "dpkg-deb", "--root-owner-group", "-Zgzip", "--build", dir, to)
	return to
}

func TestTheSameProgramsGiveTheSamePackages(t *testing.T) {
	one, other := today(t), pack(t, t.TempDir(), "bin")
	for name := range one {
		a, err := os.ReadFile(one[name])
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(other[name])
		if err != nil || string(a) != string(b) {
			t.Errorf("%s differs when it is made again: %v", name, err)
		}
	}
	// Programs of make build have their symbols; those of make dist have not.
	tool(t, "lintian", "--fail-on", "error", "--suppress-tags", "unstripped-binary-or-object", one["gatehouse"])
}
