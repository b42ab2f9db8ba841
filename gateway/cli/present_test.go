package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
)

// Who may not look into the folder of a configuration is told so, and not that there is none.
func TestAFolderThatMayNotBeReadIsNoMissingConfiguration(t *testing.T) {
	dir := t.TempDir()
	closed, open := filepath.Join(dir, "closed"), filepath.Join(dir, "open.yaml")
	if err := errors.Join(os.Mkdir(closed, 0), os.WriteFile(open, nil, 0o600), os.Chmod(dir, 0o755),
		os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		list []string
		err  error
	}
	look := func(files ...string) (a answer) {
		done := make(chan answer)
		go func() {
			runtime.LockOSThread() // its thread ends with it
			if os.Geteuid() == 0 {
				_ = syscall.Setfsuid(65534) // of this thread only; with 0 everything may be read
			}
			list, err := present(files)
			done <- answer{list, err}
		}()
		return <-done
	}
	secret, missing := filepath.Join(closed, "collect.yaml"), filepath.Join(dir, "missing.yaml")
	if a := look(secret, missing); len(a.list) > 0 || !errors.Is(a.err, fs.ErrPermission) {
		t.Errorf("only what can't be seen: %q, %v", a.list, a.err)
	}
	if a := look(secret, open); !slices.Equal(a.list, []string{open}) || a.err != nil {
		t.Errorf("one that can be seen: %q, %v", a.list, a.err)
	}
	if a := look(missing); len(a.list) > 0 || a.err != nil {
		t.Errorf("none: %q, %v", a.list, a.err)
	}
}
