package journal

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// backStep is how far the wall clock may fall behind the last record before
// that counts as a step back.
const backStep = time.Second

// What a record's time can be. The upper end leaves room to rise in.
var (
	earliest = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2261, 12, 30, 0, 0, 0, 0, time.UTC)
)

// stamp is the time of the last record. Times strictly rise within an era.
type stamp struct {
	at  time.Time
	era uint32
}

// next gives the stamp of a record that is written when the wall clock shows
// wall. It takes the clock as it is: a step back begins a new era instead of
// pushing later times into the future.
func (s stamp) next(wall time.Time) stamp {
	if wall.Before(earliest) {
		wall = earliest
	}
	if wall.After(latest) {
		wall = latest
	}
	switch {
	case s.at.IsZero() || wall.After(s.at):
		return stamp{at: wall, era: s.era}
	case s.at.Sub(wall) > backStep:
		return stamp{at: wall, era: s.era + 1}
	default:
		return stamp{at: s.at.Add(time.Nanosecond), era: s.era}
	}
}

// Append fixes the record (seq, time, era, boot clock) and writes it. When it
// returns the record survives the death of the process; its fsync follows
// within 20 ms. On an error nothing is written and no seq is used: a full disk
// takes records again as soon as it has room, and what the caller gives up goes
// to Lose. A record that is too long fails with ErrTooLong.
func (j *Journal) Append(now clock.Moment, body wire.Body) (wire.Record, error) {
	b, err := wire.EncodeBody(body)
	if err != nil {
		return wire.Record{}, fmt.Errorf("append to the journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now(now)
	if j.sheds(body.Kind()) {
		return wire.Record{}, fmt.Errorf("append %s to the journal %s: %w", body.Kind(), j.opts.Dir, ErrShed)
	}
	t := j.stamp.next(now.Wall)
	r := wire.Record{Seq: j.last + 1, At: wire.At(t.at), Era: t.era, BootNS: now.Boot.Nanoseconds(),
		Unsync: !j.synced.Load(), Kind: body.Kind(), Body: b}
	raw, err := wire.EncodeRecord(r)
	if err != nil {
		return wire.Record{}, fmt.Errorf("append to the journal: %w", err)
	}
	if len(raw) > wire.MaxRecordBytes {
		return wire.Record{}, fmt.Errorf("append %s of %d bytes to the journal: %w: the most is %d",
			r.Kind, len(raw), ErrTooLong, wire.MaxRecordBytes)
	}
	j.scratch = appendFrame(j.lostFrames(j.scratch[:0]), kindRecord, r.Seq, raw)
	err = j.write(r.Seq)
	if err != nil && j.full(err) && !j.sheds(body.Kind()) {
		err = j.write(r.Seq)
	}
	if err != nil {
		return wire.Record{}, fmt.Errorf("append to the journal %s: %w", j.opts.Dir, err)
	}
	j.stamp = t
	return r, nil
}

// Lose gives up a record that could not be appended, and returns the seq that
// it would have had, so that what refers to it can name it. The loss becomes a
// hole in the journal with the next record that can be written, and is noted
// nowhere before.
func (j *Journal) Lose(reason string) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lose(reason, 1)
	return j.last
}

func (j *Journal) lose(reason string, n uint64) {
	from := j.last + 1
	j.last += n
	if i := len(j.lost) - 1; i >= 0 && j.lost[i].Reason == reason {
		j.lost[i] = newHole(j.lost[i].From, j.last, reason)
		return
	}
	j.lost = append(j.lost, newHole(from, j.last, reason))
}

// writeLost writes the holes that wait to be noted; mu is held.
func (j *Journal) writeLost() error {
	if len(j.lost) == 0 {
		return nil
	}
	j.scratch = j.lostFrames(j.scratch[:0])
	return j.write(j.last)
}

func (j *Journal) lostFrames(b []byte) []byte {
	for _, h := range j.lost {
		b = appendHole(b, h)
	}
	return b
}

// write takes scratch, the frames of all seqs after written up to last. On an
// error nothing of it remains. mu is held.
func (j *Journal) write(last uint64) error {
	switch {
	case j.closed:
		return ErrClosed
	case j.failed != nil && len(j.held)+len(j.unsynced)+len(j.scratch) > maxHeld:
		return j.failed
	}
	if err := j.put(); err != nil {
		if j.failed == nil {
			return err
		}
		// The disk fails, and is tried every second. Until then memory keeps
		// what it does not even take: rebuild writes it with the rest.
		j.giveUp(j.failed, nil)
		j.held = append(j.held, j.scratch...)
		j.took(last)
		j.heldTo = last
		return nil //nolint:nilerr // it is taken, and Faults tells
	}
	j.unsynced = append(j.unsynced, j.scratch...)
	j.took(last)
	j.waiting++
	switch j.waiting {
	case 1:
		signal(j.wake)
	case flushAt:
		signal(j.urgent)
	}
	return nil
}

// put writes scratch to the end of the journal in one write, and begins a new
// segment when there is need. On an error nothing of it remains. mu is held.
func (j *Journal) put() error {
	if err := j.ready(int64(len(j.scratch))); err != nil {
		return err
	}
	seg := j.shelf.segs[len(j.shelf.segs)-1]
	if _, err := j.active.WriteAt(j.scratch, seg.size); err != nil {
		if cut := j.active.Truncate(seg.size); cut != nil {
			// What remains is hidden by the next segment, which begins with
			// the same seq.
			j.seal()
		}
		return err
	}
	seg.size += int64(len(j.scratch))
	if n := len(j.dirty); n == 0 || j.dirty[n-1] != j.active {
		j.dirty = append(j.dirty, j.active)
	}
	return nil
}

// maxHeld bounds, in bytes, what memory keeps while the disk fails.
const maxHeld = 4 << 20

// took notes that scratch, the frames up to last, has been taken; mu is held.
func (j *Journal) took(last uint64) {
	j.last, j.written, j.lost = last, last, nil
	j.space.appended += int64(len(j.scratch))
}

// ready makes sure that there is a segment with room for n more bytes.
func (j *Journal) ready(n int64) error {
	if j.active != nil {
		seg := j.shelf.segs[len(j.shelf.segs)-1]
		if seg.size == headerLen || seg.size+n <= j.opts.SegmentBytes {
			return nil
		}
		j.seal()
	}
	return j.addSegment()
}

// seal ends the active segment; the fsync closes its file.
func (j *Journal) seal() {
	if n := len(j.dirty); j.active != nil && (n == 0 || j.dirty[n-1] != j.active) {
		j.dirty = append(j.dirty, j.active)
		signal(j.wake)
	}
	j.active = nil
}

// addSegment makes the segment that begins with the next seq to be written. The folder's
// fsync comes with the file's.
func (j *Journal) addSegment() error {
	segs := j.shelf.segs
	flags := os.O_RDWR | os.O_CREATE | os.O_EXCL
	if n := len(segs); n > 0 && segs[n-1].first == j.written+1 {
		segs = segs[:n-1] // it was made and has no record
		flags = os.O_RDWR | os.O_CREATE | os.O_TRUNC
	}
	seg := &segment{first: j.written + 1, path: segmentPath(j.opts.Dir, j.written+1), start: headerLen,
		size: headerLen, age: int64(j.age)}
	f, err := os.OpenFile(seg.path, flags, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(j.header(seg), 0); err != nil {
		f.Close()
		return errors.Join(err, os.Remove(seg.path))
	}
	j.shelf.segs = append(segs[:len(segs):len(segs)], seg)
	j.active, j.made = f, true
	return nil
}

func (j *Journal) header(seg *segment) []byte {
	jid, err := uuid.Parse(j.id.JID)
	if err != nil {
		jid = uuid.Nil // identities are checked when they are read
	}
	return header{jid: jid, first: seg.first, age: seg.age}.append(nil)
}
