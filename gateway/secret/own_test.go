package secret_test

import (
	"os"
	"path/filepath"
	"testing"

	"gatehouse/gateway/secret"
)

// Nobody else may be able to change a file, a folder above it, or a link that leads there.
func TestAFileIsOwnOnlyWithTheWayToIt(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, mode := range map[string]os.FileMode{"own": 0o755, "open": 0o777, "sticky": 0o777 | os.ModeSticky} {
		if err := os.Mkdir(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name+"/file"), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(at("own/file"), at(name+"/link")); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(at(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(at("own/group"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(at("own/group"), 0o664); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"own/file": true, "own/link": true, "own/group": false, "open/file": false,
		"open/link": false, "sticky/file": true, "sticky/link": true} {
		if err := secret.Own(at(name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := secret.ReadOwn(at("none")); !os.IsNotExist(err) {
		t.Errorf("none: %v", err)
	}
}
