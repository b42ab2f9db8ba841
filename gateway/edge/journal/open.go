package journal

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/clock"
)

// Report is what Open found.
type Report struct {
	Created   bool     // there was no journal: an empty one was made
	NewJID    string   // why the journal has a jid that it had not before, or ""
	Former    string   // the jid before, when it is known
	StateLost string   // why watermark and trusted store are not known, or ""
	TornBytes int64    // cut off the end of the journal
	Damaged   []Damage // what is damaged among unacknowledged records and was not known
}

// Open opens the journal in o.Dir and makes it when there is none. Whatever is
// damaged is reported and stepped over; Open fails only when the folder can't
// be used at all: with ErrLocked, or when files can't be made or read there.
func Open(o Options, now clock.Moment) (*Journal, Report, error) {
	o.Keep = cmp.Or(o.Keep, 7*24*time.Hour)
	if o.Sync == nil {
		o.Sync = (*os.File).Sync
	}
	if o.DiskSpace == nil {
		o.DiskSpace = statfs
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, Report{}, fmt.Errorf("make the journal: %w", err)
	}
	lock, err := takeLock(o.Dir)
	if err != nil {
		return nil, Report{}, err
	}
	j := &Journal{opts: o, lock: lock, changed: make(chan struct{}, 1), faults: make(chan Fault, 8),
		wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1), short: make(chan struct{}, 1), stop: make(chan struct{}),
		flushed: make(chan struct{}), bare: reader{bare: true}, boot: now.Boot, savedAt: now.Boot}
	j.measure()
	var rep Report
	if err := j.load(&rep); err != nil {
		lock.Close()
		return nil, rep, fmt.Errorf("open the journal %s: %w", o.Dir, err)
	}
	j.loops.Go(j.run)
	j.loops.Go(j.trim)
	return j, rep, nil
}

// load finds out what is there. Nothing else uses the journal yet.
func (j *Journal) load(rep *Report) error {
	removeLeftovers(j.opts.Dir)
	id, idErr := readIdentity(j.opts.Dir)
	saved, stateErr := readSmall[savedState](j.opts.Dir, stateFile)
	segs, err := listSegments(j.opts.Dir)
	if err != nil {
		return err
	}
	j.shelf.segs = segs
	missing := errors.Is(idErr, fs.ErrNotExist) && errors.Is(stateErr, fs.ErrNotExist)
	rep.Created = missing && len(segs) == 0
	if stateErr != nil && !rep.Created {
		rep.StateLost = stateErr.Error()
		if len(segs) > 0 {
			saved.Trimmed = segs[0].first - 1 // most likely
		}
	}
	if idErr == nil && saved.JID != id.JID {
		saved.Through = 0 // of the jid before
	}
	j.id, j.state, j.shelf.base, j.shelf.trimmed = id, saved.state(), id.Base, saved.Trimmed
	j.takeAges(time.Duration(saved.AgeNS))
	if err := j.lookThrough(rep); err != nil {
		return err
	}
	if err := j.identify(rep, idErr, saved); err != nil {
		return err
	}
	j.settle()
	if err := j.writeLost(); err != nil {
		j.opts.Log.Warn("note the torn end of the journal", "err", err)
	}
	j.flush() // so that Durable is right from the start; run tries again
	return nil
}

func removeLeftovers(dir string) {
	// A pattern without brackets is never bad, and what can't be removed will
	// be overwritten.
	left, _ := filepath.Glob(filepath.Join(dir, "*"+freshSuffix))
	for _, path := range left {
		_ = os.Remove(path)
	}
}

// takeAges lets the journal go on ageing. A segment whose header is damaged
// counts as young as the one after it.
func (j *Journal) takeAges(saved time.Duration) {
	j.age = saved
	for _, seg := range j.shelf.segs {
		j.age = max(j.age, time.Duration(seg.age))
	}
	after := int64(j.age)
	for i := len(j.shelf.segs) - 1; i >= 0; i-- {
		seg := j.shelf.segs[i]
		if seg.start == 0 {
			seg.age = after
		}
		after = seg.age
	}
}

