package journal

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

const (
	flushAfter = 19 * time.Millisecond // from the first waiting record to its fsync: 20 ms with a timer's delay
	flushAt    = 64                    // this many waiting records are flushed at once
	retryAfter = time.Second           // between attempts on a disk that fails
)

// unsynced is the frames that are not durable yet. Memory keeps them, because
// a file whose fsync has failed may have lost them. In order of seq they are
// retry, flushing, waiting.
type unsynced struct {
	retry    []byte // from durable+1 to retryTo: their fsync failed, they must be written again
	retryTo  uint64
	flushing []byte // their fsync is under way
	waiting  []byte // for the next fsync
	count    int    // frames in waiting

	failed  error         // of the fsync that moved frames to retry; nil: there are none
	broken  error         // the same, once writing them again has failed too
	flushed chan struct{} // closed and replaced after every fsync
}

// bytes returns the size of the frames that are not being flushed.
func (u *unsynced) bytes() int { return len(u.retry) + len(u.waiting) }

// run is the goroutine that makes records durable, several with one fsync.
func (j *Journal) run() {
	for {
		select {
		case <-j.signals.wake:
			j.pause(flushAfter, j.signals.urgent)
		case <-j.signals.urgent:
		case <-j.signals.stop:
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

// pause waits for d, or less when hurry is signalled or the journal closes.
func (j *Journal) pause(d time.Duration, hurry <-chan struct{}) (stopped bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-hurry:
	case <-j.signals.stop:
		return true
	}
	return false
}

// flush makes durable what has been appended, and reports whether it is. It
// holds no lock during an fsync, so that appending never waits for one. A file
// whose fsync has failed is never used again: the kernel may have dropped its
// pages and report the next fsync as good. Its records are first written to
// another file.
func (j *Journal) flush() bool {
	j.mu.Lock()
	failed, reported := j.queue.unsynced.failed, j.queue.unsynced.broken != nil
	j.mu.Unlock()
	if failed == nil {
		if failed = j.syncGroup(); failed == nil {
			return true
		}
	}
	if err := j.rewrite(); err != nil {
		if !reported {
			j.report(Fault{Err: fmt.Errorf("%w; writing the records again: %w", failed, err)})
		}
		return false
	}
	j.report(Fault{Err: failed, Safe: true})
	return j.syncGroup() == nil // what was appended meanwhile
}

// report sends a fault to the log and to Faults.
func (j *Journal) report(f Fault) {
	j.opts.Log.Error("the journal's disk failed", "journal", j.opts.Dir, "safe", f.Safe, "err", f.Err)
	select {
	case j.signals.faults <- f:
	default:
	}
}

// group is the files that one group of records needs fsynced.
type group struct {
	last   uint64 // durable up to here afterwards
	files  []*os.File
	folder bool // and the journal's folder
}

// syncGroup makes the waiting records durable: one fsync a file. When one
// fails the records move to unsynced.retry.
func (j *Journal) syncGroup() error {
	g, err := j.beginGroup()
	if err != nil {
		return err
	}
	err = j.sync(g)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.queue.abandonFiles(err, g.files)
		return err
	}
	j.queue.endGroup(g)
	return nil
}

func (j *Journal) beginGroup() (group, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	u, out := &j.queue.unsynced, &j.queue.out
	if u.failed != nil {
		return group{}, u.failed
	}
	g := group{last: j.queue.numbers.written, files: out.dirty, folder: out.created}
	out.dirty, out.created = nil, false
	u.flushing, u.waiting, u.count = u.waiting, u.flushing[:0], 0
	return g, nil
}

func (j *Journal) sync(g group) error {
	for _, f := range g.files {
		if err := j.opts.Sync(f); err != nil {
			return fmt.Errorf("fsync %s: %w", f.Name(), err)
		}
	}
	if g.folder {
		return syncDir(j.opts.Dir, j.opts.Sync)
	}
	return nil
}

// endGroup closes the files that are no longer written to.
func (q *queue) endGroup(g group) {
	for _, f := range g.files {
		if f != q.out.active && !slices.Contains(q.out.dirty, f) {
			f.Close()
		}
	}
	q.unsynced.flushing = q.unsynced.flushing[:0]
	q.setDurable(g.last)
}

// setDurable notes that the journal is durable up to seq, and wakes everybody
// who waits for an fsync.
func (q *queue) setDurable(seq uint64) {
	if seq > q.segs.durable {
		q.segs.durable = seq
		signal(q.signals.changed)
	}
	close(q.unsynced.flushed)
	q.unsynced.flushed = make(chan struct{})
}

// abandonFiles closes files and every other one with unsynced frames: memory
// keeps these until rewrite has written them again. What is appended from now
// on begins a new segment.
func (q *queue) abandonFiles(err error, files []*os.File) {
	u, out := &q.unsynced, &q.out
	u.retry = append(append(u.retry, u.flushing...), u.waiting...)
	u.flushing, u.waiting, u.count = u.flushing[:0], u.waiting[:0], 0
	u.retryTo, u.failed = q.numbers.written, err
	if out.active != nil {
		files = append(files, out.active)
	}
	for _, f := range append(files, out.dirty...) {
		f.Close()
	}
	out.active, out.dirty, out.created = nil, nil, false
}

// Sync forces the fsync and returns when everything appended before the call is
// durable. It fails when the disk does; the journal then keeps trying.
func (j *Journal) Sync(ctx context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	q := &j.queue
	for target := q.numbers.written; q.segs.durable < target; {
		err := q.unsynced.broken
		if err == nil && q.closed {
			err = ErrClosed
		}
		if err == nil {
			err = j.awaitFsync(ctx)
		}
		if err != nil {
			return fmt.Errorf("sync the journal %s: %w", j.opts.Dir, err)
		}
	}
	return nil
}

// awaitFsync returns after the next fsync. The caller holds mu, which is
// released meanwhile.
func (j *Journal) awaitFsync(ctx context.Context) error {
	flushed := j.queue.unsynced.flushed
	j.mu.Unlock()
	defer j.mu.Lock()
	signal(j.signals.urgent)
	select {
	case <-flushed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
