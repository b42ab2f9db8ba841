package backup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The account of the collector has the folder into which root restores. Whatever links it has
// laid there, nothing outside of that folder is changed, and what is unpacked lies where the
// account can't exchange it.
func TestLinksOfTheCollectorsAccountLeadNowhere(t *testing.T) {
	for what, link := range map[string]string{"absolute": "", "relative": "../away"} {
		k := newKit(t)
		k.plan.Authority = true
		k.make()
		away := k.path("away")
		write(t, filepath.Join(away, "ca.key"), "of the computer")
		write(t, filepath.Join(away, "files", "x"), "of the computer")
		must(t, os.Mkdir(k.path("new"), 0o755))
		if link == "" {
			link = away
		}
		for _, name := range []string{"ca", "county.restoring"} {
			must(t, os.Symlink(link, k.path("new", name)))
		}
		r := k.restore()
		r.Again = true
		r.changed = func(dir string) error {
			if within(dir, k.path("new")) {
				return errors.New("it belongs to the collector's account")
			}
			return nil
		}
		r.Adopt = func(_ context.Context, dir string, _ Manifest) error {
			if within(dir, k.path("new")) || within(dir, away) {
				t.Errorf("%s: it was unpacked to %s", what, dir)
			}
			return nil
		}
		_, err := r.Do(t.Context())
		if err == nil || !strings.Contains(err.Error(), "escapes") {
			t.Errorf("%s: the link of the authority: %v", what, err)
		}
		got := tree(t, away)
		if got["ca.key"] != "of the computer" || got["files/x"] != "of the computer" || len(got) != 2 {
			t.Errorf("%s: elsewhere is %q", what, got)
		}
		// Without the link it goes well.
		must(t, os.Remove(k.path("new", "ca")))
		if _, err := r.Do(t.Context()); err != nil {
			t.Errorf("%s: without links: %v", what, err)
		}
		if b, err := os.ReadFile(k.path("new", "ca", "ca.key")); err != nil || string(b) != "key of the authority\n" {
			t.Errorf("%s: the authority's key is %q, %v", what, b, err)
		}
		left, err := filepath.Glob(k.path(".*"))
		if err != nil || len(left) > 0 {
			t.Errorf("%s: left are %q, %v", what, left, err)
		}
	}
}

func TestAPipeInTheCountysFolderIsNotWaitedFor(t *testing.T) {
	k := newKit(t)
	must(t, unix.Mkfifo(k.path("county", "pipe"), 0o600))
	ended := make(chan error, 1)
	go func() {
		_, _, err := Make(context.WithoutCancel(t.Context()), k.plan)
		ended <- err
	}()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "plain file") {
			t.Errorf("%v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the backup waits for whoever writes into the pipe")
	}
}

func TestAPathIsDividedWhereOthersComeIn(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "own", "theirs", "x"), 0o700))
	r := Restore{changed: func(at string) error {
		if slices.Contains(strings.Split(at, "/"), "theirs") {
			return errors.New("theirs")
		}
		return nil
	}}
	for path, want := range map[string][2]string{
		"own/theirs/x/y": {"own/theirs", "x/y"},
		"own/theirs/x":   {"own/theirs", "x"},
		"own/theirs":     {"own", "theirs"},
		"own/none/y":     {"own", "none/y"},
	} {
		base, below := r.split(filepath.Join(dir, path))
		if base != filepath.Join(dir, want[0]) || below != want[1] {
			t.Errorf("%s: %s and %s", path, base, below)
		}
	}
}
