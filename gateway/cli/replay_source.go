package cli

import (
	"cmp"
	"context"
	"fmt"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/lookup"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/edge/journal"
)

// replaySource is where a replay reads, and what.
type replaySource struct {
	lookup.Records

	q   store.Query
	all []journalRuns
	end func()
}

// source opens the store or the journal that the flags name, and finds the journals of the
// gates that are asked for.
func (f *replayFlags) source(ctx context.Context) (src replaySource, err error) {
	if f.journal != "" {
		return f.ownJournal()
	}
	a, q, err := f.open(nil)
	if err != nil {
		return src, err
	}
	src = replaySource{Records: a, q: q, end: func() { a.Close() }}
	positions, err := a.Positions(ctx)
	if err == nil {
		err = audited(ctx, f.in, audit.Act{Action: audit.LookReplay, Object: "gate " + cmp.Or(f.gate, "all"),
			Detail: f.by() + span(f.from, f.to)})
	}
	for _, p := range positions {
		if f.gate == "" || p.Agent == f.gate {
			src.all = append(src.all, journalRuns{agent: p.Agent, jid: p.JID})
		}
	}
	if err == nil && len(src.all) == 0 {
		err = fmt.Errorf("--gate %q: the store has no records of such an agent%s", f.gate,
			didYouMean(f.gate, agentsIn(positions)))
	}
	if err != nil {
		src.end()
	}
	return src, err
}

// ownJournal opens an agent's own journal. Which agent's it is, it does not say.
func (f *replayFlags) ownJournal() (src replaySource, err error) {
	if f.zone, err = config.Zone(f.zoneName); err != nil {
		return src, usageError{fmt.Errorf("--time-zone: %w", err)}
	}
	if src.q, err = f.query(f.zone); err != nil {
		return src, usageError{err}
	}
	v, err := journal.Look(f.journal)
	if err != nil {
		return src, err
	}
	src.Records, src.end = journalRows{v}, func() { v.Close() }
	src.all = []journalRuns{{agent: v.JID, jid: v.JID}}
	return src, nil
}
