package cleanroot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Files returns the mode, owner and group of each file and folder of the root by its path in it
// ("/etc/passwd"), leaving out folders that are no part of what packages leave: /tmp, /run, /proc,
// /sys, /dev, dpkg's own notes, caches and logs.
func (r *Root) Files() (map[string]string, error) {
	found := map[string]string{}
	err := filepath.WalkDir(r.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, r.Dir)
		switch name {
		case "":
			return nil
		case "/tmp", "/run", "/proc", "/sys", "/dev", "/var/lib/dpkg", "/var/cache", "/var/log":
			return fs.SkipDir
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		found[name] = describe(info)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the files of a clean root: %w", err)
	}
	return found, nil
}

// Processes returns the ids of the processes that run in the root.
func (r *Root) Processes() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list the processes of a clean root: %w", err)
	}
	var found []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		at, err := os.Readlink(filepath.Join("/proc", e.Name(), "root"))
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			continue // it has ended, or is one that not even root may look at
		case err != nil:
			return nil, fmt.Errorf("list the processes of a clean root: %w", err)
		case at == r.Dir || strings.HasPrefix(at, r.Dir+"/"):
			found = append(found, pid)
		}
	}
	return found, nil
}

// describe returns what Files says of a file: "drwxr-xr-x 0:0".
func describe(info fs.FileInfo) string {
	owner := "?"
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		owner = fmt.Sprintf("%d:%d", stat.Uid, stat.Gid)
	}
	return info.Mode().String() + " " + owner
}
