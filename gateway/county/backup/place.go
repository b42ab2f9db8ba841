package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/filesystem"
	"gatehouse/gateway/identity"
)

// Ends of names of backups.
const (
	sealedEnd = ".age"
	partEnd   = ".part" // while it is written
)

const nameTime = "20060102T150405Z"

// prefix begins the names of a county's backups.
func prefix(county string) string { return "gatehouse-" + county + "-" }

// target returns the path of the backup, and removes what earlier ones left that were
// killed: the caller holds the lock.
func (p Plan) target() (to string, err error) {
	to = p.Output
	info, err := os.Stat(to)
	switch {
	case err == nil && info.IsDir():
		to = filepath.Join(to, prefix(p.County)+p.Made.UTC().Format(nameTime)+sealedEnd)
	case strings.HasSuffix(p.Output, string(filepath.Separator)):
		return "", fmt.Errorf("%s is no folder: make it, owned by the user that makes backups", p.Output)
	case p.Keep > 0:
		return "", fmt.Errorf("%s is no folder: keep needs one, in which older backups are removed", p.Output)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("look at %s: %w", p.Output, err)
	}
	if to, err = filepath.Abs(to); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Dir(to)); err != nil {
		return "", fmt.Errorf("the folder of the backup: %w: is its disk mounted?", err)
	}
	left, err := filepath.Glob(filepath.Join(escape(filepath.Dir(to)), "."+prefix(p.County)+"*"+partEnd))
	for _, path := range append(left, partOf(to)) {
		if e := os.Remove(path); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return to, err
}

func partOf(to string) string {
	return filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+partEnd)
}

// prune removes the oldest backups of this county in the folder of to.
func (p Plan) prune(to string) error {
	if p.Keep == 0 {
		return nil
	}
	list, err := filepath.Glob(filepath.Join(escape(filepath.Dir(to)), prefix(p.County)+"*"+sealedEnd))
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(path string) bool { // another county's may begin alike
		stamp := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), prefix(p.County)), sealedEnd)
		return len(stamp) != len(nameTime) || path == to
	})
	slices.Sort(list)
	for _, path := range list[:max(0, len(list)+1-p.Keep)] {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove a backup that is too many: %w", err)
		}
	}
	return nil
}

// spare is what stays free on a disk, in bytes: the county's programs go on.
const spare = 256 << 20

// room returns an error when copies or backup would fill a disk.
func (p Plan) room(to string) error {
	paths, err := databases(p.Paths.County)
	if err != nil {
		return err
	}
	need := uint64(0)
	for _, path := range paths {
		for _, end := range []string{"", "-wal"} {
			if info, err := os.Stat(path + end); err == nil {
				need += uint64(info.Size()) //nolint:gosec // not negative
			}
		}
	}
	if err := free(p.Scratch, need+spare); err != nil {
		return fmt.Errorf("copies of %d MiB need room: %w; or name a folder on another disk with --scratch",
			need>>20, err)
	}
	if err := free(filepath.Dir(to), need/4+spare); err != nil {
		return fmt.Errorf("the backup needs room: %w", err)
	}
	return nil
}

func free(dir string, need uint64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fmt.Errorf("look for room in %s: %w", dir, err)
	}
	have := st.Bavail * uint64(st.Bsize) //nolint:gosec,unconvert // not negative; 32 bits on some computers
	if have < need {
		return fmt.Errorf("%w: %s has %d MiB, and %d MiB are needed: free room", db.ErrFull, dir, have>>20, need>>20)
	}
	return nil
}

// explain adds to an error that a disk is full.
func explain(err error, dir string) error {
	if errors.Is(err, syscall.ENOSPC) && !errors.Is(err, db.ErrFull) {
		err = fmt.Errorf("%w: %w", db.ErrFull, err)
	}
	if full := filesystem.Full(dir); full != "" {
		return fmt.Errorf("%w; %s", err, full)
	}
	return err
}

func syncFolder(dir string) error { return identity.SyncFolder(dir) }

// influx has InfluxDB's tool write into dir, and returns what is there then.
func (p Plan) influx(ctx context.Context, dir string) (list []entry, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	p.Tell("InfluxDB's own backup", 0, 0)
	if err := p.Influx(ctx, dir); err != nil {
		return nil, fmt.Errorf("InfluxDB's own backup: %w", err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		e, err := large(path, inInflux+"/"+filepath.ToSlash(rel))
		list = append(list, e)
		return err
	})
	if err == nil && len(list) == 0 {
		err = errors.New("InfluxDB's own backup: the command ended well and has written no file into its folder")
	}
	return list, err
}
