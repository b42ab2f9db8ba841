// Package filesystem says whether a folder lies where a journal or a database may be
// kept.
package filesystem

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	if problem := shape(at); problem != "" {
		return "", fmt.Errorf("%s can't be used: %s", dir, problem)
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
	warning, problem := judge(magic, st.Flags&unix.ST_RDONLY != 0)
	if problem == "" {
		problem = forbidden(at, dir, unix.Access)
	}
	if problem != "" {
		return "", fmt.Errorf("%s can't be used: %s", dir, problem)
	}
	return warning, nil
}

// shape returns what is wrong with what is at a path that should be a folder, or be
// made as one.
func shape(at string) string {
	for ; ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR):
			continue // what is above it is looked at
		case err != nil:
			return "" // the look at the file system says it
		case info.Mode()&fs.ModeSymlink != 0:
			if info, err = os.Stat(at); err != nil {
				return fmt.Sprintf("%s is a link that leads nowhere (%v): is its disk mounted? "+
					"mount it, or mend the link", at, err)
			}
		}
		if !info.IsDir() {
			return at + " is a file: give the name of a folder"
		}
		return ""
	}
}

// forbidden says which part of dir this user may not write to. at is dir, or the folder
// above it in which it is to be made; access is access(2).
func forbidden(at, dir string, access func(path string, mode uint32) error) string {
	if err := access(at, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Sprintf("user %s may not write to %s, which is %s's: %s", myself(), at, owner(at), advice(dir))
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "" // it is to be made, or whoever reads it says so
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !e.IsDir() && !written(e.Name()) || !errors.Is(access(path, unix.W_OK), fs.ErrPermission) {
			continue
		}
		return fmt.Sprintf("user %s may not write to %s, which is %s's (has another user run the program once?): %s",
			myself(), path, owner(path), advice(dir))
	}
	return ""
}

// written reports whether a file of this name is one that the programs write to; keys
// may be read-only.
func written(name string) bool {
	switch filepath.Ext(name) {
	case ".db", ".db-wal", ".db-shm", ".seg":
		return true
	}
	return name == "lock" || name == "state.json"
}

func advice(dir string) string {
	return fmt.Sprintf("sudo mkdir -p '%[1]s' && sudo chown -R %[2]s '%[1]s', or start the program as another user",
		dir, myself())
}

// Full says that the disk of dir has no room, or no room for another file; else "".
func Full(dir string) string {
	var st unix.Statfs_t
	for at := dir; unix.Statfs(at, &st) != nil; at = filepath.Dir(at) {
		if at == filepath.Dir(at) {
			return ""
		}
	}
	return full(dir, st.Bavail, st.Files, st.Ffree)
}

func full(dir string, blocks, files, free uint64) string {
	switch {
	case blocks == 0:
		return "the disk of " + dir + " is full: free room (df -h)"
	case files > 0 && free == 0: // some file systems have no such number
		return "the disk of " + dir + " can hold no more files, although it may have room (df -i): remove some"
	}
	return ""
}

// Try writes a small file in dir and removes it. The error says why nothing can be
// written there, and what to do. It waits as long as the disk does.
func Try(dir string) error {
	path := filepath.Join(dir, ".try")
	err := os.WriteFile(path, []byte("gatehouse looks whether it can write here\n"), 0o600)
	if removed := os.Remove(path); err == nil && !errors.Is(removed, fs.ErrNotExist) {
		err = removed
	}
	if err == nil {
		return nil
	}
	return explain(dir, err)
}

func explain(dir string, err error) error {
	switch {
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("nothing can be written to %s, whose file system has become read-only: the kernel has found "+
			"errors (see dmesg); run fsck, mount it again and start this program again", dir)
	case errors.Is(err, unix.EDQUOT):
		return fmt.Errorf("the quota of user %s is used up at %s: raise it, or remove files", myself(), dir)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is gone: was it removed, or its disk taken away? start this program again "+
			"when it is back", dir)
	}
	if full := Full(dir); full != "" {
		return errors.New(full)
	}
	return fmt.Errorf("nothing can be written to %s: %w", dir, err)
}

// File systems whose numbers golang.org/x/sys does not have (statfs(2), and vboxsf.h).
const (
	lustre     = 0x0bd00bd0
	vboxShared = 0x786f4256
)

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
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC, unix.CODA_SUPER_MAGIC, unix.CEPH_SUPER_MAGIC, lustre:
		return "", "it is on a network file system, where locks may not hold and what is written may not be on a disk" +
			local
	case vboxShared:
		return "", "it is a folder shared with the computer around this virtual one, where SQLite does not work" + local
	case unix.MSDOS_SUPER_MAGIC, unix.EXFAT_SUPER_MAGIC:
		return "it is on FAT or exFAT, which a power cut can damage: use ext4", ""
	}
	return "", ""
}
