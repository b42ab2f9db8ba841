package prove

import (
	"context"
	"maps"
	"time"

	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/edge/journal"
)

// watch samples, all the time, that no agent holds more for acknowledged or has
// removed more than the store had at that moment, and that nothing was
// acknowledged before.
func (r *rig) watch(ctx context.Context) {
	for pause(ctx, 300*time.Millisecond) {
		known, removed := r.claims() // before the store is asked
		stored, ok := r.positions(ctx)
		if !ok {
			continue // it is being made, or its disk is away
		}
		for jid, trimmed := range removed {
			if has := stored[jid]; trimmed > has {
				r.broken("records of journal %s are removed up to %d, the store has %d", jid, trimmed, has)
			}
		}
		for jid, through := range known {
			if has := stored[jid]; through > has && !r.fault.rewinds {
				r.broken("%d of journal %s are held for acknowledged, the store has %d", through, jid, has)
			}
		}
	}
}

// claims gives what is said to be stored, by journal: by acknowledgements as
// they pass the broker, by heartbeats, and by what agents keep on disk; and what
// agents have removed.
func (r *rig) claims() (known, removed map[string]uint64) {
	known, removed = r.ears.through(), map[string]uint64{}
	for _, g := range r.gates {
		if b, _ := r.ears.beat(g.ID); b.JID != "" && !r.fault.lies {
			known[b.JID] = max(known[b.JID], b.Through)
		}
		v, err := journal.Look(r.journalDir(g.ID))
		if err != nil {
			continue // as above
		}
		known[v.JID] = max(known[v.JID], v.State.Through)
		removed[v.JID] = v.Trimmed()
		v.Close()
	}
	maps.DeleteFunc(known, func(_ string, through uint64) bool { return through == 0 })
	return known, removed
}

// positions gives how far the store has each journal.
func (r *rig) positions(ctx context.Context) (map[string]uint64, bool) {
	b, err := books.OpenReadOnly(storeFile(r.countyDir()))
	if err != nil {
		return nil, false
	}
	defer b.Close()
	all, err := b.Positions(ctx)
	if err != nil {
		return nil, false
	}
	out := map[string]uint64{}
	for _, p := range all {
		out[p.JID] = p.Through
	}
	return out, true
}

// stored gives how far the store has a journal; false when it can't be asked.
func (r *rig) stored(ctx context.Context, jid string) (uint64, bool) {
	all, ok := r.positions(ctx)
	return all[jid], ok
}
