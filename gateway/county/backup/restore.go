package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/lockfile"
)

// Restore says from which file a county is brought back, and where to.
type Restore struct {
	File    string
	Secrets []string // identities of age, of which one opens the file
	// Where to: the county's folder, the folder of the configuration, and the authority's;
	// empty: where they were.
	Dir, ConfigDir, AuthorityDir string
	// Usual are the folders below which places may be that only the file names; empty: all.
	Usual []string

	Again     bool // what is there is moved aside, not removed
	OverNewer bool // also a store that has more than the backup
	Now       time.Time
	Tell      Tell
	// Adopt opens the databases in a folder by this program's schema, and changes there what
	// must not come back. It is called before the folder gets its place.
	Adopt func(ctx context.Context, dir string, m Manifest) error
	// CountyOf returns the county that a configuration names; fs.ErrNotExist: there is none.
	CountyOf func(config string) (string, error)

	changed func(dir string) error // instead of secret.Own, for tests
}

// Restored says what was done.
type Restored struct {
	Manifest

	Dir       string            // of the county now
	Config    string            // the collector's configuration now
	Aside     map[string]string // where what was there is now, by its former path
	Elsewhere map[string]string // files whose place somebody must give them, by that place
	Influx    string            // folder of InfluxDB's own backup; empty: there is none
	Nobody    []string          // accounts that this computer lacks
}

// Errors of a restore, for tests.
var (
	ErrLiving   = errors.New("a collector that runs uses the folder")
	ErrNotEmpty = errors.New("there is something already")
	ErrNewer    = errors.New("the store there has more than the backup")
	ErrOther    = errors.New("it is another county's")
	ErrUnusual  = errors.New("the file names an unusual place")
)

// List returns what a backup holds.
func List(path string, secrets []string) (m Manifest, err error) {
	b, err := open(path, secrets...)
	if err != nil {
		return m, err
	}
	return b.Manifest, b.close()
}

