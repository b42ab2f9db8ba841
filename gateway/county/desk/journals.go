package desk

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// What the desk concludes from the journals that an agent names in its
// heartbeats.
const ()

// calm is how long after the last change of journals a cloned agent counts as
// one again.
const calm = 10 * time.Minute

// mostFormer bounds the journals of an agent that the desk remembers. An agent has
// a few in its life; one that names ever new ones is not believed.
const mostFormer = 32

// lineage is what the desk knows of an agent's journals.
type lineage struct {
	wire.Beat                 // the last one
	former    map[string]bool // jids before
	flipped   time.Time       // when a former one last came back
}

// journals looks at heartbeats as they came.
func (d *Desk) journals(ctx context.Context, now time.Time, heard map[string][]wire.Beat) error {
	for agent, beats := range heard {
		for _, b := range beats {
			if err := d.journal(ctx, now, agent, b); err != nil {
				return err
			}
		}
	}
	if len(heard) > 0 && now.Sub(d.notedAt) > noteEvery {
		if err := d.note(ctx, now); err != nil {
			return err
		}
	}
	for agent, l := range d.lineages {
		if !l.flipped.IsZero() && now.Sub(l.flipped) > calm {
			l.flipped = time.Time{}
			if err := d.own(ctx, fact.AlarmAgentCloned, agent, "", now); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Desk) journal(ctx context.Context, now time.Time, agent string, b wire.Beat) error {
	l := d.lineages[agent]
	if l == nil {
		l = &lineage{Beat: b, former: map[string]bool{}}
		d.lineages[agent] = l
		return nil
	}
	old := l.Beat
	l.Beat = b
	if old.JID == b.JID {
		return nil
	}
	returned := l.former[b.JID]
	if !returned && len(l.former) >= mostFormer {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.refuse(agent, "its heartbeats name one journal after the other", 1)
		return nil
	}
	l.former[old.JID] = true
	through := max(old.Through, d.progress[old.JID])
	if returned {
		first := l.flipped.IsZero()
		l.flipped = now
		// What looked like the end of a journal was not.
		if err := d.own(ctx, fact.AlarmJournalLost, agent, "", now); err != nil {
			return err
		}
		if first {
			return d.own(ctx, fact.AlarmAgentCloned, agent, fmt.Sprintf("journals %s and %s take turns: two computers run as %s, stop one; the records of both are kept", old.JID, b.JID, agent), now)
		}
		return nil
	}
	if from := firstGone(old, b, through); from <= old.Last {
		detail := fmt.Sprintf("at least %d records of journal %s (%d to %d) were never delivered, and its agent has begun another", old.Last-from+1, old.JID, from, old.Last)
		return d.own(ctx, fact.AlarmJournalLost, agent, detail, now)
	}
	return nil
}

// firstGone is the first seq of old's journal that neither the store, which has
// it up to through, nor b's journal holds; beyond old.Last when none is gone. A
// journal that was renewed goes on with what the one before held, less an end
// that its disk has lost; one that was made anew holds nothing of it.
func firstGone(old, b wire.Beat, through uint64) uint64 {
	renewed := b.Origin == old.Origin
	if old.Origin == "" || b.Origin == "" { // an agent of a version that tells none
		renewed = b.Last >= old.Last
	}
	if renewed {
		return max(through, b.Last) + 1
	}
	return through + 1
}

// conflicts raises an alert for each agent of whom quarantine holds records
// whose journal and seq are stored with other content, and clears it when they
// have gone from there.
func (d *Desk) conflicts(ctx context.Context, now time.Time) error {
	all, err := d.opts.Losses.Conflicts(ctx)
	if err != nil {
		return err
	}
	stand := map[string]bool{}
	for _, c := range all {
		stand[c.Agent] = true
		if d.conflicted[c.Agent] {
			continue
		}
		detail := fmt.Sprintf("other content than what is stored is in quarantine (%d so far, the latest under seq %d of journal %s): its disk was copied, or somebody sends in its name",
			c.Count, c.Seq, c.JID)
		if err := d.own(ctx, fact.AlarmJournalConflict, c.Agent, detail, now); err != nil {
			return err
		}
		d.conflicted[c.Agent] = true
	}
	for agent := range d.conflicted {
		if !stand[agent] {
			if err := d.own(ctx, fact.AlarmJournalConflict, agent, "", now); err != nil {
				return err
			}
			delete(d.conflicted, agent)
		}
	}
	return nil
}

// loadConflicts takes over whose conflicts are an alert already.
func (d *Desk) loadConflicts(ctx context.Context) error {
	list, err := d.alerts(ctx, "type = ? AND cleared IS NULL", fact.AlarmJournalConflict)
	for _, a := range list {
		d.conflicted[a.Agent] = true
	}
	return err
}

// own raises an alert of the desk's own about an agent, or with an empty
// detail clears it.
func (d *Desk) own(ctx context.Context, typ fact.AlarmType, agent, detail string, now time.Time) error {
	// Rises over restarts, and when the clock is set back.
	d.ownSeq = max(d.ownSeq+1, uint64(now.UnixMicro()))
	in := d.intake(ctx)
	err := d.write(ctx, func(tx *sql.Tx) error {
		in.tx = tx
		w := word{agent: agent, jid: ownJournal, alarm: string(typ) + ":" + agent, seq: d.ownSeq, at: now}
		if detail != "" {
			return in.raised(w, &wire.Alarm{ID: w.alarm, Type: typ, State: fact.AlarmRaised, Detail: detail})
		}
		return in.cleared(w)
	})
	if err != nil {
		return err
	}
	return d.publish(ctx, in)
}

// noteEvery is how often the last heartbeats are noted, for a desk that is
// restarted.
const noteEvery = 30 * time.Second

// note keeps the agents' journals in the desk's file.
func (d *Desk) note(ctx context.Context, now time.Time) error {
	d.notedAt = now
	return d.write(ctx, func(tx *sql.Tx) error {
		for agent, l := range d.lineages {
			_, err := tx.ExecContext(ctx, `INSERT INTO lineages (agent, jid, last, through, origin) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET jid = excluded.jid, last = excluded.last, through = excluded.through, origin = excluded.origin`,
				agent, l.JID, int64(l.Last), int64(l.Through), l.Origin)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// loadLineages takes over what the desk knew before it was restarted.
func (d *Desk) loadLineages(ctx context.Context) error {
	rows, err := d.r.QueryContext(ctx, "SELECT agent, jid, last, through, origin FROM lineages")
	if err != nil {
		return fmt.Errorf("read the journals of agents: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var agent string
		l := &lineage{former: map[string]bool{}}
		if err := rows.Scan(&agent, &l.JID, &l.Last, &l.Through, &l.Origin); err != nil {
			return fmt.Errorf("read the journals of agents: %w", err)
		}
		d.lineages[agent], d.known[agent] = l, true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return d.loadCloned(ctx)
}

// loadCloned takes over which agents run twice: each counts as one again when
// it has been calm for a while.
func (d *Desk) loadCloned(ctx context.Context) error {
	list, err := d.alerts(ctx, "type = ? AND cleared IS NULL", fact.AlarmAgentCloned)
	for _, a := range list {
		if l := d.lineages[a.Agent]; l != nil {
			l.flipped = d.began
		}
	}
	return err
}
