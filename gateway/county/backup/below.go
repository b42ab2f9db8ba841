package backup

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/secret"
)

// Root restores into folders of the collector's account, such as those in /var/lib/gatehouse.
// Who has that account must not become root by it: nothing here follows a link that the account
// has laid, and nothing is unpacked where it can exchange it.

// split divides a path: only this account and root can change to what base leads, which is a
// folder that is there. What lies below may be another account's.
func (r Restore) split(path string) (base, below string) {
	base, below = string(filepath.Separator), strings.TrimPrefix(filepath.Clean(path), string(filepath.Separator))
	for {
		first, rest, more := strings.Cut(below, string(filepath.Separator))
		next := filepath.Join(base, first)
		if info, err := os.Stat(next); !more || err != nil || !info.IsDir() || r.own(base) != nil {
			return base, below
		}
		base, below = next, rest
	}
}

// own returns an error when others may change to what a folder leads.
func (r Restore) own(dir string) error {
	if r.changed != nil {
		return r.changed(dir)
	}
	return secret.Own(dir)
}

// at opens the folder from which a path is reached without links of others, and returns the
// path from there.
func (r Restore) at(path string) (root *os.Root, below string, err error) {
	base, below := r.split(path)
	if root, err = os.OpenRoot(base); err != nil {
		return nil, "", fmt.Errorf("open the folder %s: %w", base, err)
	}
	return root, below, nil
}

// stageDir returns the folder into which the backup is unpacked: beside the county's, or, when
// another account may change the folder that holds it, above that one.
func (r Restore) stageDir() (string, error) {
	beside := r.Dir + ".restoring"
	base, below := r.split(r.Dir)
	if r.own(base) == nil {
		return beside, nil
	}
	above := filepath.Dir(base)
	same, err := sameDisk(base, above)
	switch {
	case err != nil:
		return "", err
	case same && unix.Access(above, unix.W_OK) == nil:
		name := strings.ReplaceAll(filepath.Join(filepath.Base(base), below), string(filepath.Separator), "-")
		return filepath.Join(above, "."+name+".restoring"), nil
	case os.Geteuid() == 0:
		return "", fmt.Errorf("%s is a disk of its own and belongs to another account, which could exchange what root "+
			"unpacks there: chown root: %[1]s, and restore again; the service takes it back when it starts", base)
	}
	return beside, nil
}

func sameDisk(a, b string) (bool, error) {
	var x, y unix.Stat_t
	if err := cmp.Or(unix.Stat(a, &x), unix.Stat(b, &y)); err != nil {
		return false, fmt.Errorf("look at %s and %s: %w", a, b, err)
	}
	return x.Dev == y.Dev, nil
}

// put writes a file anew, whole or not at all, and durable, with its owner and its rights.
func (r Restore) put(path string, text []byte, f File, done *Restored) (err error) {
	root, name, err := r.at(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := r.folder(root, filepath.Dir(name), f, done); err != nil {
		return err
	}
	fresh := name + ".new"
	if err := root.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w, err := root.OpenFile(fresh, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	if err == nil {
		err = done.give(f, w.Chown)
	}
	if err = errors.Join(err, w.Chmod(f.Mode.Perm()), w.Sync(), w.Close()); err != nil {
		return err
	}
	if err := root.Rename(fresh, name); err != nil {
		return err
	}
	dir, err := root.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// folder makes a folder for a file, and those above it, for whom the file belongs to.
func (r Restore) folder(root *os.Root, dir string, f File, done *Restored) error {
	if _, err := root.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := r.folder(root, filepath.Dir(dir), f, done); err != nil {
		return err
	}
	if err := root.Mkdir(dir, 0o700); err != nil {
		return err
	}
	mode := fs.FileMode(0o750)
	if strings.HasPrefix(f.Name, inAuthority+"/") {
		mode = 0o700
	}
	d, err := root.OpenFile(dir, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	return errors.Join(done.give(f, d.Chown), d.Chmod(mode), d.Close())
}

// above makes the folders above a path. They are open: the county's account has to pass.
func (r Restore) above(path string) error {
	root, name, err := r.at(path)
	if err != nil {
		return err
	}
	return errors.Join(root.MkdirAll(filepath.Dir(name), 0o755), root.Close())
}

// setAside renames what is at a path.
func (r Restore) setAside(path, to string) (err error) {
	root, name, err := r.at(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return root.Rename(name, filepath.Join(filepath.Dir(name), filepath.Base(to)))
}