// lookThrough reads the segments with unacknowledged records and the last one.
// It gives up the records that the torn end can have held.
func (j *Journal) lookThrough(rep *Report) error {
	segs := j.shelf.segs
	through := max(j.state.Through, j.shelf.base)
	begin := len(segs) - 1
	for begin > 0 && segs[begin].first-1 > through {
		begin--
	}
	var record []byte
	var end Damage
	for i := max(begin, 0); i < len(segs); i++ {
		next := uint64(0)
		if i+1 < len(segs) {
			next = segs[i+1].first
		}
		found, err := survey(segs[i], next)
		if err != nil {
			return err
		}
		for _, d := range found.damaged {
			j.note(rep, d)
		}
		if found.record != nil {
			record = found.record
		}
		j.last, end = found.last, found.torn
	}
	j.written = j.last
	j.stamp = lastStamp(segs[:max(begin, 0)], record)
	rep.TornBytes = end.Bytes
	if end.Bytes == 0 {
		return nil
	}
	b, err := readRange(end.File, end.Offset, end.Bytes)
	if err != nil {
		b = make([]byte, end.Bytes) // unreadable: the worst is assumed
	}
	if _, err := quarantine(j.opts.Dir, end); err != nil {
		j.opts.Log.Warn("keep a copy of the journal's torn end", "err", err)
	}
	j.lose(ReasonTorn, tornRecords(b))
	return nil
}

// note reports damage that has not been met before and keeps its bytes.
func (j *Journal) note(rep *Report, d Damage) {
	fresh, err := quarantine(j.opts.Dir, d)
	if err != nil {
		j.opts.Log.Warn("keep a copy of damaged records", "err", err)
	}
	if fresh {
		rep.Damaged = append(rep.Damaged, d)
	}
}

// identify settles the jid: a new one when the journal can't vouch for having
// given every seq of the old one once.
func (j *Journal) identify(rep *Report, idErr error, saved savedState) error {
	rep.Former = j.id.JID
	origin := j.id.Origin
	switch {
	case rep.Created:
		rep.NewJID = "there was no journal"
	case idErr != nil:
		rep.NewJID, rep.Former = "the identity is lost: "+idErr.Error(), saved.JID
		origin = cmp.Or(saved.Origin, saved.JID, j.firstJID())
	case j.id.Host != j.opts.HostID:
		rep.NewJID = "the journal was made on another host"
	case j.last < j.state.Through:
		rep.NewJID = fmt.Sprintf("the end is lost: seq %d was acknowledged, the last one here is %d", j.state.Through, j.last)
	default:
		rep.Former = ""
		return nil
	}
	j.shelf.base = min(max(j.shelf.base, j.state.Through), j.last)
	j.id = newIdentity(j.opts, j.shelf.base, rep.NewJID, origin)
	j.state.Through = 0
	if err := writeSmall(j.opts.Dir, identityFile, j.id, j.opts.Sync); err != nil {
		return err
	}
	return j.save(0)
}

// firstJID is the jid that the oldest sound segment was made under; "" when
// there is none.
func (j *Journal) firstJID() string {
	for _, seg := range j.shelf.segs {
		if b, err := readRange(seg.path, 0, headerLen); err == nil {
			if h, ok := parseHeader(b); ok {
				return h.jid.String()
			}
		}
	}
	return ""
}

// settle makes durable what the last agent wrote. Where that fails the records
// are taken into memory and written again as after any failed fsync.
func (j *Journal) settle() {
	j.shelf.durable = j.last
	n := len(j.shelf.segs)
	// Only the last two can have been written within one fsync's time.
	for _, seg := range j.shelf.segs[max(0, n-2):] {
		err := syncPath(seg.path, j.opts.Sync)
		if err == nil {
			continue
		}
		j.shelf.durable = seg.first - 1
		if seg.first > j.written { // it has no records
			if os.Remove(seg.path) == nil {
				j.shelf.segs = j.shelf.segs[:n-1]
			}
			break
		}
		for _, rest := range j.shelf.segs[max(0, n-2):] {
			if rest.first >= seg.first {
				j.held = appendFrames(j.held, rest)
			}
		}
		j.failed = fmt.Errorf("fsync %s: %w", seg.path, err)
		j.broken, j.heldTo = j.failed, max(j.written, j.shelf.durable)
		j.tell(Fault{Err: j.broken})
		signal(j.wake)
		return
	}
	if n > 0 {
		if err := syncDir(j.opts.Dir, j.opts.Sync); err != nil {
			j.opts.Log.Warn("open the journal", "err", err)
		}
	}
}

func syncPath(path string, sync func(*os.File) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return sync(f)
}

// appendFrames adds the sound frames of a segment to b.
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
