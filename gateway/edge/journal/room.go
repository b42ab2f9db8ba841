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

// ErrShed says that a record of this kind is not kept while there is so little
// room. The caller gives it up with Lose.
var ErrShed = errors.New("the disk has too little room for records of this kind")

// Level is how short of room the journal's disk is, and what is shed for it.
type Level int

// What goes first. Readings, passages and runs are kept until the disk takes
// nothing more; alarms and what guards answer then have the ballast.
const (
	Plenty     Level = iota
	ShedTail         // records acknowledged long ago are removed before Options.Keep is over
	ShedHealth       // and device health is not kept
	ShedTracks       // and tracks of machines
	OnlyAlarms       // and nothing but alarms and audits
)

// Space is how the journal's disk stands.
type Space struct {
	Level  Level
	Free   int64         // bytes that can still be written, besides the ballast
	FullIn time.Duration // if nothing is acknowledged and records come as in the last minutes; 0: not known
}

const (
	ballastFile = "ballast"
	leastRoom   = 512 << 10 // on the smallest disk
	mostRoom    = 64 << 20
	leastSeg    = 128 << 10
	rateOver    = 10 * time.Minute // records are counted for so long before older ones are forgotten
	rateAfter   = time.Minute      // and for so long before a rate is believed
)

// space is what the journal knows of the room it has.
type space struct {
	reserve  int64 // shedding begins below it
	level    Level
	free     int64
	appended int64   // bytes since Open
	marks    [2]mark // where the rate is counted from: the older one
	fullIn   time.Duration
}

type mark struct {
	boot  time.Duration
	bytes int64
}

// statfs gives the bytes that may still be written at dir, and its disk's size.
func statfs(dir string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, fmt.Errorf("room of %s: %w", dir, err)
	}
	block := int64(st.Bsize) //nolint:unconvert // 32 bits wide on a gate computer's arm
	return int64(st.Bavail) * block, int64(st.Blocks) * block, nil
}

// measure sizes the reserve and, unless they are given, segments for the disk.
func (j *Journal) measure() {
	_, total, err := j.opts.DiskSpace(j.opts.Dir)
	if err != nil {
		total = 1 << 40
	}
	j.space.reserve = min(max(total/8, leastRoom), mostRoom)
	if j.opts.SegmentBytes == 0 {
		j.opts.SegmentBytes = min(max(total/16, leastSeg), 8<<20)
	}
}

func (d *space) ballast() int64 { return d.reserve / 8 }

// CheckSpace looks at the disk; the record loop calls it every second. It has
// acknowledged records removed when room is short, without waiting for that,
// and keeps the ballast: a file that goes when nothing can be written, so that
// alarms still can.
func (j *Journal) CheckSpace(now clock.Moment) Space {
	free, _, err := j.opts.DiskSpace(j.opts.Dir)
	j.mu.Lock()
	d := &j.space
	if err != nil || j.closed {
		defer j.mu.Unlock()
		return Space{d.level, d.free, d.fullIn}
	}
	was := d.level
	d.free = free
	d.level = d.judge(free)
	d.project(now.Boot)
	room := Space{d.level, d.free, d.fullIn}
	j.mu.Unlock()
	if room.Level != was {
		j.opts.Log.Warn("room for the journal", "level", room.Level, "free_bytes", free, "journal", j.opts.Dir)
	}
	if room.Level < OnlyAlarms {
		j.makeBallast()
	}
	if room.Level >= ShedTail {
		signal(j.short)
	}
	return room
}

// trim is the goroutine that removes acknowledged records when room is short:
// it waits for the shipper and for fsyncs, so that CheckSpace does not. Close ends it.
func (j *Journal) trim() {
	for {
		select {
		case <-j.stop:
			return
		case <-j.short:
		}
		j.ship.Lock()
		if n := j.acknowledged(); n > 0 {
			if err := j.save(n); err != nil {
				j.opts.Log.Warn("make room in the journal", "journal", j.opts.Dir, "err", err)
			}
		}
		j.ship.Unlock()
	}
}

// judge gives the level for so much room. A disk that was full has room again
// when the ballast fits twice.
func (d *space) judge(free int64) Level {
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

// project estimates when the disk is full.
func (d *space) project(boot time.Duration) {
	if d.marks[0].boot == 0 {
		d.marks = [2]mark{{boot, d.appended}, {boot, d.appended}}
	}
	if boot-d.marks[1].boot >= rateOver {
		d.marks = [2]mark{d.marks[1], {boot, d.appended}}
	}
	d.fullIn = 0
	past, bytes := boot-d.marks[0].boot, d.appended-d.marks[0].bytes
	if past >= rateAfter && bytes > 0 {
		d.fullIn = time.Duration(min(float64(past)*float64(d.free)/float64(bytes), float64(100*365*24*time.Hour)))
	}
}

// sheds tells whether records of a kind are not kept now; mu is held.
func (j *Journal) sheds(kind wire.Kind) bool {
	switch kind {
	case wire.KindAlarm, wire.KindAudit:
		return false
	case wire.KindHealth:
		return j.space.level >= ShedHealth
	case wire.KindTrack:
		return j.space.level >= ShedTracks
	}
	return j.space.level >= OnlyAlarms
}

// full notes that the disk takes nothing more and gives the ballast away; mu
// is held. It tells whether that made room.
func (j *Journal) full(err error) bool {
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return false
	}
	j.space.level = OnlyAlarms
	return os.Remove(filepath.Join(j.opts.Dir, ballastFile)) == nil
}

// makeBallast makes the ballast where there is none. Should it fail there is
// no room for it, which the next CheckSpace sees.
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
	if err := unix.Fallocate(int(f.Fd()), 0, 0, j.space.ballast()); err != nil {
		os.Remove(path)
	}
}

// acknowledged counts the segments that hold nothing that must be sent.
func (j *Journal) acknowledged() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for n+1 < len(j.shelf.segs) && j.shelf.segs[n+1].first-1 <= j.state.Through {
		n++
	}
	return n
}
