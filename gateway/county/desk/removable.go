package desk

import (
	"context"

	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/wire"
)

// Removable returns up to which seq of a journal the store's records of a kind may be
// removed: what the desk has not taken in yet stays, and what open alerts and runs are
// about, because a desk's file that is lost is made again from them. It may be called
// from any goroutine.
func (d *Desk) Removable(ctx context.Context, jid string, kind wire.Kind) (uint64, error) {
	through, err := follow.Followed(ctx, d.file.Reader(), jid)
	if err != nil {
		return 0, err
	}
	var first uint64
	var open bool
	switch kind {
	case wire.KindAlarm, wire.KindAudit:
		first, open, err = d.Alerts.FirstOpen(ctx, jid)
	case wire.KindRun, wire.KindTrack:
		first, open, err = d.Runs.FirstOpen(ctx, jid)
	case wire.KindReading, wire.KindPassage, wire.KindHealth, wire.KindClock, wire.KindBaseline, wire.KindCheck:
	}
	if open {
		through = min(through, first-1)
	}
	return through, err
}
