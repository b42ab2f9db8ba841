package backup

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/sealed"
)

// opened is a backup that is being read.
type opened struct {
	Manifest

	file    *os.File
	packed  *gzip.Reader
	archive *tar.Reader
}

// open opens a backup and reads its manifest.
func open(path string, secrets ...string) (b *opened, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b = &opened{file: f}
	defer func() {
		if err != nil {
			err = errors.Join(damaged(path, err), f.Close())
		}
	}()
	text, err := sealed.From(bufio.NewReaderSize(f, 1<<20), secrets...)
	if err != nil {
		return nil, err
	}
	if b.packed, err = gzip.NewReader(text); err != nil {
		return nil, err
	}
	b.archive = tar.NewReader(b.packed)
	head, err := b.archive.Next()
	if err != nil {
		return nil, err
	}
	if head.Name != manifestName {
		return nil, errors.New("it is no backup of a county: it has no manifest")
	}
	b.Manifest, err = readManifest(b.archive)
	return b, err
}

// damaged says of which backup an error is, and what to do.
func damaged(path string, err error) error {
	if errors.Is(err, sealed.ErrNotFor) {
		return fmt.Errorf("%s: %w: give the identity (AGE-SECRET-KEY-1...) of one of the recipients to whom it was "+
			"made", path, err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%s is not whole, it was cut off: take another backup: %w", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

func (b *opened) close() error { return b.file.Close() }

// unpack writes the files below dir, which is there and empty, and checks each. Nobody but
// the owner may read them, until give says otherwise.
func (b *opened) unpack(ctx context.Context, dir string, tell Tell) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	all, done := int64(0), int64(0)
	for _, f := range b.Files {
		all += f.Size
	}
	for _, f := range b.Files {
		head, err := b.archive.Next()
		if err == nil && (head.Name != f.Name || head.Size != f.Size) {
			err = fmt.Errorf("%s comes where its manifest has %s", head.Name, f.Name)
		}
		if err == nil {
			r := &counter{ctx: ctx, r: b.archive, tell: func(n int64) { tell("unpack", done+n, all) }}
			err = one(root, f, r)
		}
		if err != nil {
			return damaged(b.file.Name(), err)
		}
		done += f.Size
	}
	// The rest says whether the file is whole.
	if _, err := b.archive.Next(); !errors.Is(err, io.EOF) {
		return damaged(b.file.Name(), errors.Join(errors.New("it holds more than its manifest says"), err))
	}
	if _, err := io.Copy(io.Discard, b.packed); err != nil {
		return damaged(b.file.Name(), err)
	}
	return nil
}

// one writes a file, durably.
func one(root *os.Root, f File, r io.Reader) (err error) {
	if err := root.MkdirAll(filepath.Dir(f.Name), 0o700); err != nil {
		return err
	}
	w, err := root.OpenFile(f.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(w, h), r)
	if err == nil {
		err = w.Sync()
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("write %s: %w", f.Name, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != f.SHA256 {
		return fmt.Errorf("%s is damaged: it has another sum (SHA-256) than the manifest says", f.Name)
	}
	return nil
}

// inspect reads all databases below dir and compares them with the manifest.
func (m Manifest) inspect(ctx context.Context, dir string, tell Tell) error {
	for _, f := range m.Files {
		if !f.Database() {
			continue
		}
		tell("check "+f.Name, 0, 0)
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		c, err := db.Inspect(ctx, path)
		if err != nil {
			return err
		}
		if c.Schema != f.Schema || !maps.Equal(c.Rows, f.Rows) {
			return fmt.Errorf("%s has other rows than the manifest says", f.Name)
		}
		for _, end := range []string{"-wal", "-shm"} { // of the look
			if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// try brings a backup back into a folder, and removes it there.
func try(ctx context.Context, path, secret, dir string, tell Tell) (err error) {
	b, err := open(path, secret)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.unpack(ctx, dir, tell); err != nil {
		return err
	}
	return b.inspect(ctx, dir, tell)
}
