package journal

import (
	"fmt"
	"os"
	"slices"
	"sort"
	"time"
)

const (
	flushAfter = 19 * time.Millisecond // from the first record that waits to its fsync: with a timer's slack, 20 ms
	flushAt    = 64                    // so many don't wait any longer
	retryAfter = time.Second           // between attempts on a disk that fails
)

// run is the journal's goroutine: it groups records into fsyncs. Close ends it.
func (j *Journal) run() {
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

// flush makes what has been appended durable, and reports whether all is well.
// No lock is held while an fsync is under way, so that appending never waits
// for one. After a failed fsync the files are never trusted again: the kernel
// may have dropped what they hold and report the next fsync as good. Their
// records are written to another file first.
func (j *Journal) flush() bool {
	j.mu.Lock()
	failed, told := j.failed, j.broken != nil
	j.mu.Unlock()
	if failed == nil {
		if failed = j.group(); failed == nil {
			return true
		}
	}
	if err := j.rebuild(); err != nil {
		if !told {
			j.tell(Fault{Err: fmt.Errorf("%w; writing the records again: %w", failed, err)})
		}
		return false
	}
	j.tell(Fault{Err: failed, Safe: true})
	return j.group() == nil // what was appended meanwhile
}

// group makes the records that wait durable: one fsync a file. When one fails
// they go to held.
func (j *Journal) group() error {
	j.mu.Lock()
	if j.failed != nil {
		defer j.mu.Unlock()
		return j.failed
	}
	target, files, made := j.written, j.dirty, j.made
	j.dirty, j.made, j.waiting = nil, false, 0
	j.flushing, j.unsynced = j.unsynced, j.flushing[:0]
	j.mu.Unlock()

	err := j.syncAll(files, made)

	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.giveUp(err, files)
		return err
	}
	for _, f := range files {
		if f != j.active && !slices.Contains(j.dirty, f) {
			f.Close()
		}
	}
	j.flushing = j.flushing[:0]
	j.reached(target)
	return nil
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

// giveUp ends the use of every file with unsynced records: memory holds these
// until rebuild has written them again. What is appended from now on begins a
// new segment. mu is held.
func (j *Journal) giveUp(err error, files []*os.File) {
	j.held = append(append(j.held, j.flushing...), j.unsynced...)
	j.flushing, j.unsynced = j.flushing[:0], j.unsynced[:0]
	j.heldTo, j.failed = j.written, err
	if j.active != nil {
		files = append(files, j.active)
	}
	for _, f := range append(files, j.dirty...) {
		f.Close()
	}
	j.active, j.dirty, j.made, j.waiting = nil, nil, false, 0
}

// rebuild writes the records in held to a new file, which takes the place of
// the segments that held them when it is durable. Segments with later records
// stay as they are, and grow meanwhile.
func (j *Journal) rebuild() error {
	j.mu.Lock()
	from, to, frames := j.shelf.durable+1, j.heldTo, j.held
	seg := &segment{first: from, start: headerLen, age: int64(j.age), path: segmentPath(j.opts.Dir, from)}
	content := j.header(seg)
	var stale []string
	for _, old := range j.shelf.segs {
		if old.first > from && old.first <= to {
			stale = append(stale, old.path)
		}
	}
	j.mu.Unlock()

	content = append(content, frames...) // what is added to held meanwhile comes after them
	seg.size = int64(len(content))
	f, err := replace(seg.path, content, j.opts.Sync, stale...)

	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.broken = j.failed
		j.reached(j.shelf.durable)
		return err
	}
	earlier := sort.Search(len(j.shelf.segs), func(i int) bool { return j.shelf.segs[i].first >= from })
	later := sort.Search(len(j.shelf.segs), func(i int) bool { return j.shelf.segs[i].first > to })
	if later == len(j.shelf.segs) {
		j.active = f
	} else {
		f.Close()
	}
	j.shelf.segs = slices.Concat(j.shelf.segs[:earlier], []*segment{seg}, j.shelf.segs[later:])
	j.broken = nil
	if j.held = j.held[len(frames):]; len(j.held) == 0 {
		j.failed, j.held = nil, nil
	}
	j.reached(to)
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
