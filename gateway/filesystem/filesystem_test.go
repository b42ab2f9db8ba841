package filesystem

import (
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
