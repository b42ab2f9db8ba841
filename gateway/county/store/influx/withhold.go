package influx

import (
	"context"
	"errors"
	"slices"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/sqlite"
	"gatehouse/gateway/wire"
)

// withhold returns what is to be booked: all but the batches whose agents' shares
// of the quarantine have no room for what they hold that belongs there, and what
// follows those in their journals. Their points are written and not booked, as after a crash.
func (s *Store) withhold(ctx context.Context, p *plan) (kept []sqlite.Advance, err error) {
	bad := map[string][]wire.Bad{} // of this commit, by agent
	from := map[string]uint64{}    // by journal: the first seq that is not booked
	for _, a := range p.advances {
		r := &p.receipts[a.receipt]
		agent, jid := a.Batch.Agent, a.Batch.JID
		if first, behind := from[jid]; behind && !a.Batch.Ahead {
			*r = store.Receipt{JID: jid, Through: first - 1, Gap: true}
			continue
		}
		if len(a.Rejected) > 0 {
			more := append(slices.Clip(bad[agent]), a.Rejected...)
			err := s.Room(ctx, agent, more)
			if errors.Is(err, store.ErrShare) {
				*r = store.Receipt{JID: jid, Through: a.before, Refused: true}
				if !a.Batch.Ahead {
					from[jid] = a.before + 1
				}
				continue
			}
			if err != nil {
				return nil, err
			}
			bad[agent] = more
		}
		kept = append(kept, a.Advance)
	}
	return kept, nil
}
