// Package debs makes small Debian packages for tests, with the real dpkg-deb.
package debs

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Make writes the package of a control file and of files by their paths, which are made
// executable, into dir, and returns its path.
func Make(t testing.TB, dir, name, control string, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	write := func(path, text string, mode os.FileMode) {
		at := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("DEBIAN/control", control, 0o644)
	for path, text := range files {
		write(path, text, 0o755)
	}
	out := filepath.Join(dir, name)
	cmd := exec.CommandContext(t.Context(), "dpkg-deb", "-Zgzip", "--uniform-compression", "--root-owner-group",
		"--build", root, out)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, text)
	}
	return out
}

// Control returns the control file of a package of gatehouse.
func Control(name, version, arch string) string {
	return "Package: " + name + "\nVersion: " + version + "\nArchitecture: " + arch +
		"\nMaintainer: nobody <nobody@example.org>\nDescription: for a test\n with a second line\n"
}
