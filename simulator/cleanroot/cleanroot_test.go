//go:build cleanroot

package cleanroot

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const tools = "../../.tools"

func TestDpkgInstallsUpgradesAndPurgesInACleanRoot(t *testing.T) {
	ctx := t.Context()
	root, err := Unpack(ctx, tools, filepath.Join(t.TempDir(), "root"))
	if err != nil {
		t.Fatal(err)
	}
	before, err := root.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1.0", "2.0", "1.0"} {
		if err := root.Install(ctx, sample(t, version)); err != nil {
			t.Fatal(err)
		}
		out, err := root.Run(ctx, "root", "dpkg-query", "--show", "--showformat", "${Version} ${db:Status-Status}",
			"sample")
		if err != nil || out != version+" installed" {
			t.Errorf("after the installation of %s: %q, %v", version, out, err)
		}
	}
	if after, err := root.Files(); err != nil || after["/usr/share/sample"] != "-rw-r--r-- 0:0" {
		t.Errorf("the file of the package: %q, %v", after["/usr/share/sample"], err)
	}
	if out, err := root.Run(ctx, "root", "dpkg", "--purge", "sample"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	after, err := root.Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, is := range after {
		if before[name] != is {
			t.Errorf("%s is left: %s, was %q", name, is, before[name])
		}
	}
	for name := range before {
		if after[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
}

// sample makes a package with one file.
func sample(t *testing.T, version string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sample")
	for name, text := range map[string]string{
		"usr/share/sample": version + "\n",
		"DEBIAN/control": "Package: sample\nVersion: " + version + "\nArchitecture: all\n" +
			"Maintainer: nobody <nobody@example.org>\nDescription: a sample\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(t.TempDir(), "sample_"+version+"_all.deb")
	if out, err := dpkgDeb(t, dir, to); err != nil {
		t.Fatalf("dpkg-deb: %v: %s", err, out)
	}
	return to
}

func TestAProgramRunsAsItsUserAndLeavesNothingMounted(t *testing.T) {
	root, err := Unpack(t.Context(), tools, filepath.Join(t.TempDir(), "root"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := root.Run(t.Context(), "root", "useradd", "--system", "--groups", "dialout", "tester"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := root.Run(t.Context(), "tester", "sh", "-c",
		"id -un; id -nG; test -c /dev/null; test -e /dev/pts/ptmx; cat /proc/self/comm; touch /etc/x 2>&1 || true")
	if err != nil {
		t.Fatal(err)
	}
	if want := "tester\ntester dialout\ncat\n"; !strings.HasPrefix(out, want) {
		t.Errorf("the program printed %q, want %q", out, want)
	}
	if !strings.Contains(out, "Permission denied") {
		t.Errorf("the program could write to /etc: %q", out)
	}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), root.Dir) {
		t.Errorf("something is mounted yet: %s", mounts)
	}
	if out, err := root.Run(t.Context(), "tester", "sh", "-c", "echo no; exit 3"); err == nil || out != "no\n" {
		t.Errorf("a program that fails: %q, %v", out, err)
	}
}

func TestProcessesThatRunInTheRootAreFound(t *testing.T) {
	root, err := Unpack(t.Context(), tools, filepath.Join(t.TempDir(), "root"))
	if err != nil {
		t.Fatal(err)
	}
	program := root.Command(t.Context(), "nobody", "sh", "-c", "echo runs; exec sleep 60")
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	found, err := root.Processes()
	if err != nil || len(found) != 1 || found[0] != program.Process.Pid {
		t.Errorf("processes %v, %v, want %d", found, err, program.Process.Pid)
	}
	_ = program.Process.Kill() // Wait says whether it has ended
	_ = program.Wait()
	if found, err := root.Processes(); err != nil || len(found) != 0 {
		t.Errorf("processes after the end: %v, %v", found, err)
	}
}

func dpkgDeb(t *testing.T, dir, to string) ([]byte, error) {
	t.Helper()
	return exec.CommandContext(t.Context(), "dpkg-deb", "--root-owner-group", "--build", dir, to).CombinedOutput()
}
