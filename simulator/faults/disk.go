package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Disk is an ext4 file system in an image file. The file has only what was
// synced, so a copy of it is what a power cut leaves.
type Disk struct{ image, dir string }

// NewDisk makes a file system of the given size in the file image and mounts it
// on dir. It needs root.
func NewDisk(ctx context.Context, image, dir string, mib int) (*Disk, error) {
	if os.Geteuid() != 0 {
		return nil, errRoot
	}
	if err := os.MkdirAll(filepath.Dir(image), 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(image, int64(mib)<<20); err != nil {
		return nil, err
	}
	if err := run(ctx, "mkfs.ext4", "-q", "-F", image); err != nil {
		return nil, err
	}
	d := &Disk{image, dir}
	return d, d.mount(ctx)
}

func (d *Disk) mount(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	return run(ctx, "mount", "-o", "loop", d.image, d.dir)
}

// Unmount unmounts the disk.
func (d *Disk) Unmount() { _ = unix.Unmount(d.dir, unix.MNT_DETACH) }

// Copy copies what a power cut would leave now to a file. The processes that
// write to the disk must be stopped meanwhile.
func (d *Disk) Copy(ctx context.Context, to string) error {
	return run(ctx, "cp", "--sparse=always", d.image, to)
}

// Mounted mounts a copy on dir; its ext4 journal is replayed, as after a power
// cut.
func Mounted(ctx context.Context, image, dir string) (*Disk, error) {
	d := &Disk{image, dir}
	return d, d.mount(ctx)
}

// Fail lets the kernel find an error in the file system, which it then mounts
// read-only, as on a card that wears out.
func (d *Disk) Fail(ctx context.Context) error {
	if err := run(ctx, "mount", "-o", "remount,errors=remount-ro", d.dir); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "findmnt", "-n", "-o", "SOURCE", d.dir).Output() //nolint:gosec // see run
	device := filepath.Base(strings.TrimSpace(string(out)))
	if err != nil || device == "" {
		return fmt.Errorf("find the device of %s: %w", d.dir, errors.Join(err, errors.New(string(out))))
	}
	if err := os.WriteFile(filepath.Join("/sys/fs/ext4", device, "trigger_fs_error"), []byte("1"), 0o600); err != nil {
		return fmt.Errorf("make an error in the file system: %w", err)
	}
	return nil
}

// Repair checks the file system and mounts it again. Nobody may have a file of it
// open.
func (d *Disk) Repair(ctx context.Context) error {
	if err := unix.Unmount(d.dir, 0); err != nil {
		return fmt.Errorf("unmount %s: %w", d.dir, err)
	}
	// fsck.ext4 ends with 1 when it has corrected something.
	if err := run(ctx, "/bin/sh", "-c", `PATH=$PATH:/usr/sbin; fsck.ext4 -p "$0" || [ $? = 1 ]`, d.image); err != nil {
		return err
	}
	return d.mount(ctx)
}
