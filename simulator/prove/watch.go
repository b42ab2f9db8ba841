package prove

import (
	"context"
	"maps"
	"time"

	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/retry"
)

// watch checks until ctx is done, three times a second, that no agent takes more
// records for acknowledged than the store has, or has removed more, and that the
// collector has not acknowledged more.
func (r *rig) watch(ctx context.Context) {
	for retry.Sleep(ctx, 300*time.Millisecond) {
		acked, removed := r.claims() // before the store is read
		stored, ok := r.positions(ctx)
		if !ok {
			continue // it is being created, or its disk is not mounted
		}
		for jid, trimmed := range removed {
			if has := stored[jid]; trimmed > has {
				r.violated("journal %s is removed up to %d, the store has it up to %d", jid, trimmed, has)
			}
		}
		for jid, through := range acked {
			if has := stored[jid]; through > has && !r.fault.storeForgets {
				r.violated("journal %s is acknowledged up to %d, the store has it up to %d", jid, through, has)
			}
		}
	}
}

// claims returns up to which seq each journal is acknowledged, according to
// acknowledgements at the broker, to heartbeats and to agents' files, and up to
// which seq it is removed.
func (r *rig) claims() (acked, removed map[string]uint64) {
	acked, removed = r.listener.acknowledged(), map[string]uint64{}
	for _, g := range r.gates {
		if b, _ := r.listener.beat(g.ID); b.JID != "" && !r.fault.badBeats {
			acked[b.JID] = max(acked[b.JID], b.Through)
		}
		v, err := journal.Look(r.journalDir(g.ID))
		if err != nil {
			continue // it is being created, or its disk is not mounted
		}
		acked[v.JID] = max(acked[v.JID], v.State.Through)
		removed[v.JID] = v.Trimmed()
		v.Close()
	}
	maps.DeleteFunc(acked, func(_ string, through uint64) bool { return through == 0 })
	return acked, removed
}

// positions returns up to which seq the store has each journal, or false if it
// can't be read.
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

// stored returns up to which seq the store has a journal, or false if it can't
// be read.
func (r *rig) stored(ctx context.Context, jid string) (uint64, bool) {
	all, ok := r.positions(ctx)
	return all[jid], ok
}
