package desk

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gatehouse/gateway/fact"
)

// refusedFew bounds the alerts about agents that the site file does not list:
// who invents names must not fill the list.
const refusedFew = 16

// mostCounted bounds the agents whose refused messages are counted for the probes.
const mostCounted = 4096

// refusal is what the collector last said of an agent.
type refusal struct {
	why   string
	count uint64 // messages so far
}

// Refused implements collect.Observer.
func (d *Desk) Refused(agent, why string, count uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse(agent, why, count)
}

// refuse keeps a refusal for the next look; mu is held.
func (d *Desk) refuse(agent, why string, count uint64) {
	_, _, _, listed := d.opts.Sites.Place(agent)
	if _, known := d.counted[agent]; known || len(d.counted) < mostCounted {
		d.counted[agent] = count
	}
	if listed || len(d.refused) < refusedFew {
		d.refused[agent] = refusal{why, count}
	}
}

// refusedMessages is how many messages were refused since the collector started,
// as far as the desk was told.
func (d *Desk) refusedMessages() (n uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, count := range d.counted {
		n += count
	}
	return n
}

// refusals makes an alert for each agent that is refused something, words it anew
// while that goes on, and clears it when it has been calm for a while.
func (d *Desk) refusals(ctx context.Context, now time.Time, fresh map[string]refusal) error {
	for agent, r := range fresh {
		_, stands := d.overdone[agent]
		if _, _, _, listed := d.opts.Sites.Place(agent); !listed && !stands && len(d.overdone) >= refusedFew {
			continue // the log has it
		}
		detail := fmt.Sprintf("%s; %d of its messages were not taken so far", r.why, r.count)
		var err error
		if stands {
			err = d.reword(ctx, fact.AlarmAgentRefused, agent, detail)
		} else {
			err = d.own(ctx, fact.AlarmAgentRefused, agent, detail, now)
		}
		if err != nil {
			return err
		}
		d.overdone[agent] = now
	}
	for agent, last := range d.overdone {
		if now.Sub(last) > calm {
			if err := d.own(ctx, fact.AlarmAgentRefused, agent, "", now); err != nil {
				return err
			}
			delete(d.overdone, agent)
		}
	}
	return nil
}

// reword gives a standing alert of the desk's own another detail.
func (d *Desk) reword(ctx context.Context, typ fact.AlarmType, agent, detail string) error {
	in := d.intake(ctx)
	err := d.write(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx,
			"UPDATE alerts SET detail = ? WHERE jid = ? AND alarm = ? AND cleared IS NULL RETURNING id",
			detail, ownJournal, string(typ)+":"+agent)
		if err != nil {
			return fmt.Errorf("word an alert anew: %w", err)
		}
		return in.touched(rows)
	})
	if err != nil {
		return err
	}
	return d.publish(ctx, in)
}

// loadRefused takes over which agents' refusals are an alert already.
func (d *Desk) loadRefused(ctx context.Context) error {
	list, err := d.alerts(ctx, "type = ? AND cleared IS NULL", fact.AlarmAgentRefused)
	for _, a := range list {
		d.overdone[a.Agent] = d.began
	}
	return err
}
