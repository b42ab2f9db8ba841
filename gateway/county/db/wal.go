package db

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	walHeader   = 32 // bytes before the first frame: sqlite.org/walformat.html, "The WAL File Format"
	frameHeader = 24 // before the page of each frame
	indexHeader = 48 // bytes of the WAL index that say how much of the WAL is valid
)

// Checkpoint copies what is in the WAL into the file, so that it is still there when the
// WAL is lost. SQLite does so by itself when the WAL has a thousand pages.
func (f *File) Checkpoint(ctx context.Context) error {
	_, err := f.writer.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	return err
}

// wholeWAL fails if something other than SQLite emptied or shortened the WAL, or wrote
// another one into it. SQLite would read zeros then where the index says that pages are,
// and copy these into the file.
func (p *place) wholeWAL() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spoiled != nil {
		return p.spoiled
	}
	var index, after [indexHeader]byte
	var begin [walHeader]byte
	if _, err := p.index.ReadAt(index[:], 0); err != nil {
		return p.unreadable("-shm", err)
	}
	_, err := p.wal.ReadAt(begin[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return p.unreadable("-wal", err)
	}
	info, err := p.wal.Stat()
	if err != nil {
		return p.unreadable("-wal", err)
	}
	if _, err := p.index.ReadAt(after[:], 0); err != nil {
		return p.unreadable("-shm", err)
	}
	frames := int64(binary.NativeEndian.Uint32(index[16:20]))
	if index != after || frames == 0 {
		return nil // a transaction ends at this moment, or nothing is in the WAL
	}
	page := int64(binary.NativeEndian.Uint16(index[14:16]))
	if page == 1 { // does not fit into 16 bits
		page = 1 << 16
	}
	salts := index[32:40]
	if info.Size() < walHeader+frames*(frameHeader+page) || !bytes.Equal(begin[16:24], salts) {
		p.spoiled = fmt.Errorf("%w: %s-wal was emptied or written over while it is open: stop this program and start "+
			"it again; what was committed last may be missing then, and agents send it again", ErrMoved, p.path)
	}
	return p.spoiled
}

// unreadable is the error when a file beside the database can't be read.
func (p *place) unreadable(suffix string, err error) error {
	return fmt.Errorf("%w: read %s%s: %w: stop this program and start it again", ErrMoved, p.path, suffix, err)
}
