package kiosk

import (
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// Open is something red that waits for the guard's answer.
type Open struct {
	Seq   uint64 // of the passage; 0: it is about a device or the county
	Alarm string // id of its alarm; may be empty
	Lane  string
	At    time.Duration // boot clock
}

// Settled takes answers that were given elsewhere, and those that nobody is there to
// give: of what is red it settles everything for which match returns true.
func (s *Screen) Settled(now clock.Moment, match func(Open) bool) {
	var ids []string
	audits := map[string]wire.Audit{}
	for _, x := range s.reds {
		if match(Open{Seq: x.seq, Alarm: x.alarm, Lane: x.lane, At: x.at.Boot}) {
			ids = append(ids, x.id)
			audits[x.id] = wire.Audit{Passage: x.seq}
		}
	}
	for _, id := range ids {
		s.Settle(now, id, audits[id])
	}
}