// Do brings the county back. Until all of the backup was read and found whole nothing is
// changed that is there.
func (r Restore) Do(ctx context.Context) (done Restored, err error) {
	b, err := open(r.File, r.Secrets...)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if r, err = r.places(b.Manifest); err != nil {
		return done, err
	}
	done = Restored{Manifest: b.Manifest, Dir: r.Dir, Aside: map[string]string{}, Elsewhere: map[string]string{}}
	stage, err := r.stageDir()
	if err != nil {
		return done, err
	}
	// Folders above it are open: the county's account has to pass.
	if err := errors.Join(r.above(r.Dir), r.above(stage), os.MkdirAll(stage, 0o700)); err != nil {
		return done, fmt.Errorf("make a folder beside the county's: %w", err)
	}
	held, err := lockfile.Take(filepath.Join(stage, "lock"))
	if err != nil {
		return done, fmt.Errorf("another restore to the same place is under way: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage), held.Close()) }()
	if err := r.lookAtConfig(b.Manifest); err != nil {
		return done, err
	}
	old, err := r.lookAtOld(ctx, b.Manifest)
	if err != nil {
		return done, err
	}
	if old != nil {
		defer func() { err = errors.Join(err, old.Close()) }()
	}
	files := filepath.Join(stage, "files")
	if err := fresh(files); err != nil {
		return done, err
	}
	if _, err := r.conflicts(b.Manifest); err != nil {
		return done, err
	}
	if err := r.stage(ctx, b, files); err != nil {
		return done, explain(err, stage)
	}
	return done, r.move(files, &done)
}

// places fills in where things were.
func (r Restore) places(m Manifest) (Restore, error) {
	for _, p := range []struct {
		given     *string
		was, flag string
		needed    bool
	}{{&r.Dir, m.Paths.County, "--dir", true}, {&r.ConfigDir, filepath.Dir(m.Paths.Config), "--config-dir", true},
		{&r.AuthorityDir, m.Paths.Authority, "--ca-dir", m.Authority}} {
		at, err := filepath.Abs(cmp.Or(*p.given, p.was))
		if err != nil {
			return r, err
		}
		if *p.given == "" && p.needed && !r.usual(at) {
			return r, fmt.Errorf("%w, %s: if that is right, give it by %s", ErrUnusual, at, p.flag)
		}
		*p.given = at
	}
	return r, nil
}

// usual reports whether a file may name this place by itself.
func (r Restore) usual(at string) bool {
	return len(r.Usual) == 0 || slices.ContainsFunc(r.Usual, func(dir string) bool {
		return at == dir || strings.HasPrefix(at, dir+string(filepath.Separator))
	})
}

// stage unpacks into a folder, checks all, and lets the program look at it.
func (r Restore) stage(ctx context.Context, b *opened, files string) error {
	if err := b.unpack(ctx, files, r.Tell); err != nil {
		return err
	}
	if err := b.inspect(ctx, files, r.Tell); err != nil {
		return err
	}
	if err := r.Adopt(ctx, filepath.Join(files, inCounty), b.Manifest); err != nil {
		return fmt.Errorf("open what was restored: %w", err)
	}
	return nil
}

// lookAtOld refuses what must not be restored over. It returns the lock of the folder that
// is there, if one is.
func (r Restore) lookAtOld(ctx context.Context, m Manifest) (held io.Closer, err error) {
	entries, err := os.ReadDir(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "lost+found" })
	if len(entries) == 0 {
		return nil, nil
	}
	lock, err := lockfile.Take(filepath.Join(r.Dir, "lock"))
	if errors.Is(err, lockfile.ErrHeld) {
		return nil, fmt.Errorf("%w %s: stop it first (systemctl stop gatehouse-collect)", ErrLiving, r.Dir)
	}
	if err != nil {
		return nil, err
	}
	if err := r.overOld(ctx, m); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// lookAtConfig refuses a backup of another county than the configuration that is there.
func (r Restore) lookAtConfig(m Manifest) error {
	path := filepath.Join(r.ConfigDir, filepath.Base(m.Paths.Config))
	county, err := r.CountyOf(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && county == m.County {
		return nil
	}
	if err != nil && r.Again {
		return nil // it is moved aside
	}
	if err != nil {
		return fmt.Errorf("look at the configuration that is there: %w; --again moves it aside", err)
	}
	return fmt.Errorf("%w: the backup is of %s, %s of %s: give another --config-dir and --dir", ErrOther, m.County,
		path, county)
}

// overOld decides whether what is in the county's folder may be moved aside.
func (r Restore) overOld(ctx context.Context, m Manifest) error {
	if !r.Again {
		return fmt.Errorf("%w in %s: give another --dir, or --again to move it aside", ErrNotEmpty, r.Dir)
	}
	now, err := reachOf(ctx, filepath.Join(r.Dir, storeFile))
	if err != nil {
		return nil //nolint:nilerr // it is damaged, or not there: that is why somebody restores
	}
	for _, f := range m.Files {
		if f.Name == inCounty+"/"+storeFile && now > f.Reach && !r.OverNewer {
			return fmt.Errorf("%w: it has taken %d records, by the backup of %s %d; if that is wanted all the same, "+
				"give --over-newer: gates send again what they still hold, the rest stays in the folder moved aside",
				ErrNewer, now, m.Made.UTC().Format(time.RFC3339), f.Reach)
		}
	}
	return nil
}

func reachOf(ctx context.Context, path string) (n int64, err error) {
	f, err := db.OpenReadOnly(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return reach(ctx, f.Reader())
}

// conflicts returns the files of the configuration that are there with another content.
func (r Restore) conflicts(m Manifest) (list []string, err error) {
	for _, f := range m.Files {
		to, ok := r.to(f.Name)
		if !ok {
			continue
		}
		now, err := small(to, f.Name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, err
		case now.SHA256 != f.SHA256:
			list = append(list, to)
		}
	}
	if len(list) > 0 && !r.Again {
		return nil, fmt.Errorf("%w: %s differ from the backup's: give another --config-dir, or --again to move them "+
			"aside", ErrNotEmpty, strings.Join(list, ", "))
	}
	return list, nil
}

// to returns where a file goes that is not of the county's folder.
func (r Restore) to(name string) (path string, ok bool) {
	top, rest, _ := strings.Cut(name, "/")
	switch top {
	case inConfig:
		return filepath.Join(r.ConfigDir, filepath.FromSlash(rest)), true
	case inElsewhere:
		return filepath.Join(r.ConfigDir, inElsewhere, filepath.FromSlash(rest)), true
	case inAuthority:
		return filepath.Join(r.AuthorityDir, filepath.FromSlash(rest)), true
	}
	return "", false
}
