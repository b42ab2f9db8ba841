package db

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// ErrMoved is wrapped by errors of a File that is no longer the file at its path:
// it was moved, removed, replaced or written over by something other than SQLite.
// What would be written could not be found again, so nothing is.
var ErrMoved = errors.New("the open file is not the file at its path")

const (
	headerSize = 100 // of an SQLite file, in bytes: sqlite.org/fileformat2.html, "The Database Header"
	// indexSize is how much of the WAL index says how far the WAL was copied into the
	// file: sqlite.org/walformat.html, "The WAL-Index File Format".
	indexSize = 136
)

// place knows which files are open, and finds out whether the path still leads to
// them. Its methods may be called from any goroutine.
type place struct {
	path string
	// The files stay open as long as the connections: POSIX drops a process's locks on
	// a file when it closes any descriptor of it.
	main, wal, index opened

	mu      sync.Mutex // guards what follows
	last    image      // of main, as it was last found right
	spoiled error      // main or wal was written over: it stays so
}

// opened is a file that is open for reading.
type opened struct {
	*os.File

	info os.FileInfo
}

// image is what tells one content of the file from another.
type image struct {
	size   int64
	at     time.Time // of the last write
	header [headerSize]byte
	copied copied
}

// copied is how far the WAL was copied into the file, from the WAL index.
type copied [16]byte

// open opens a file that is at path now.
func open(path string) (o opened, err error) {
	if o.File, err = os.Open(path); err == nil {
		o.info, err = o.Stat()
	}
	return o, err
}

// find opens the file that is at path now.
func find(path string) (p *place, err error) {
	p = &place{path: path}
	p.main, err = open(path)
	return p, err
}

// connected opens the WAL and its index. SQLite has made them when the first
// connection has read, and removes them with the last connection.
func (p *place) connected() (err error) {
	if p.wal, err = open(p.path + "-wal"); err != nil {
		return err
	}
	if p.index, err = open(p.path + "-shm"); err != nil {
		return err
	}
	p.last, _, err = p.look()
	return err
}

// close must be called after the connections were closed.
func (p *place) close() (err error) {
	for _, f := range []opened{p.main, p.wal, p.index} {
		if f.File != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// same fails if the path does not lead to the open file.
func (p *place) same() error {
	now, err := os.Stat(p.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %s was moved or removed: put it back, or stop this program and start it with the "+
			"file that it is to use (until then what the file holds can be copied from /proc/%d/fd/%d)",
			ErrMoved, p.path, os.Getpid(), p.main.Fd())
	case err != nil:
		return fmt.Errorf("%w: %w: make it accessible again", ErrMoved, err)
	case !os.SameFile(p.main.info, now):
		return fmt.Errorf("%w: another file is at %s since it was opened: put the first one back, or stop this "+
			"program and start it again with the file that is there now", ErrMoved, p.path)
	}
	return nil
}

// sameWAL fails if the WAL or its index is not the open one.
func (p *place) sameWAL() error {
	for suffix, known := range map[string]opened{"-wal": p.wal, "-shm": p.index} {
		if now, err := os.Stat(p.path + suffix); err != nil || !os.SameFile(known.info, now) {
			return fmt.Errorf("%w: %s%s was moved, removed or replaced: stop this program in the ordinary way, which "+
				"writes all it has into %[2]s, and start it again", ErrMoved, p.path, suffix)
		}
	}
	return nil
}

// untouched fails if the file was written by something other than SQLite, which
// writes into it only what was in the WAL before, and notes in the index how far it
// is.
func (p *place) untouched() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spoiled != nil {
		return p.spoiled
	}
	now, sure, err := p.look()
	if err != nil {
		return p.unreadable("", err)
	}
	if !sure {
		return nil
	}
	last := p.last
	if now.copied == last.copied && (now.size != last.size || !now.at.Equal(last.at) && now.header != last.header) {
		p.spoiled = fmt.Errorf("%w: %s was written over while it is open (a backup that was copied onto it?): stop "+
			"this program, put the file that is to be used there again, and start it", ErrMoved, p.path)
		return p.spoiled
	}
	p.last = now
	return nil
}

// committed is called after each transaction: the WAL may have begun anew with it.
// What is wrong now is said at the next one.
func (p *place) committed() { _ = p.untouched() }

// look returns the image of the file. It is not sure while a connection copies the
// WAL into the file.
func (p *place) look() (now image, sure bool, err error) {
	before, copying, err := p.copied()
	if err != nil {
		return now, false, err
	}
	info, err := p.main.Stat()
	if err != nil {
		return now, false, err
	}
	now.size, now.at, now.header = info.Size(), info.ModTime(), p.last.header
	if !now.at.Equal(p.last.at) {
		if _, err := p.main.ReadAt(now.header[:], 0); err != nil && !errors.Is(err, io.EOF) {
			return now, false, err
		}
	}
	now.copied, _, err = p.copied()
	return now, !copying && before == now.copied, err
}

// copied returns what changes when something of the WAL is copied into the file, and
// whether a connection does that at this moment.
func (p *place) copied() (c copied, now bool, err error) {
	var index [indexSize]byte
	if _, err := p.index.ReadAt(index[:], 0); err != nil {
		return c, false, err
	}
	done, begun := index[96:100], index[128:132]
	copy(c[:8], index[32:40]) // the salts of the WAL
	copy(c[8:12], done)
	copy(c[12:16], begun)
	return c, !bytes.Equal(done, begun), nil
}
