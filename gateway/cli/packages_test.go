package cli

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/testkit/debs"
)

// Only add and key make the county's key of packages, and none is made beside an index that
// another one has signed: a disk that is not mounted would give gates a key that they don't know.
func TestTheKeyOfPackagesIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	file, key := filepath.Join(dir, "collect.yaml"), filepath.Join(dir, "ca", "packages.key")
	if err := os.WriteFile(file, []byte("county: qinghe\ndir: county\nca_dir: ca\nsites: sites.yaml\n"+
		"packages: packages\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "county"), 0o700); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (code int, errOut string) {
		var out, err bytes.Buffer
		code = Run(t.Context(), append([]string{"packages", args[0], "--config", file}, args[1:]...), nil, &out, &err)
		return code, err.String()
	}
	there := func() bool {
		_, err := os.Stat(key)
		return !errors.Is(err, fs.ErrNotExist)
	}
	for _, args := range [][]string{{"list"}, {"remove", "1.4.0"}} {
		if code, said := run(args...); code != 1 || !strings.Contains(said, "no packages yet") || there() {
			t.Errorf("%s: %d, %s; the key is there: %t", args[0], code, said, there())
		}
	}
	deb := debs.Make(t, t.TempDir(), "x.deb", debs.Control("gatehouse", "1.4.0", "amd64"), nil)
	if code, said := run("add", deb); code != 0 || !there() {
		t.Fatalf("add: %d, %s; the key is there: %t", code, said, there())
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"list"}, {"add", deb}, {"key"}} {
		if code, said := run(args...); code != 1 || !strings.Contains(said, "mount the disk of ca_dir") || there() {
			t.Errorf("%s without the key: %d, %s; the key is there: %t", args[0], code, said, there())
		}
	}
}
