package secret

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Own returns an error when other accounts than this one and root may change a file, or put
// another one in its place: when they may write it, a folder above it, or a link on the way to
// it. Everybody may read it.
func Own(path string) error {
	at, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	to, err := filepath.EvalSymlinks(at)
	if err != nil {
		return err
	}
	return cmp.Or(ownWay(at), ownWay(to))
}

// ownWay looks at a path as it is written, and at all folders above it.
func ownWay(at string) error {
	for {
		info, err := os.Lstat(at)
		if err != nil {
			return err
		}
		if err := changeable(at, info); err != nil {
			return err
		}
		above := filepath.Dir(at)
		if above == at {
			return nil
		}
		at = above
	}
}

// changeable returns an *Error when others may change a file or folder.
func changeable(path string, info fs.FileInfo) error {
	me := os.Geteuid()
	if owner := ownerOf(info, me); owner != me && owner != 0 {
		return &Error{fmt.Sprintf("%s belongs to %s, and only %s may be able to change it: run chown %s %s",
			path, nameOf(owner), nameOf(me), nameOf(me), path)}
	}
	shared := info.IsDir() && info.Mode()&fs.ModeSticky != 0 // nobody replaces what is another's there
	link := info.Mode()&fs.ModeSymlink != 0                  // its rights count for nothing
	if info.Mode().Perm()&0o022 != 0 && !shared && !link {
		return &Error{fmt.Sprintf("%s can be changed by others: run chmod go-w %s", path, path)}
	}
	return nil
}

// ReadOwn returns what is in a file of up to Most bytes that passes Own.
func ReadOwn(path string) ([]byte, error) {
	if err := Own(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, Most+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(b) > Most {
		return nil, errors.New(path + " is too large: it is the wrong file")
	}
	return b, nil
}
