package journal

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
)

// identify keeps the jid, or takes a new one when the journal can't be sure
// that it used every seq of the old one once.
func (j *Journal) identify(rep *Report, idErr error, saved savedState) error {
	q := &j.queue
	rep.Former = q.id.JID
	origin := q.id.Origin
	switch {
	case rep.Created:
		rep.NewJID = "there was no journal"
	case idErr != nil:
		rep.NewJID, rep.Former = "the identity is lost: "+idErr.Error(), saved.JID
		origin = cmp.Or(saved.Origin, saved.JID, q.segs.firstJID())
	case q.id.Host != j.opts.HostID:
		rep.NewJID = "the journal was made on another host"
	case q.numbers.last < q.acked.Through:
		rep.NewJID = fmt.Sprintf("the end is lost: seq %d was acknowledged, the last one here is %d",
			q.acked.Through, q.numbers.last)
	default:
		rep.Former = ""
		return nil
	}
	q.segs.base = min(max(q.segs.base, q.acked.Through), q.numbers.last)
	q.id = newIdentity(j.opts, q.segs.base, rep.NewJID, origin)
	q.acked.Through = 0
	if err := writeSmall(j.opts.Dir, identityFile, q.id, j.opts.Sync); err != nil {
		return err
	}
	return j.save(0)
}

// firstJID returns the jid under which the oldest segment with a valid header
// was created, or "".
func (s *segments) firstJID() string {
	for _, seg := range s.list {
		if b, err := readRange(seg.path, 0, headerLen); err == nil {
			if h, ok := parseHeader(b); ok {
				return h.jid.String()
			}
		}
	}
	return ""
}

// syncExisting makes durable what the agent before wrote. When that fails the
// records are read into memory and written again, as after any failed fsync.
func (j *Journal) syncExisting() {
	q := &j.queue
	q.segs.durable = q.numbers.last
	// Only the last two segments can have been written since the last fsync.
	recent := q.segs.list[max(0, len(q.segs.list)-2):]
	for i, seg := range recent {
		if err := syncPath(seg.path, j.opts.Sync); err != nil {
			q.segs.durable = seg.first - 1
			if seg.first <= q.numbers.written {
				j.retryExisting(recent[i:], fmt.Errorf("fsync %s: %w", seg.path, err))
				return
			}
			if os.Remove(seg.path) == nil { // it is the last, and has no records
				q.segs.list = q.segs.list[:len(q.segs.list)-1]
			}
			break
		}
	}
	if len(recent) > 0 {
		if err := syncDir(j.opts.Dir, j.opts.Sync); err != nil {
			j.opts.Log.Warn("open the journal", "err", err)
		}
	}
}

// retryExisting reads the frames of segments whose fsync failed into memory.
func (j *Journal) retryExisting(list []*segment, failed error) {
	u := &j.queue.unsynced
	for _, seg := range list {
		u.retry = appendFrames(u.retry, seg)
	}
	u.failed, u.broken = failed, failed
	u.retryTo = max(j.queue.numbers.written, j.queue.segs.durable)
	j.report(Fault{Err: failed})
	signal(j.signals.wake)
}

func syncPath(path string, sync func(*os.File) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return sync(f)
}

// appendFrames adds the valid frames of a segment to b.
func appendFrames(b []byte, seg *segment) []byte {
	f, err := os.Open(seg.path)
	if err != nil {
		return b
	}
	defer f.Close()
	s := &scanner{r: f, off: seg.start, limit: seg.size, after: seg.first - 1}
	for {
		f, ok := s.next()
		if !ok {
			return b
		}
		b = appendFrame(b, f.kind, f.seq, bytes.Clone(f.payload))
	}
}
