package journal

import (
	"fmt"
	"os"
	"slices"
	"time"
)

const (
	flushAfter = 19 * time.Millisecond // from the first record that waits to its fsync: with a timer's slack, 20 ms
	flushAt    = 64                    // so many don't wait any longer
	retryAfter = time.Second           // between attempts on a disk that fails
)

// run is the journal's goroutine: it groups records into fsyncs. Close ends it.
func (j *Journal) run() {
	defer close(j.done)
	for {
		select {
		case <-j.wake:
			j.pause(flushAfter, j.urgent)
		case <-j.urgent:
		case <-j.stop:
			j.flush()
			return
		}
		for !j.flush() {
			if stopped := j.pause(retryAfter, nil); stopped {
				break
			}
		}
	}
}

// pause waits for d, less when hurry is signalled or the journal closes.
func (j *Journal) pause(d time.Duration, hurry <-chan struct{}) (stopped bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-hurry:
	case <-j.stop:
		return true
	}
	return false
}

// flush makes what has been appended durable. When that fails the files are
// never trusted again: the kernel may have dropped what they hold and report
// the next fsync as good. It tells whether all is well.
func (j *Journal) flush() bool {
	j.mu.Lock()
	target, files, made := j.written, j.dirty, j.made
	err := j.broken
	if err == nil {
		j.dirty, j.made, j.waiting = nil, false, 0
		j.flushing, j.unsynced = j.unsynced, j.flushing[:0]
	}
	j.mu.Unlock()

	again := err != nil
	if !again {
		err = j.syncAll(files, made)
	}

	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		for _, f := range files {
			if f != j.active && !slices.Contains(j.dirty, f) {
				f.Close()
			}
		}
		j.flushing = j.flushing[:0]
		j.reached(target)
		return true
	}
	if !again {
		j.giveUp(err, files)
	}
	failure := j.rebuild()
	if failure == nil {
		j.tell(Fault{Err: err, Safe: true})
	} else if !again {
		j.tell(Fault{Err: fmt.Errorf("%w; writing the records again: %w", err, failure)})
	}
	j.reached(j.shelf.durable)
	return failure == nil
}

func (j *Journal) syncAll(files []*os.File, made bool) error {
	for _, f := range files {
		if err := j.opts.Sync(f); err != nil {
			return fmt.Errorf("fsync %s: %w", f.Name(), err)
		}
	}
	if made {
		return syncDir(j.opts.Dir, j.opts.Sync)
	}
	return nil
}

func syncDir(dir string, sync func(*os.File) error) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("fsync %s: %w", dir, err)
	}
	defer d.Close()
	if err := sync(d); err != nil {
		return fmt.Errorf("fsync %s: %w", dir, err)
	}
	return nil
}

// reached tells those who wait how far the journal is durable; mu is held.
func (j *Journal) reached(seq uint64) {
	if seq > j.shelf.durable {
		j.shelf.durable = seq
		signal(j.changed)
	}
	close(j.flushed)
	j.flushed = make(chan struct{})
}

// giveUp ends the use of every file with unsynced records. These are all in
// memory; mu is held.
func (j *Journal) giveUp(err error, files []*os.File) {
	j.unsynced, j.flushing = append(j.flushing, j.unsynced...), j.unsynced[:0]
	if j.active != nil {
		files = append(files, j.active)
	}
	for _, f := range append(files, j.dirty...) {
		f.Close()
	}
	j.active, j.dirty, j.made, j.waiting = nil, nil, false, 0
	j.broken = err
}

// rebuild writes the unsynced records to a new file and makes it durable
// before it takes the place of the segments that held them; mu is held.
func (j *Journal) rebuild() error {
	keep := len(j.shelf.segs)
	for keep > 0 && j.shelf.segs[keep-1].first > j.shelf.durable {
		keep--
	}
	seg := &segment{first: j.shelf.durable + 1, start: headerLen, age: int64(j.age),
		path: segmentPath(j.opts.Dir, j.shelf.durable+1)}
	content := append(j.header(seg), j.unsynced...)
	seg.size = int64(len(content))
	f, err := replace(seg.path, content, j.opts.Sync)
	if err != nil {
		return err
	}
	for _, old := range j.shelf.segs[keep:] {
		if old.path != seg.path {
			// Should it stay, it holds the same records.
			_ = os.Remove(old.path)
		}
	}
	j.shelf.segs = append(j.shelf.segs[:keep:keep], seg)
	j.active, j.broken, j.unsynced = f, nil, j.unsynced[:0]
	j.reached(j.written)
	return nil
}

// tell reports a fault to the log and to whoever listens.
func (j *Journal) tell(f Fault) {
	j.opts.Log.Error("the journal's disk failed", "journal", j.opts.Dir, "safe", f.Safe, "err", f.Err)
	select {
	case j.faults <- f:
	default:
	}
}
