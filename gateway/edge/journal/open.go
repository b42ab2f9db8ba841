package journal

import (
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
	Created   bool     // there was no journal: an empty one was created
	NewJID    string   // why the journal has a new jid, or ""
	Former    string   // the jid before, when it is known
	StateLost string   // why watermark and trusted store are not known, or ""
	TornBytes int64    // cut off the end of the journal
	Damaged   []Damage // among unacknowledged records, not reported before
}

// Open opens the journal in o.Dir and creates it when there is none. It reports
// and skips whatever is damaged, and fails only when the folder can't be used:
// with ErrLocked, or when files can't be created or read there.
func Open(o Options, now clock.Moment) (*Journal, Report, error) {
	o = o.withDefaults()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, Report{}, fmt.Errorf("create the journal: %w", err)
	}
	lock, err := takeLock(o.Dir)
	if err != nil {
		return nil, Report{}, err
	}
	j := &Journal{opts: o, lock: lock, signals: newSignals(), rawReader: reader{raw: true}, savedAt: now.Boot}
	j.queue.opts, j.queue.signals = &j.opts, &j.signals
	j.queue.unsynced.flushed = make(chan struct{})
	j.queue.uptime.boot = now.Boot
	j.fitToDisk()
	var rep Report
	if err := j.load(&rep); err != nil {
		lock.Close()
		return nil, rep, fmt.Errorf("open the journal %s: %w", o.Dir, err)
	}
	j.loops.Go(j.run)
	j.loops.Go(j.trim)
	return j, rep, nil
}

func (o Options) withDefaults() Options {
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
	return o
}

// load reads what is in the folder. It takes no lock where nothing else uses
// the journal yet.
func (j *Journal) load(rep *Report) error {
	removeLeftovers(j.opts.Dir)
	id, idErr := readIdentity(j.opts.Dir)
	saved, stateErr := readSmall[savedState](j.opts.Dir, stateFile)
	list, err := listSegments(j.opts.Dir)
	if err != nil {
		return err
	}
	missing := errors.Is(idErr, fs.ErrNotExist) && errors.Is(stateErr, fs.ErrNotExist)
	rep.Created = missing && len(list) == 0
	if stateErr != nil && !rep.Created {
		rep.StateLost = stateErr.Error()
		if len(list) > 0 {
			saved.Trimmed = list[0].first - 1 // most likely
		}
	}
	if idErr == nil && saved.JID != id.JID {
		saved.Through = 0 // it belongs to the jid before
	}
	q := &j.queue
	q.id, q.acked = id, saved.state()
	q.segs = segments{list: list, base: id.Base, trimmed: saved.Trimmed}
	q.uptime.total = uptimeOf(list, time.Duration(saved.AgeNS))
	if err := j.surveyEnd(rep); err != nil {
		return err
	}
	if err := j.identify(rep, idErr, saved); err != nil {
		return err
	}
	j.syncExisting()
	if err := q.writeLost(); err != nil {
		j.opts.Log.Warn("write the hole of the journal's torn end", "err", err)
	}
	j.flush() // so that Durable is right from the start; if it fails, run tries again
	return nil
}

func removeLeftovers(dir string) {
	// The pattern is valid, and a file that can't be removed will be overwritten.
	left, _ := filepath.Glob(filepath.Join(dir, "*"+freshSuffix))
	for _, path := range left {
		_ = os.Remove(path)
	}
}

// uptimeOf returns the journal's uptime: the saved one, or a later one found in
// a segment. A segment whose header is damaged gets the age of the one after it.
func uptimeOf(list []*segment, saved time.Duration) time.Duration {
	total := saved
	for _, seg := range list {
		total = max(total, time.Duration(seg.age))
	}
	after := int64(total)
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].start == 0 {
			list[i].age = after
		}
		after = list[i].age
	}
	return total
}

// surveyEnd reads the last segment and those with unacknowledged records, finds
// the last seq and time, and counts the records that a torn end can have held as
// lost.
func (j *Journal) surveyEnd(rep *Report) error {
	q := &j.queue
	list := q.segs.list
	through := max(q.acked.Through, q.segs.base)
	begin := max(len(list)-1, 0)
	for begin > 0 && list[begin].first-1 > through {
		begin--
	}
	var record []byte
	var end Damage
	for i := begin; i < len(list); i++ {
		next := uint64(0)
		if i+1 < len(list) {
			next = list[i+1].first
		}
		found, err := survey(list[i], next)
		if err != nil {
			return err
		}
		for _, d := range found.damaged {
			j.keepDamage(rep, d)
		}
		if found.record != nil {
			record = found.record
		}
		q.numbers.last, end = found.last, found.torn
	}
	q.numbers.written = q.numbers.last
	q.numbers.time = lastTime(list[:begin], record)
	rep.TornBytes = end.Bytes
	if end.Bytes > 0 {
		q.numbers.lose(ReasonTorn, j.keepTorn(end))
	}
	return nil
}

// keepDamage keeps a copy of damaged bytes, and reports the damage when it is
// new.
func (j *Journal) keepDamage(rep *Report, d Damage) {
	fresh, err := quarantine(j.opts.Dir, d)
	if err != nil {
		j.opts.Log.Warn("keep a copy of damaged records", "err", err)
	}
	if fresh {
		rep.Damaged = append(rep.Damaged, d)
	}
}

// keepTorn keeps a copy of the torn end, and returns the most records that it
// can have held.
func (j *Journal) keepTorn(end Damage) uint64 {
	b, err := readRange(end.File, end.Offset, end.Bytes)
	if err != nil {
		b = make([]byte, end.Bytes) // unreadable: the worst is assumed
	}
	if _, err := quarantine(j.opts.Dir, end); err != nil {
		j.opts.Log.Warn("keep a copy of the journal's torn end", "err", err)
	}
	return tornRecords(b)
}
