package filesystem

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestEachFileSystemGetsItsWord(t *testing.T) {
	for magic, want := range map[int64]struct{ warning, refusal string }{
		unix.NFS_SUPER_MAGIC:       {"", "NFS"},
		unix.CIFS_SUPER_MAGIC:      {"", "SMB"},
		unix.SMB2_SUPER_MAGIC:      {"", "SMB"},
		unix.CEPH_SUPER_MAGIC:      {"", "network"},
		vboxShared:                 {"", "SQLite"},
		unix.V9FS_MAGIC:            {"9p", ""},
		unix.FUSE_SUPER_MAGIC:      {"FUSE", ""},
		unix.TMPFS_MAGIC:           {"in memory", ""},
		unix.OVERLAYFS_SUPER_MAGIC: {"mount a volume", ""},
		unix.MSDOS_SUPER_MAGIC:     {"FAT", ""},
		unix.EXT4_SUPER_MAGIC:      {"", ""},
		unix.BTRFS_SUPER_MAGIC:     {"", ""},
	} {
		warning, refusal := judge(magic, false)
		if !says(warning, want.warning) || !says(refusal, want.refusal) {
			t.Errorf("%x: warning %q, refusal %q", magic, warning, refusal)
		}
		if warning, refusal := judge(magic, true); warning != "" || !says(refusal, "read-only") {
			t.Errorf("%x read-only: warning %q, refusal %q", magic, warning, refusal)
		}
	}
}

// says reports whether a text has a word, or is as empty as it.
func says(text, word string) bool {
	return (text == "") == (word == "") && strings.Contains(text, word)
}

func TestRealFileSystems(t *testing.T) {
	const memory = "/dev/shm"
	if warning, err := Check(filepath.Join(memory, "not", "there", "yet")); err != nil || !says(warning, "in memory") {
		t.Errorf("%s: %q, %v", memory, warning, err)
	}
	if _, err := Check(t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoFolderForThisUserSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	file, link, used := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "used")
	loop := filepath.Join(dir, "loop")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink("/not/mounted", link), os.Symlink(loop, loop),
		os.Mkdir(used, 0o700)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                         file + " is a file",
		filepath.Join(file, "below"): file + " is a file",
		link:                         "is its disk mounted?",
		filepath.Join(link, "below"): "is its disk mounted?",
		loop:                         "leads nowhere",
		filepath.Join(dir, strings.Repeat("x", 300)): "name too long",
	} {
		if _, err := Check(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", path, err, want)
		}
	}
	if err := os.Symlink(used, link+"ed"); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(link + "ed"); err != nil {
		t.Error(err)
	}
}

func TestAnotherUsersFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"desk.db", "site.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for shut, want := range map[string]string{dir: "may not write to " + dir + ",", "desk.db": "desk.db, which is",
		"site.key": "", "none": ""} {
		got := forbidden(dir, dir, func(path string, _ uint32) error {
			if path == shut || filepath.Base(path) == shut {
				return unix.EACCES
			}
			return nil
		})
		if !says(got, want) || want != "" && !strings.Contains(got, "sudo chown -R") {
			t.Errorf("%s: %q", shut, got)
		}
	}
}

func TestAFolderThatCannotBeWrittenSaysWhy(t *testing.T) {
	dir := t.TempDir()
	if err := Try(dir); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	if err := Try(filepath.Join(dir, "gone")); err == nil || !strings.Contains(err.Error(), "is gone") {
		t.Error(err)
	}
	for err, want := range map[error]string{unix.EROFS: "run fsck", unix.EDQUOT: "quota", unix.EIO: "input/output"} {
		if got := explain(dir, &fs.PathError{Op: "open", Path: dir, Err: err}); !says(got.Error(), want) {
			t.Errorf("%v: %v", err, got)
		}
	}
	if full := Full(filepath.Join(dir, "not", "there")); full != "" {
		t.Error(full)
	}
	for _, c := range []struct {
		blocks, files, free uint64
		want                string
	}{{1, 100, 1, ""}, {0, 100, 1, "df -h"}, {1, 100, 0, "df -i"}, {1, 0, 0, ""}} {
		if got := full("d", c.blocks, c.files, c.free); !says(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
