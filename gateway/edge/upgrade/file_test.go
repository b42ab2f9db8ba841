package upgrade

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/openpgp"
)

// What lies in the agent's folder makes root do nothing but an upgrade to a version.
func TestARequestIsOnlyAVersion(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "request.json")
	if err := os.WriteFile(outside, []byte(`{"version":"6.6"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	put := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	for what, c := range map[string]struct {
		put func(path string) error
		ok  bool
	}{
		"a version":        {put(`{"id":"x","version":"1.4.0~rc1","url":"http://else"}`), true},
		"no version":       {put(`{"id":"x"}`), false},
		"a command":        {put(`{"id":"x","version":"1.4.0 && reboot"}`), false},
		"an option":        {put(`{"id":"x","version":"--root=/tmp"}`), false},
		"a path":           {put(`{"id":"x","version":"../1.4"}`), false},
		"rubbish":          {put("rubbish"), false},
		"endless":          {put(`{"version":"` + strings.Repeat("1", 8<<10) + `"}`), false},
		"a link elsewhere": {func(path string) error { return os.Symlink(outside, path) }, false},
		"a pipe":           {func(path string) error { return unix.Mkfifo(path, 0o600) }, false},
		"an empty folder":  {func(path string) error { return os.Mkdir(path, 0o750) }, false},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, requestFile)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), c.put(path)); err != nil {
			t.Fatal(err)
		}
		r, ok, err := Take(dir)
		if ok != c.ok || ok != (err == nil) {
			t.Errorf("%s: %+v, %t, %v", what, r, ok, err)
		}
		if _, again, err := Take(dir); again || err != nil {
			t.Errorf("%s: taken twice, %v", what, err)
		}
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("a file outside is gone: %v", err)
	}
	dir := t.TempDir()
	if err := Ask(dir, Request{ID: "x", Version: "1.4.0"}); err != nil {
		t.Fatal(err)
	}
	if r, ok, err := Take(dir); !ok || err != nil || r != (Request{"x", "1.4.0"}) {
		t.Errorf("%+v, %t, %v", r, ok, err)
	}
	if _, ok, err := Take(filepath.Join(dir, "none")); ok || err != nil {
		t.Errorf("no folder: %t, %v", ok, err)
	}
}

// Who can change the configuration or the key would be root.
func TestOnlyRootSaysFromWhereAGateIsUpgraded(t *testing.T) {
	dir := t.TempDir()
	key, err := openpgp.NewKey("gatehouse qinghe", t0)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	file, keys := filepath.Join(dir, "upgrade.yaml"), filepath.Join(dir, "packages.asc")
	if err := errors.Join(os.WriteFile(file, []byte("url: https://desk.example/packages/\n"), 0o600),
		os.WriteFile(keys, public, 0o600)); err != nil {
		t.Fatal(err)
	}
	s, err := Load(file)
	if err != nil || s.URL != "https://desk.example/packages" || len(s.Ring.Fingerprints()) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, path := range []string{file, keys, dir} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, info.Mode().Perm()|0o020); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "chmod go-w "+path) {
			t.Errorf("%s can be changed by others: %v", path, err)
		}
		if err := os.Chmod(path, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, 12345, -1); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "chown") {
			t.Errorf("%s belongs to somebody else: %v", path, err)
		}
		if err := os.Chown(path, os.Geteuid(), -1); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"url: desk.example\n", "urls: x\n", "url: https://x/packages\nca: packages.asc\n",
		""} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := Load(file); err == nil {
			t.Errorf("%q: %+v", text, s)
		}
	}
}
