package secret

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// write writes a file with a mode, whatever the mask of this process is.
func write(t *testing.T, name, text string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOnlyFilesOfThisAccountAloneAreRead(t *testing.T) {
	for mode, good := range map[fs.FileMode]bool{
		0o600: true, 0o400: true, 0o700: true, 0o500: true, 0o200: os.Geteuid() == 0,
		0o640: false, 0o620: false, 0o610: false, 0o604: false, 0o602: false, 0o601: false, 0o644: false, 0o777: false,
	} {
		path := write(t, "site.key", "x", mode)
		b, err := Read(path)
		if (err == nil) != good || good && string(b) != "x" {
			t.Errorf("%o: %q, %v", mode, b, err)
		}
		if (Check(path) == nil) != good {
			t.Errorf("%o: the check says otherwise than the reader", mode)
		}
		if _, is := errors.AsType[*Error](err); !good && mode&0o077 != 0 &&
			(!is || !strings.Contains(err.Error(), "run chmod 600 "+path)) {
			t.Errorf("%o: the error does not say what to do: %v", mode, err)
		}
	}
}

func TestALinkIsAsPrivateAsWhatItLeadsTo(t *testing.T) {
	for mode, good := range map[fs.FileMode]bool{0o600: true, 0o644: false} {
		to := write(t, "target", "x", mode)
		path := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		if (err == nil) != good || !good && !strings.Contains(err.Error(), "a link to "+to) {
			t.Errorf("%o: %v", mode, err)
		}
	}
}

func TestFilesOfOtherAccountsAreRefused(t *testing.T) {
	info := func(uid uint32, mode fs.FileMode) facts { return file{uid, mode} }
	const me, other = 4711, 4712
	for name, c := range map[string]struct {
		me   int
		info facts
		want string // empty: none
	}{
		"own":                  {me, info(me, 0o600), ""},
		"another's":            {me, info(other, 0o600), "belongs to"},
		"another's, open":      {me, info(other, 0o644), " && chmod 600 key"},
		"root's, open":         {me, info(0, 0o640), "run chown 4711 key && chmod 600 key"},
		"own, for a group":     {me, info(me, 0o640), "run chmod 600 key"},
		"own, read-only":       {me, info(me, 0o400), ""},
		"own, others write":    {me, info(me, 0o602), "run chmod 600 key"},
		"a service's, to root": {0, info(other, 0o600), ""},
		"open, to root":        {0, info(other, 0o640), "can be read by others: run chmod 600 key"},
	} {
		err := judge("key", c.info, c.me)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key on a stick has the rights that the computer gives to all files there.
func TestAKeyOnAStickIsTaken(t *testing.T) {
	path := write(t, "key", "AGE-SECRET-KEY-1", 0o755)
	if _, err := Brought(path); err == nil {
		t.Error("a key that everybody may read is taken from a disk that knows rights")
	}
	var here unix.Statfs_t
	if err := unix.Statfs(path, &here); err != nil {
		t.Fatal(err)
	}
	if b, err := brought(path, []uint64{uint64(here.Type)}); err != nil || string(b) != "AGE-SECRET-KEY-1" {
		t.Errorf("from a stick: %q, %v", b, err)
	}
	if _, err := brought(filepath.Dir(path), []uint64{uint64(here.Type)}); err == nil {
		t.Error("a folder is read as a key")
	}
}

// file is a file of another account, which only root could make.
type file struct {
	uid  uint32
	mode fs.FileMode
}

func (f file) Mode() fs.FileMode { return f.mode }
func (f file) Sys() any          { return &syscall.Stat_t{Uid: f.uid} }

func TestCredentialsOfSystemdAreTaken(t *testing.T) {
	path := write(t, "token", "x", 0o440)
	if Check(path) == nil {
		t.Fatal("a file that the group reads is taken anywhere")
	}
	t.Setenv(credentials, filepath.Dir(path))
	if err := Check(path); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if Check(path) == nil {
		t.Error("a credential that everybody reads is taken")
	}
	elsewhere := write(t, "token", "x", 0o440)
	if err := os.Symlink(elsewhere, filepath.Join(filepath.Dir(path), "out")); err != nil {
		t.Fatal(err)
	}
	if Check(filepath.Join(filepath.Dir(path), "out")) == nil {
		t.Error("a link out of the credentials is taken for one of them")
	}
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Errorf("a folder: %v", err)
	}
	if err := Check("/dev/null"); err == nil || strings.Contains(err.Error(), "chmod") {
		t.Errorf("a device: %v", err)
	}
	if _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := ReadMost(write(t, "key", "12345", 0o600), 4); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("too large: %v", err)
	}
	if b, err := ReadMost(write(t, "key", "1234", 0o600), 4); err != nil || string(b) != "1234" {
		t.Errorf("as large as allowed: %q, %v", b, err)
	}
}

func TestAPasswordFromAPipeIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() { wrote <- os.WriteFile(path, []byte("secret\n"), 0o600) }()
	got, err := Line(path)
	if err != nil || got != "secret" {
		t.Errorf("%q, %v", got, err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

func TestALineThatAnEditorOfWindowsSavedIsRead(t *testing.T) {
	for name, text := range map[string]string{
		"one line": "secret", "more": "secret\nnot this\n", "of Windows": "secret\r\n",
		"with a byte order mark": "\xef\xbb\xbfsecret\r\n",
		"of PowerShell":          "\xff\xfes\x00e\x00c\x00r\x00e\x00t\x00\r\x00\n\x00",
	} {
		if got, err := Line(write(t, "password", text, 0o600)); err != nil || got != "secret" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, text := range map[string]string{"nothing": "", "an empty line": "\nsecret", "of Windows": "\r\nsecret"} {
		if got, err := Line(write(t, "password", text, 0o600)); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}
