// Package secret reads files that nobody but this program's account may read: keys,
// passwords, tokens, and lists of people. It is the only reader of such files.
package secret

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/config"
)

// Most is how much of a file Read and Line take, in bytes.
const Most = 1 << 20

// credentials is the variable with the folder of systemd's credentials (LoadCredential= of
// a unit; systemd.exec(5)).
const credentials = "CREDENTIALS_DIRECTORY"

// Error says that other accounts may read a file, and what to do. The other faults of
// a file are no Error.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

// Read returns what is in a file of up to Most bytes. The error is an *Error when other
// accounts may read the file, and wraps fs.ErrNotExist when there is none. It may be
// called from any goroutine.
func Read(path string) ([]byte, error) { return ReadMost(path, Most) }

// ReadMost is Read of a file of up to most bytes.
func ReadMost(path string, most int64) ([]byte, error) {
	f, info, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := judge(path, info, os.Geteuid()); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if info.Size() <= most {
		b.Grow(int(info.Size()) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(f, most+1)); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(b.Len()) > most {
		return nil, fmt.Errorf("%s is larger than %d MiB: it is the wrong file", path, most>>20)
	}
	return b.Bytes(), nil
}

// Text is Read of a file that a person has written, in UTF-8 (config.Text).
func Text(path string) ([]byte, error) {
	b, err := Read(path)
	if err != nil {
		return nil, err
	}
	if b, err = config.Text(b); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// Line returns the first line of a file, without its line ending. A file without one is an
// error.
func Line(path string) (string, error) {
	b, err := Text(path)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.Trim(line, "\r"); line == "" {
		return "", errors.New(path + " is empty")
	}
	return line, nil
}

// Brought is Read of a file that a person brings along to open something, and takes away again,
// such as a key on a stick. On a file system that knows no rights (FAT and alike) it is taken as
// it is: nobody could do what Read would ask for.
func Brought(path string) ([]byte, error) { return brought(path, withoutRights) }

func brought(path string, withoutRights []uint64) ([]byte, error) {
	var at unix.Statfs_t
	if err := unix.Statfs(path, &at); err != nil || !slices.Contains(withoutRights, uint64(at.Type)) {
		return Read(path)
	}
	f, _, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, Most))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return b, nil
}

// withoutRights are the file systems of sticks and discs that keep no rights of accounts, by their
// numbers in statfs(2).
var withoutRights = []uint64{unix.MSDOS_SUPER_MAGIC, unix.EXFAT_SUPER_MAGIC, unix.ISOFS_SUPER_MAGIC,
	unix.UDF_SUPER_MAGIC, 0x5346544e /* NTFS */, 0x7366746e /* ntfs3 */}

// Close takes from other accounts the rights on a list of people, which an editor or a copy
// may have left, and reports whether they had any. What it can't change it leaves: Read
// says what to do.
func Close(path string) (closed bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 || credential(path) {
		return false
	}
	return os.Chmod(path, info.Mode().Perm()&0o700) == nil
}

// List is ReadMost of a list of people; it first takes from other accounts what rights they
// have, as Close does.
func List(path string, most int64) ([]byte, error) {
	Close(path)
	return ReadMost(path, most)
}

// Check returns an *Error when other accounts may read the file, and another error when it
// can't be opened.
func Check(path string) error {
	f, info, err := open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return judge(path, info, os.Geteuid())
}

// open opens a file, or what a link leads to, and looks at what was opened: nobody can
// put another file there in between.
func open(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, explain(path, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeNamedPipe {
		err = fmt.Errorf("%s is no file", path)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// explain says whose a file is that this account may not open.
func explain(path string, err error) error {
	info, err2 := os.Stat(path)
	if !errors.Is(err, fs.ErrPermission) || err2 != nil {
		return err
	}
	me := os.Geteuid()
	owner := ownerOf(info, me)
	todo := "chown " + nameOf(me) + " " + path
	if owner != 0 { // an account of its own keeps it: that account must go on reading it
		todo = "this with sudo -u " + nameOf(owner)
	}
	return fmt.Errorf("%w: it belongs to %s, and gatehouse runs as %s: run %s", err, nameOf(owner), nameOf(me), todo)
}

// facts are those of a file that count here.
type facts interface {
	Mode() fs.FileMode
	Sys() any
}

// judge returns an *Error when other accounts than this one, me, and root may read a file. To root
// any owner is right, if nobody else may read it: who works on a service's files by sudo
// leaves them to the service.
func judge(path string, info facts, me int) error {
	if credential(path) && info.Mode().Perm()&0o007 == 0 {
		return nil // systemd lets this service in by an access list, which shows as rights of the group
	}
	owner := ownerOf(info, me)
	var todo []string
	open := info.Mode().Perm()&0o077 != 0
	if me == 0 && !open {
		return nil
	}
	if owner != me && me != 0 && (owner != 0 || open) { // of root's file, chmod alone would shut this account out
		todo = append(todo, "chown "+nameOf(me)+" "+path)
	}
	if open {
		todo = append(todo, "chmod 600 "+path)
	}
	if todo == nil {
		return nil
	}
	why := "can be read by others"
	if !open {
		why = "belongs to " + nameOf(owner) + ", and gatehouse runs as " + nameOf(me)
	}
	text := fmt.Sprintf("%s %s: run %s", path, why, strings.Join(todo, " && "))
	if to, err := filepath.EvalSymlinks(path); err == nil && to != filepath.Clean(path) {
		text += " (a link to " + to + ")"
	}
	return &Error{text}
}

// credential reports whether a file is one of systemd's credentials.
func credential(path string) bool {
	dir, err := filepath.EvalSymlinks(os.Getenv(credentials))
	if err != nil || !filepath.IsAbs(dir) {
		return false
	}
	at, err := filepath.EvalSymlinks(path)
	return err == nil && strings.HasPrefix(at, dir+string(filepath.Separator))
}

// ownerOf returns the number of the account that a file belongs to, and me where the
// system does not say.
func ownerOf(info facts, me int) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return me
}

func nameOf(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
