package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Close closes the file after the queries and the transaction under way. A file
// that is no longer at its path gets all that was committed to it, wherever it is
// now. One that was written over gets nothing: its WAL would destroy what is there
// now, and is set aside.
func (f *File) Close() error {
	if f.place == nil {
		return f.reader.Close()
	}
	err := f.Check()
	if f.place.isSpoiled() {
		return f.setAside() // the connections stay open: the last one that closes writes the WAL into the file
	}
	if errors.Is(err, ErrMoved) {
		_, err = f.writer.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	} else {
		err = nil
	}
	return errors.Join(err, f.closeAll())
}

func (f *File) closeAll() error {
	var errs []error
	if f.held != nil {
		errs = append(errs, f.held.Close())
	}
	if f.reader != nil {
		errs = append(errs, f.reader.Close())
	}
	if f.writer != nil {
		errs = append(errs, f.writer.Close())
	}
	return errors.Join(append(errs, f.place.close())...)
}

func (p *place) isSpoiled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spoiled != nil
}

// setAside renames the WAL, so that whoever opens the file next does not mix it
// with what was copied there.
func (f *File) setAside() error {
	aside := f.path + "-wal.aside-" + time.Now().UTC().Format("20060102T150405.000")
	if err := os.Rename(f.path+"-wal", aside); err != nil {
		return fmt.Errorf("set the WAL of %s aside, which does not belong to what was copied there: %w", f.path, err)
	}
	return nil
}
