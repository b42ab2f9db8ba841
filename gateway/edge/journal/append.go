package journal

import (
	"fmt"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// backStep is how far the wall clock may be behind the last record before that
// counts as a step back.
const backStep = time.Second

// The times that a record can have. Times can still rise beyond latest before
// they can't be encoded.
var (
	earliest = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2261, 12, 30, 0, 0, 0, 0, time.UTC)
)

// timestamp is the time of a record. Times strictly rise within an era.
type timestamp struct {
	at  time.Time
	era uint32
}

// next returns the timestamp of the record after t when the wall clock shows
// wall. The clock is taken as it is: a step back begins a new era instead of
// pushing later times into the future.
func (t timestamp) next(wall time.Time) timestamp {
	if wall.Before(earliest) {
		wall = earliest
	}
	if wall.After(latest) {
		wall = latest
	}
	switch {
	case t.at.IsZero() || wall.After(t.at):
		return timestamp{at: wall, era: t.era}
	case t.at.Sub(wall) > backStep:
		return timestamp{at: wall, era: t.era + 1}
	default:
		return timestamp{at: t.at.Add(time.Nanosecond), era: t.era}
	}
}

// numbering is the state from which seqs and times follow.
type numbering struct {
	last    uint64      // newest seq in use, written or lost
	written uint64      // newest seq written
	lost    []wire.Hole // from written+1 to last: lost records whose holes are not yet written
	time    timestamp   // of the last record
}

// Append completes the record with seq, time, era and boot clock, and writes
// it. When it returns, the record survives the death of the process; its fsync
// follows within 20 ms. On an error nothing is written and no seq is used: a
// full disk takes records again as soon as it has space, and the caller reports
// with Lose that it does not retry. A record that is too long fails with
// ErrTooLong, a kind that is shed at present with ErrShed.
func (j *Journal) Append(now clock.Moment, body wire.Body) (wire.Record, error) {
	b, err := wire.EncodeBody(body)
	if err != nil {
		return wire.Record{}, fmt.Errorf("append to the journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	q := &j.queue
	q.uptime.advance(now)
	if q.space.sheds(body.Kind()) {
		return wire.Record{}, fmt.Errorf("append %s to the journal %s: %w", body.Kind(), j.opts.Dir, ErrShed)
	}
	t := q.numbers.time.next(now.Wall)
	r := wire.Record{Seq: q.numbers.last + 1, At: wire.At(t.at), Era: t.era, BootNS: now.Boot.Nanoseconds(),
		Unsync: !j.synced.Load(), Kind: body.Kind(), Body: b}
	raw, err := wire.EncodeRecord(r)
	if err != nil {
		return wire.Record{}, fmt.Errorf("append to the journal: %w", err)
	}
	if len(raw) > wire.MaxRecordBytes {
		return wire.Record{}, fmt.Errorf("append %s of %d bytes to the journal: %w: the most is %d",
			r.Kind, len(raw), ErrTooLong, wire.MaxRecordBytes)
	}
	frames := appendFrame(q.lostFrames(), kindRecord, r.Seq, raw)
	err = q.write(frames, r.Seq)
	if err != nil && q.releaseBallast(err) && !q.space.sheds(r.Kind) {
		err = q.write(frames, r.Seq)
	}
	if err != nil {
		return wire.Record{}, fmt.Errorf("append to the journal %s: %w", j.opts.Dir, err)
	}
	q.numbers.time = t
	return r, nil
}

// Lose counts a record that could not be appended as lost, and returns the seq
// that it would have had, so that other records can refer to it. The journal
// writes the hole together with the next record that it can write; until then
// the loss is in memory only.
func (j *Journal) Lose(reason string) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.queue.numbers.lose(reason, 1)
	return j.queue.numbers.last
}

// lose adds n lost records.
func (x *numbering) lose(reason string, n uint64) {
	from := x.last + 1
	x.last += n
	if i := len(x.lost) - 1; i >= 0 && x.lost[i].Reason == reason {
		x.lost[i] = newHole(x.lost[i].From, x.last, reason)
		return
	}
	x.lost = append(x.lost, newHole(from, x.last, reason))
}

// writeLost writes the holes of lost records.
func (q *queue) writeLost() error {
	if len(q.numbers.lost) == 0 {
		return nil
	}
	return q.write(q.lostFrames(), q.numbers.last)
}

// lostFrames returns the frames of lost records, in the buffer for frames.
func (q *queue) lostFrames() []byte {
	b := q.out.buf[:0]
	for _, h := range q.numbers.lost {
		b = appendHole(b, h)
	}
	return b
}
