package agent

import (
	"fmt"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
)

// diskFault is the journal's word that an fsync failed, and whether the records
// are safe elsewhere by now.
func (r *recorder) diskFault(f journal.Fault) {
	r.log.Error("the disk failed to make records durable", "err", f.Err, "written_elsewhere", f.Safe)
	r.board.set(fact.AlarmJournalSync, "", f.Err.Error())
	r.faultAt = r.opts.Clock.Now().Boot
}

// room looks at the journal's disk. An agent that is cut off must be heard of
// before its disk is full, not after.
func (r *recorder) room(now clock.Moment) {
	r.space = r.journal.CheckSpace(now)
	r.pulse.setRoom(r.space)
	waiting := r.journal.Last() > r.journal.State().Through+fewWaiting
	detail := ""
	switch {
	case r.space.Level > journal.Plenty:
		detail = fmt.Sprintf("%d MiB are left for the journal: %s", r.space.Free>>20, sheds[r.space.Level])
	case waiting && r.space.FullIn > 0 && r.space.FullIn < fullSoon:
		detail = fmt.Sprintf("the disk will be full in %d hours if the county does not answer", r.space.FullIn/time.Hour)
	}
	r.board.set(fact.AlarmJournalDiskLow, "", detail)
	if now.Boot-r.oldestAt >= beatEvery {
		r.oldestAt = now.Boot
		r.oldest, _ = r.journal.Oldest()
	}
	if r.faultAt != 0 && now.Boot-r.faultAt > faultOver {
		r.faultAt = 0
		r.board.set(fact.AlarmJournalSync, "", "")
	}
}

const (
	fullSoon   = 48 * time.Hour
	fewWaiting = 1000             // records are no backlog that fills a disk
	faultOver  = 10 * time.Minute // without another one a failed fsync is over
)

// sheds says in words what the journal does about its room.
var sheds = map[journal.Level]string{
	journal.ShedTail:   "acknowledged records are removed early",
	journal.ShedHealth: "device health is no longer kept",
	journal.ShedTracks: "device health and tracks are no longer kept",
	journal.OnlyAlarms: "only alarms are kept",
}
