package journal

import (
	"errors"
	"os"

	"github.com/google/uuid"
)

// maxMemory bounds, in bytes, the frames that memory keeps while the disk
// fails.
const maxMemory = 4 << 20

// writer is the segment files that are open for writing.
type writer struct {
	active  *os.File   // the last segment's; nil: the next write creates a segment
	dirty   []*os.File // files, active or closed to appending, with frames that are not durable
	created bool       // a segment was created since the folder's last fsync
	buf     []byte     // for the frames of one write
}

// write writes the frames of all seqs after numbers.written up to last. On an
// error nothing of them remains.
func (q *queue) write(frames []byte, last uint64) error {
	q.out.buf = frames[:0]
	switch {
	case q.closed:
		return ErrClosed
	case q.unsynced.failed != nil && q.unsynced.bytes()+len(frames) > maxMemory:
		return q.unsynced.failed
	}
	if err := q.writeToSegment(frames); err != nil {
		if q.unsynced.failed == nil {
			return err
		}
		// The disk fails, and is tried every second. Until then the frames stay
		// in memory: rewrite writes them with the others.
		q.abandonFiles(q.unsynced.failed, nil)
		q.unsynced.retry = append(q.unsynced.retry, frames...)
		q.unsynced.retryTo = last
		q.written(frames, last)
		return nil //nolint:nilerr // the record is taken, and the failure reported as a Fault
	}
	q.unsynced.waiting = append(q.unsynced.waiting, frames...)
	q.unsynced.count++
	q.written(frames, last)
	switch q.unsynced.count {
	case 1:
		signal(q.signals.wake)
	case flushAt:
		signal(q.signals.urgent)
	}
	return nil
}

// written notes that frames, which end with seq last, have been taken.
func (q *queue) written(frames []byte, last uint64) {
	q.numbers.last, q.numbers.written, q.numbers.lost = last, last, nil
	q.space.appended += int64(len(frames))
}

// writeToSegment writes frames to the end of the last segment in one write, and
// begins a new segment when that is full. On an error nothing of them remains.
func (q *queue) writeToSegment(frames []byte) error {
	if err := q.prepareSegment(int64(len(frames))); err != nil {
		return err
	}
	f, seg := q.out.active, q.segs.newest()
	if _, err := f.WriteAt(frames, seg.size); err != nil {
		if terr := f.Truncate(seg.size); terr != nil {
			// A later segment overrides what may be there of these seqs.
			q.seal()
		}
		return err
	}
	seg.size += int64(len(frames))
	q.out.markDirty()
	return nil
}

// markDirty adds the active file to those that need an fsync, and reports
// whether it was not among them.
func (w *writer) markDirty() bool {
	if n := len(w.dirty); n > 0 && w.dirty[n-1] == w.active {
		return false
	}
	w.dirty = append(w.dirty, w.active)
	return true
}

// prepareSegment makes sure that there is a segment that takes n more bytes.
func (q *queue) prepareSegment(n int64) error {
	if q.out.active != nil {
		seg := q.segs.newest()
		if seg.size == headerLen || seg.size+n <= q.opts.SegmentBytes {
			return nil
		}
		q.seal()
	}
	return q.addSegment()
}

// seal ends the active segment; its file is closed after its fsync.
func (q *queue) seal() {
	if q.out.active != nil && q.out.markDirty() {
		signal(q.signals.wake)
	}
	q.out.active = nil
}

// addSegment creates the segment that begins with the next seq to be written.
// The folder's fsync comes with the file's.
func (q *queue) addSegment() error {
	list := q.segs.list
	flags := os.O_RDWR | os.O_CREATE | os.O_EXCL
	first := q.numbers.written + 1
	if n := len(list); n > 0 && list[n-1].first == first {
		list = list[:n-1] // created before, without a record
		flags = os.O_RDWR | os.O_CREATE | os.O_TRUNC
	}
	seg := q.newSegment(first)
	f, err := os.OpenFile(seg.path, flags, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(q.header(seg), 0); err != nil {
		f.Close()
		return errors.Join(err, os.Remove(seg.path))
	}
	q.segs.list = append(list[:len(list):len(list)], seg)
	q.out.active, q.out.created = f, true
	return nil
}

// newSegment returns a segment with a header and nothing else.
func (q *queue) newSegment(first uint64) *segment {
	return &segment{first: first, path: segmentPath(q.opts.Dir, first), start: headerLen, size: headerLen,
		age: int64(q.uptime.total)}
}

func (q *queue) header(seg *segment) []byte {
	jid, err := uuid.Parse(q.id.JID)
	if err != nil {
		jid = uuid.Nil // identities are checked when they are read
	}
	return header{jid: jid, first: seg.first, age: seg.age}.append(nil)
}
