package recorder

import (
	"fmt"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
)

const (
	fullSoon    = 48 * time.Hour
	backlogFrom = 1000             // unacknowledged records: fewer fill no disk
	faultOver   = 10 * time.Minute // a failed fsync is over when so long none has failed
	oldestEvery = 10 * time.Second // how often the oldest unacknowledged record is looked up
)

// space is what the recorder knows of the journal's disk.
type space struct {
	oldest   time.Time     // when the oldest unacknowledged record was taken
	oldestAt time.Duration // boot clock: when that was looked up
	failedAt time.Duration // boot clock of the last failed fsync; 0: none, or over
}

// diskFailed takes the journal's report of a failed fsync.
func (r *Recorder) diskFailed(now clock.Moment, f journal.Fault) {
	r.log.Error("the disk failed to make records durable", "err", f.Err, "written_elsewhere", f.Safe)
	r.board.Set(status.Condition{Type: fact.AlarmJournalSync, Detail: f.Err.Error()})
	r.space.failedAt = now.Boot
}

// WatchDisk looks how much room the journal has. The county must hear of an
// agent that is cut off before its disk is full, not after. It is called every
// second, and waits for the disk.
func (r *Recorder) WatchDisk(now clock.Moment) {
	d, left := &r.space, r.journal.CheckSpace(now)
	last := r.journal.Last()
	pending := last - min(last, r.journal.State().Through)
	r.board.Set(status.Condition{Type: fact.AlarmJournalDiskLow, Detail: shortage(left, pending)})
	if now.Boot-d.oldestAt >= oldestEvery {
		d.oldestAt = now.Boot
		d.oldest, _ = r.journal.Oldest()
	}
	if d.failedAt != 0 && now.Boot-d.failedAt > faultOver {
		d.failedAt = 0
		r.board.Clear(fact.AlarmJournalSync, "")
	}
	r.board.SetJournal(status.Journal{Pending: pending, Oldest: d.oldest, FullIn: left.FullIn})
}

// shortage says in words how short of room the journal is, or returns "".
func shortage(space journal.Space, pending uint64) string {
	switch {
	case space.Level > journal.Plenty:
		return fmt.Sprintf("%d MiB are left for the journal: %s", space.Free>>20, shed(space.Level))
	case pending > backlogFrom && space.FullIn > 0 && space.FullIn < fullSoon:
		return fmt.Sprintf("the disk will be full in %d hours if the county does not answer", space.FullIn/time.Hour)
	}
	return ""
}

// shed says in words what the journal does at a level.
func shed(l journal.Level) string {
	switch l {
	case journal.ShedTail:
		return "acknowledged records are removed early"
	case journal.ShedHealth:
		return "device health is no longer kept"
	case journal.ShedTracks:
		return "device health and tracks are no longer kept"
	}
	return "only alarms are kept"
}
