package repository

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/openpgp"
)

// Signer says by whom, for whom and when an index is signed.
type Signer struct {
	County string
	Key    openpgp.Key
	Now    time.Time
}

// write writes and signs an index.
func (f Folder) write(s Signer, list []Package) error {
	index := formatIndex(list)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(index)
	if err = errors.Join(err, z.Close()); err != nil {
		return err
	}
	if len(index) > mostIndex {
		return fmt.Errorf("the index has %d bytes, and may have %d: remove old versions", len(index), mostIndex)
	}
	signed, err := s.Key.Sign(s.release(list, index, packed.Bytes()), s.Now)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		name string
		b    []byte
	}{{IndexFile, index}, {packedIndex, packed.Bytes()}, {SignedFile, signed}} {
		err := f.replace(x.name, func(w io.Writer) error { _, err := w.Write(x.b); return err })
		if err != nil {
			return fmt.Errorf("write %s: %w", x.name, err)
		}
	}
	return nil
}

// release returns the text that is signed.
func (s Signer) release(list []Package, index, packed []byte) []byte {
	var archs []string
	for _, p := range list {
		if !slices.Contains(archs, p.Architecture) {
			archs = append(archs, p.Architecture)
		}
	}
	slices.Sort(archs)
	var b bytes.Buffer
	fmt.Fprintf(&b, "Origin: gatehouse\nLabel: gatehouse %s\nSuite: stable\nDate: %s\nArchitectures: %s\nSHA256:\n",
		s.County, s.Now.UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC"), strings.Join(archs, " "))
	for _, x := range []struct {
		name string
		b    []byte
	}{{IndexFile, index}, {packedIndex, packed}} {
		fmt.Fprintf(&b, " %x %d %s\n", sha256.Sum256(x.b), len(x.b), x.name)
	}
	return b.Bytes()
}

// replace writes a file of the folder anew, durable when it returns, readable by everybody. It
// follows no link that somebody has laid in its way.
func (f Folder) replace(name string, write func(io.Writer) error) error {
	path := filepath.Join(f.Dir, name)
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(fresh, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // served
	if err != nil {
		return err
	}
	if err := errors.Join(write(file), file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	dir, err := os.Open(f.Dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
