package report

import (
	"context"
	"time"

	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/county/store"
)

// follow indexes a batch that the store has committed.
func (x *index) follow(ctx context.Context, now time.Time, b store.Batch) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	behind, err := x.cursor.Take(ctx, now, []follow.Event{{Committed: []store.Batch{b}}})
	if err != nil || !behind {
		return err
	}
	return x.cursor.CatchUp(ctx, now, b.Agent, b.JID, b.To)
}

// catchUp indexes the records of a machine's journal that the store has and the
// index does not: after a kill between the two. It returns the highest seq of
// the journal that was ever used, also if the store has lost it.
func (x *index) catchUp(ctx context.Context, now time.Time, s Store, machine, jid string) (last uint64, err error) {
	pos, err := s.Position(ctx, jid)
	if err != nil {
		return 0, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if pos.Through > x.cursor.Through(jid) {
		if err := x.cursor.CatchUp(ctx, now, machine, jid, pos.Through); err != nil {
			return 0, err
		}
	}
	return x.cursor.Through(jid), nil
}
