package backup

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/lockfile"
	"gatehouse/gateway/sealed"
)

// Plan says what a backup is made of and where it goes.
type Plan struct {
	Manifest // but its files

	Named []string // files and folders that the configuration names
	Skip  []string // folders in the county's that are not copied: the embedded broker's
	// Influx, if it is not nil, has InfluxDB's own tool write its backup into a folder. It is
	// called after the state of the county's files was taken: then the records reach at least
	// as far as the watermarks.
	Influx func(ctx context.Context, dir string) error

	Output     string // file, or folder
	Keep       int    // of those in the folder; 0: all
	Recipients []string
	Scratch    string // folder for copies that are not encrypted; empty: in the county's
	Unverified bool   // the file is not tried afterwards
	Tell       Tell
}

// Tell is told how far a step is, in bytes; all is 0 where it is not known.
type Tell func(step string, done, all int64)

// ErrRunning is wrapped when another backup of the same county is being made.
var ErrRunning = errors.New("another backup of this county is being made")

// Make makes a backup, tries it, and notes for the collector that it is good. A backup
// that fails leaves nothing but what was there before. The county's programs may run.
func Make(ctx context.Context, p Plan) (last Last, m Manifest, err error) {
	held, err := lockfile.Take(filepath.Join(p.Paths.County, lockFile))
	if errors.Is(err, lockfile.ErrHeld) {
		return last, m, fmt.Errorf("%w: wait for its end", ErrRunning)
	}
	if err != nil {
		return last, m, err
	}
	if err := like(filepath.Join(p.Paths.County, lockFile), p.Paths.County); err != nil {
		return last, m, errors.Join(err, held.Close())
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	scratch := filepath.Join(p.Scratch, scratchDir+"-"+p.County) // a name that nobody else has there
	if p.Scratch == "" {
		p.Scratch = p.Paths.County
		scratch = filepath.Join(p.Scratch, scratchDir)
	}
	if err := fresh(scratch); err != nil { // of one that was killed, too
		return last, m, fmt.Errorf("make a folder for copies: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	to, err := p.target()
	if err != nil {
		return last, m, err
	}
	if err := p.room(to); err != nil {
		return last, m, err
	}
	return p.make(ctx, scratch, to)
}

func fresh(dir string) error {
	return errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700))
}

// make makes the backup with a folder for copies.
func (p Plan) make(ctx context.Context, scratch, to string) (last Last, m Manifest, err error) {
	list, err := p.collect(ctx, scratch)
	if err != nil {
		return last, m, err
	}
	m = p.Manifest
	m.Format = format
	for _, e := range list {
		m.Files = append(m.Files, e.File)
	}
	secret, own, err := sealed.NewKey() // the file can be tried without the recipients' secrets
	if err != nil {
		return last, m, err
	}
	part := partOf(to)
	defer func() {
		if e := os.Remove(part); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	last = Last{At: m.Made, File: to}
	if last.Size, last.SHA256, err = p.write(ctx, part, m, list, append([]string{own}, p.Recipients...)); err != nil {
		return last, m, explain(err, filepath.Dir(to))
	}
	if err := fresh(scratch); err != nil {
		return last, m, err
	}
	if !p.Unverified {
		if err := try(ctx, part, secret, scratch, p.Tell); err != nil {
			return last, m, fmt.Errorf("the backup that was written is not good, and was removed: %w",
				explain(err, scratch))
		}
		last.Verified = true
	}
	return last, m, p.finish(part, to, last)
}

// finish gives the file its name, removes those that are too many, and notes it.
func (p Plan) finish(part, to string, last Last) error {
	if err := errors.Join(os.Rename(part, to), syncFolder(filepath.Dir(to))); err != nil {
		return fmt.Errorf("name the backup: %w", err)
	}
	return errors.Join(last.write(p.Paths.County), p.prune(to))
}

// collect takes the state of the databases, copies them into a folder and reads the other
// files.
func (p Plan) collect(ctx context.Context, scratch string) (list []entry, err error) {
	paths, err := databases(p.Paths.County)
	if err != nil {
		return nil, err
	}
	s, err := db.Hold(ctx, paths...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for i, path := range paths {
		e, err := p.database(ctx, s, i, path, scratch)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	files, err := p.files()
	if err != nil {
		return nil, err
	}
	list = append(list, files...)
	if p.Influx == nil {
		return list, nil
	}
	influx, err := p.influx(ctx, filepath.Join(scratch, inInflux))
	return append(list, influx...), err
}

// database copies one of the files whose state was taken.
func (p Plan) database(ctx context.Context, s *db.Snapshot, i int, path, scratch string) (e entry, err error) {
	name := filepath.Base(path)
	to := filepath.Join(scratch, name)
	tell := func(done, all int64) { p.Tell("copy "+name, done, all) }
	if err := s.Copy(ctx, i, to, tell); err != nil {
		return e, explain(err, scratch)
	}
	if e, err = large(to, inCounty+"/"+name); err != nil {
		return e, err
	}
	c, err := s.Count(ctx, i)
	if err == nil && c.Schema < 1 {
		err = fmt.Errorf("%s is no file of a county", path)
	}
	if err == nil && name == storeFile {
		e.Reach, err = reach(ctx, s.Querier(i))
	}
	if err != nil {
		return e, err
	}
	e.Schema, e.Rows = c.Schema, c.Rows
	if info, err := os.Stat(path); err == nil {
		e.Owner, e.Group = ownerOf(info)
	}
	return e, nil
}

// reach returns how much a store has ever taken: the sum of its watermarks.
func reach(ctx context.Context, q db.Querier) (int64, error) {
	n, _, err := db.One(ctx, q, db.Value[int64], "SELECT coalesce(sum(through), 0) FROM journals")
	if err != nil {
		return 0, fmt.Errorf("read how far the store reaches: %w", err)
	}
	return n, nil
}

// write writes the encrypted file, durably, and returns its size and sum.
func (p Plan) write(ctx context.Context, path string, m Manifest, list []entry, to []string) (
	size int64, sum string, err error,
) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(f, h), 1<<20)
	secret, err := sealed.To(buffered, to...)
	if err != nil {
		return 0, "", err
	}
	packed, err := gzip.NewWriterLevel(secret, gzip.BestSpeed)
	if err != nil {
		return 0, "", err
	}
	files := tar.NewWriter(packed)
	if err = p.pack(ctx, files, m, list); err != nil {
		return 0, "", err
	}
	for _, end := range []func() error{files.Close, packed.Close, secret.Close, buffered.Flush, f.Sync} {
		if err := end(); err != nil {
			return 0, "", err
		}
	}
	info, err := f.Stat()
	if err != nil {
		return 0, "", err
	}
	return info.Size(), hex.EncodeToString(h.Sum(nil)), nil
}

// pack writes the manifest and the files.
func (p Plan) pack(ctx context.Context, w *tar.Writer, m Manifest, list []entry) error {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	all, done := int64(0), int64(0)
	for _, e := range list {
		all += e.Size
	}
	manifest := entry{File: File{Name: manifestName, Size: int64(len(b)), Mode: 0o600}, text: b}
	for _, e := range append([]entry{manifest}, list...) {
		head := &tar.Header{Typeflag: tar.TypeReg, Name: e.Name, Size: e.Size, Mode: int64(e.Mode.Perm()),
			ModTime: m.Made.Truncate(time.Second), Format: tar.FormatPAX}
		if err := w.WriteHeader(head); err != nil {
			return err
		}
		r, err := e.open()
		if err != nil {
			return err
		}
		counted := &counter{ctx: ctx, r: r, tell: func(n int64) { p.Tell("encrypt", done+n, all) }}
		_, err = io.Copy(w, counted)
		if err = errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("pack %s: %w", e.Name, err)
		}
		done += e.Size
	}
	return nil
}

// counter counts what is read, and ends with its context.
type counter struct {
	ctx  context.Context //nolint:containedctx // of the one read that it is made for
	r    io.Reader
	n    int64
	tell func(n int64)
}

func (c *counter) Read(b []byte) (n int, err error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err = c.r.Read(b)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}
