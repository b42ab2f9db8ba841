package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// ErrShed means that records of this kind are not kept while the disk has so
// little space. The caller reports the loss with Lose.
var ErrShed = errors.New("the disk has too little space for records of this kind")

// Level is how short of space the journal's disk is, and what the journal does
// about it. Each level includes those before it.
type Level int

// Readings, passages and runs are kept until the disk takes nothing more;
// alarms and what guards answered then use the ballast.
const (
	Plenty     Level = iota
	ShedTail         // acknowledged records are removed before Options.Keep is over
	ShedHealth       // device health is not kept
	ShedTracks       // tracks of machines are not kept
	OnlyAlarms       // nothing is kept but alarms and audits
)

// Space is the space on the journal's disk.
type Space struct {
	Level  Level
	Free   int64         // bytes that can still be written, besides the ballast
	FullIn time.Duration // if nothing is acknowledged and records come as in the last minutes; 0: not known
}

const (
	ballastFile  = "ballast"
	leastReserve = 512 << 10 // bytes, on the smallest disk
	mostReserve  = 64 << 20
	leastSegment = 128 << 10
	rateOver     = 10 * time.Minute // the rate is taken over this time at least, when so much has passed
	rateAfter    = time.Minute      // before that the rate is not known
)

// diskSpace is what the journal knows of its disk.
type diskSpace struct {
	reserve  int64 // bytes; with less free space shedding begins
	level    Level
	free     int64
	appended int64    // bytes since Open
	since    [2]usage // the rate is counted from the first; the second replaces it after rateOver
	fullIn   time.Duration
}

// usage is how much had been appended at a time.
type usage struct {
	boot  time.Duration
	bytes int64
}

// statfs returns the bytes that may still be written at dir, and its disk's
// size.
func statfs(dir string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	block := int64(st.Bsize) //nolint:unconvert // 32 bits wide on a gate computer's arm
	return int64(st.Bavail) * block, int64(st.Blocks) * block, nil
}

// fitToDisk chooses the reserve and, unless it is given, the size of segments
// by the size of the disk.
func (j *Journal) fitToDisk() {
	_, total, err := j.opts.DiskSpace(j.opts.Dir)
	if err != nil {
		total = 1 << 40
	}
	j.queue.space.reserve = min(max(total/8, leastReserve), mostReserve)
	if j.opts.SegmentBytes == 0 {
		j.opts.SegmentBytes = min(max(total/16, leastSegment), 8<<20)
	}
}

// ballast is the size of the ballast file in bytes.
func (d *diskSpace) ballast() int64 { return d.reserve / 8 }

func (d *diskSpace) space() Space { return Space{d.level, d.free, d.fullIn} }

// CheckSpace looks at the disk and chooses the level; the agent calls it every
// second. When space is short it starts the removal of acknowledged records and
// does not wait for it. It also keeps the ballast: a file that is removed when
// nothing can be written any more, so that alarms still can.
func (j *Journal) CheckSpace(now clock.Moment) Space {
	free, _, err := j.opts.DiskSpace(j.opts.Dir)
	space, changed, closed := j.setFree(now, free, err)
	if err != nil || closed {
		return space
	}
	if changed {
		j.opts.Log.Warn("free space of the journal's disk",
			"level", space.Level, "free_bytes", free, "journal", j.opts.Dir)
	}
	if space.Level < OnlyAlarms {
		j.makeBallast()
	}
	if space.Level >= ShedTail {
		signal(j.signals.trim)
	}
	return space
}

// setFree changes nothing when the free space isn't known because of err.
func (j *Journal) setFree(now clock.Moment, free int64, err error) (space Space, changed, closed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	d := &j.queue.space
	before := d.level
	if err == nil && !j.queue.closed {
		d.free = free
		d.level = d.judge(free)
		d.project(now.Boot)
	}
	return d.space(), d.level != before, j.queue.closed
}

// trim is the goroutine that removes acknowledged records when space is short.
// It may wait for readers and fsyncs, so that CheckSpace need not.
func (j *Journal) trim() {
	for {
		select {
		case <-j.signals.stop:
			return
		case <-j.signals.trim:
		}
		j.fileMu.Lock()
		if n := j.countAcknowledged(); n > 0 {
			if err := j.save(n); err != nil {
				j.opts.Log.Warn("remove acknowledged records", "journal", j.opts.Dir, "err", err)
			}
		}
		j.fileMu.Unlock()
	}
}

// judge returns the level for so many free bytes. OnlyAlarms lasts until the
// ballast fits twice.
func (d *diskSpace) judge(free int64) Level {
	switch {
	case d.level == OnlyAlarms && free < 2*d.ballast():
		return OnlyAlarms
	case free < d.reserve/4:
		return ShedTracks
	case free < d.reserve/2:
		return ShedHealth
	case free < d.reserve:
		return ShedTail
	}
	return Plenty
}

// project estimates when the disk will be full.
func (d *diskSpace) project(boot time.Duration) {
	now := usage{boot, d.appended}
	if d.since[0].boot == 0 {
		d.since = [2]usage{now, now}
	}
	if boot-d.since[1].boot >= rateOver {
		d.since = [2]usage{d.since[1], now}
	}
	d.fullIn = 0
	past, bytes := boot-d.since[0].boot, d.appended-d.since[0].bytes
	if past >= rateAfter && bytes > 0 {
		const most = 100 * 365 * 24 * time.Hour
		d.fullIn = time.Duration(min(float64(past)*float64(d.free)/float64(bytes), float64(most)))
	}
}

// sheds reports whether records of a kind are not kept at present.
func (d *diskSpace) sheds(kind wire.Kind) bool {
	switch kind {
	case wire.KindAlarm, wire.KindAudit, wire.KindCheck:
		return false
	case wire.KindHealth:
		return d.level >= ShedHealth
	case wire.KindTrack:
		return d.level >= ShedTracks
	}
	return d.level >= OnlyAlarms
}

// releaseBallast removes the ballast when err says that the disk is full, and
// reports whether that made space.
func (q *queue) releaseBallast(err error) bool {
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return false
	}
	q.space.level = OnlyAlarms
	return os.Remove(filepath.Join(q.opts.Dir, ballastFile)) == nil
}

// makeBallast creates the ballast when it is missing. When that fails there is
// no space for it; the next CheckSpace tries again.
func (j *Journal) makeBallast() {
	path := filepath.Join(j.opts.Dir, ballastFile)
	if _, err := os.Stat(path); err == nil {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, j.queue.space.ballast()); err != nil {
		os.Remove(path)
	}
}
