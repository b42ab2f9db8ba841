package presence

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

const (
	// calm is for how long an agent must have kept to one journal after it ran
	// twice, to count as one again.
	calm = fact.CalmDelay
	// mostFormer bounds the former journals of an agent that are remembered. An
	// agent has a few in its life; one that names ever new ones is not believed.
	mostFormer = 32
	keepEvery  = 30 * time.Second // how often the last heartbeats are kept, for a restart
)

// lineages are the journals of agents, as their heartbeats name them: a journal
// that has gone with records in it is lost, and journals of one agent that take
// turns are those of two computers.
type lineages struct {
	file      *db.File
	alerts    Alerts
	delivered Delivered
	refused   func(agent, why string)

	agents map[string]*lineage
	kept   time.Time // when they were last written to the file
}

// lineage is one agent's.
type lineage struct {
	wire.Beat                 // the last one
	former    map[string]bool // jids before
	returned  time.Time       // when a former one last came back; zero: the agent is one
}

// loadLineages reads what was known before a restart.
func loadLineages(ctx context.Context, opts Options, now time.Time) (*lineages, error) {
	l := &lineages{file: opts.File, alerts: opts.Alerts, delivered: opts.Delivered, refused: opts.Refused,
		agents: map[string]*lineage{}}
	type row struct {
		agent string
		wire.Beat
	}
	scan := func(r db.Row) (x row, err error) {
		err = r.Scan(&x.agent, &x.JID, &x.Last, &x.Through, &x.Origin)
		return x, err
	}
	const query = "SELECT agent, jid, last, through, origin FROM lineages"
	for x, err := range db.Rows(ctx, opts.File.Reader(), scan, query) {
		if err != nil {
			return nil, fmt.Errorf("read the journals of agents: %w", err)
		}
		l.agents[x.agent] = &lineage{Beat: x.Beat, former: map[string]bool{}}
	}
	cloned, err := opts.Alerts.Holding(ctx, fact.AlarmAgentCloned)
	for _, agent := range cloned {
		if a := l.agents[agent]; a != nil {
			a.returned = now // it counts as one when it has been calm for a while
		}
	}
	return l, err
}

// knows reports whether an agent ever sent a heartbeat.
func (l *lineages) knows(agent string) bool { return l.agents[agent] != nil }

// look takes heartbeats in the order in which they were received.
func (l *lineages) look(ctx context.Context, now time.Time, beats map[string][]wire.Beat) error {
	for agent, list := range beats {
		for _, b := range list {
			if err := l.beat(ctx, now, agent, b); err != nil {
				return err
			}
		}
	}
	if len(beats) > 0 && now.Sub(l.kept) > keepEvery {
		if err := l.keep(ctx, now); err != nil {
			return err
		}
	}
	for agent, a := range l.agents {
		if !a.returned.IsZero() && now.Sub(a.returned) > calm {
			a.returned = time.Time{}
			if err := l.alerts.Clear(ctx, now, fact.AlarmAgentCloned, agent); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *lineages) beat(ctx context.Context, now time.Time, agent string, b wire.Beat) error {
	a := l.agents[agent]
	if a == nil {
		l.agents[agent] = &lineage{Beat: b, former: map[string]bool{}}
		return nil
	}
	old := a.Beat
	a.Beat = b
	if old.JID == b.JID {
		return nil
	}
	returned := a.former[b.JID]
	if !returned && len(a.former) >= mostFormer {
		l.refused(agent, "its heartbeats name one journal after the other")
		return nil
	}
	a.former[old.JID] = true
	if returned {
		return l.cameBack(ctx, now, agent, a, old)
	}
	through := max(old.Through, l.delivered.Through(old.JID))
	if from := firstGone(old, b, through); from <= old.Last {
		return l.alerts.Raise(ctx, now, fact.AlarmJournalLost, agent, fmt.Sprintf(
			"at least %d records of journal %s (%d to %d) were never delivered, and its agent has begun another",
			old.Last-from+1, old.JID, from, old.Last))
	}
	return nil
}

// cameBack takes a heartbeat of a journal that an agent had left: two computers
// run as this agent.
func (l *lineages) cameBack(ctx context.Context, now time.Time, agent string, a *lineage, old wire.Beat) error {
	first := a.returned.IsZero()
	a.returned = now
	// What looked like the end of a journal was none.
	if err := l.alerts.Clear(ctx, now, fact.AlarmJournalLost, agent); err != nil || !first {
		return err
	}
	return l.alerts.Raise(ctx, now, fact.AlarmAgentCloned, agent, fmt.Sprintf(
		"journals %s and %s take turns: two computers run as %s, stop one; the records of both are kept",
		old.JID, a.JID, agent))
}

// firstGone returns the first seq of old's journal that neither the store, which
// has it up to through, nor b's journal holds; beyond old.Last when none is
// gone. A journal that was renewed goes on with what the one before held, less
// an end that its disk has lost; one that was made anew holds nothing of it.
func firstGone(old, b wire.Beat, through uint64) uint64 {
	renewed := b.Origin == old.Origin
	if old.Origin == "" || b.Origin == "" { // an agent of a version that does not send it
		renewed = b.Last >= old.Last
	}
	if renewed {
		return max(through, b.Last) + 1
	}
	return through + 1
}

// keep writes the last heartbeats to the file.
func (l *lineages) keep(ctx context.Context, now time.Time) error {
	l.kept = now
	return l.file.Write(ctx, func(tx *sql.Tx) error {
		for agent, a := range l.agents {
			_, err := tx.ExecContext(ctx, `INSERT INTO lineages (agent, jid, last, through, origin)
				VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET jid = excluded.jid, last = excluded.last,
				through = excluded.through, origin = excluded.origin`,
				agent, a.JID, int64(a.Last), int64(a.Through), a.Origin)
			if err != nil {
				return fmt.Errorf("keep the journals of agents: %w", err)
			}
		}
		return nil
	})
}
