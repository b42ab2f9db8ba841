// Package filesystem says whether a folder lies where a journal or a database may be
// kept.
package filesystem

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Check looks at the file system of dir, or of the nearest folder above it that exists.
// The error says why nothing can be kept there, and what to do; warning, when it is not
// empty, what may be lost there. It may be called from any goroutine.
func Check(dir string) (warning string, err error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("look at the file system of %s: %w", dir, err)
	}
	var st unix.Statfs_t
	for {
		err := unix.Statfs(at, &st)
		if err == nil {
			break
		}
		if above := filepath.Dir(at); errors.Is(err, fs.ErrNotExist) && above != at {
			at = above
			continue
		}
		return "", fmt.Errorf("look at the file system of %s: %w", dir, err)
	}
	magic := int64(st.Type) //nolint:unconvert // an int32 on 32-bit computers
	warning, refusal := judge(magic, st.Flags&unix.ST_RDONLY != 0)
	if refusal != "" {
		return "", fmt.Errorf("%s can't be used: %s", dir, refusal)
	}
	return warning, nil
}

// judge returns what is to be said of a file system with this magic number (statfs(2)).
func judge(magic int64, readOnly bool) (warning, refusal string) {
	if readOnly {
		return "", "its file system is mounted read-only: mount it for writing; if it was before, " +
			"the kernel has found errors on it (see dmesg, run fsck)"
	}
	const local = "; use a folder on a disk of this computer"
	switch magic {
	case unix.NFS_SUPER_MAGIC:
		return "", "it is on NFS, where locks do not hold and what is written may not be on a disk" + local
	case unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "", "it is on a Windows share (SMB), where locks do not hold and what is written may not be on a disk" +
			local
	case unix.V9FS_MAGIC:
		return "it is on 9p, a folder shared by another system: what is written may not be on a disk" + local, ""
	case unix.FUSE_SUPER_MAGIC:
		return "it is on a FUSE file system: locks and fsync are only as good as the program behind it" + local, ""
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
		return "it is in memory: everything is lost when the power goes" + local, ""
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "it is on an overlay, which is lost with its container or at the next start: mount a volume there", ""
	case unix.MSDOS_SUPER_MAGIC, unix.EXFAT_SUPER_MAGIC:
		return "it is on FAT or exFAT, which a power cut can damage: use ext4", ""
	}
	return "", ""
}
