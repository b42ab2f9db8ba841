package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse/gateway/lockfile"
)

// ErrNoAuthority means that a backup was made without the authority's folder.
var ErrNoAuthority = errors.New("the authority is not in this backup: give one that was made with " +
	"gatehouse backup --with-authority")

// OnlyAuthority brings the authority's folder back, and the key of the servers' certificates, and
// leaves the county and its configuration as they are: ordinary backups are newer, and have no
// authority. All of the backup is read and found whole before anything is changed. The
// collector may run, and reads the folder when it is started again.
func (r Restore) OnlyAuthority(ctx context.Context) (done Restored, err error) {
	b, err := open(r.File, r.Secrets...)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if !b.Authority {
		return done, ErrNoAuthority
	}
	r.Dir = cmp.Or(r.Dir, b.Paths.County) // nothing comes there
	if r, err = r.places(b.Manifest); err != nil {
		return done, err
	}
	only := b.Manifest
	only.Files = slices.DeleteFunc(slices.Clone(only.Files), func(f File) bool {
		return !strings.HasPrefix(f.Name, inAuthority+"/") && path.Base(f.Name) != "ca.key"
	})
	done = Restored{Manifest: only, Dir: r.AuthorityDir, Aside: map[string]string{}, Elsewhere: map[string]string{}}
	if err := r.lookAtConfig(b.Manifest); err != nil {
		return done, err
	}
	if _, err := r.conflicts(only); err != nil {
		return done, err
	}
	r.Dir = r.AuthorityDir // it is unpacked beside that
	stage, err := r.stageDir()
	if err != nil {
		return done, err
	}
	// Folders above it are open: the county's account has to pass.
	if err := errors.Join(r.above(r.Dir), r.above(stage), os.MkdirAll(stage, 0o700)); err != nil {
		return done, fmt.Errorf("make a folder beside the authority's: %w", err)
	}
	held, err := lockfile.Take(filepath.Join(stage, "lock"))
	if err != nil {
		return done, fmt.Errorf("another restore to the same place is under way: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage), held.Close()) }()
	files := filepath.Join(stage, "files")
	if err := fresh(files); err != nil {
		return done, err
	}
	if err := b.unpack(ctx, files, r.Tell); err != nil {
		return done, explain(err, stage)
	}
	if err := b.inspect(ctx, files, r.Tell); err != nil {
		return done, explain(err, stage)
	}
	return done, r.moveAuthority(files, &done)
}

// moveAuthority gives the authority's files their places.
func (r Restore) moveAuthority(files string, done *Restored) error {
	if err := r.clear(done); err != nil {
		return err
	}
	for _, f := range done.Files {
		if err := r.place(f, files, done); err != nil {
			return fmt.Errorf("restore %s: %w", f.Name, err)
		}
	}
	return nil
}
