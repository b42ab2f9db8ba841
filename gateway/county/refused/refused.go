// Package refused raises alarms about agents whose messages are not all taken:
// because they would need more than one agent may use, or nobody believes them,
// or what they say contradicts what is stored.
package refused

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
)

const (
	// calm is for how long nothing must have been refused of an agent until its
	// alarm ends.
	calm = fact.CalmDelay
	// mostUnlisted bounds the alarms about agents that the site file does not
	// list: whoever invents names must not fill the list.
	mostUnlisted = 16
	// mostCounted bounds the agents whose refused messages are counted.
	mostCounted = 4096
)

// Alerts raises and clears alarms; see presence.Alerts.
type Alerts interface {
	Raise(ctx context.Context, now time.Time, kind fact.AlarmType, agent, detail string) error
	Clear(ctx context.Context, now time.Time, kind fact.AlarmType, agent string) error
	Holding(ctx context.Context, kind fact.AlarmType) ([]string, error)
}

// Losses knows what was not stored.
type Losses interface {
	Losses(ctx context.Context) (quarantined, lost int, err error)
	Conflicts(ctx context.Context) ([]store.Conflicts, error)
}

// Refusals are the county's. Refused, Messages and Lost may be called from any
// goroutine, the others from one at a time.
type Refusals struct {
	alerts Alerts
	losses Losses
	listed map[string]bool

	mu                sync.Mutex         // guards what follows
	fresh             map[string]refusal // by agent, since the last look
	counted           map[string]uint64  // messages, by agent
	quarantined, lost int

	alerted    map[string]alerted // agents whose refusals are an alert
	conflicted map[string]bool    // agents whose conflicts are an alert
}

// alerted is an agent's last refusal.
type alerted struct {
	last time.Time
	why  string // empty: it was before the start
}

// refusal is what the collector last said of an agent.
type refusal struct {
	why   string
	count uint64 // messages so far
}

// Open takes over which agents have an alert already, at now. listed are the
// agents of the site file.
func Open(ctx context.Context, alerts Alerts, losses Losses, listed []string, now time.Time) (*Refusals, error) {
	r := &Refusals{alerts: alerts, losses: losses, listed: map[string]bool{}, fresh: map[string]refusal{},
		counted: map[string]uint64{}, alerted: map[string]alerted{}, conflicted: map[string]bool{}}
	for _, agent := range listed {
		r.listed[agent] = true
	}
	refused, err := alerts.Holding(ctx, fact.AlarmAgentRefused)
	for _, agent := range refused {
		r.alerted[agent] = alerted{last: now}
	}
	conflicted, errConflicted := alerts.Holding(ctx, fact.AlarmJournalConflict)
	for _, agent := range conflicted {
		r.conflicted[agent] = true
	}
	return r, errors.Join(err, errConflicted)
}

// Refused takes that messages of an agent are not taken, why, and how many they
// are since the collector was started.
func (r *Refusals) Refused(agent, why string, count uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Others than the collector count only what they refuse themselves.
	count = max(count, r.counted[agent])
	if _, known := r.counted[agent]; known || len(r.counted) < mostCounted {
		r.counted[agent] = count
	}
	if r.listed[agent] || len(r.fresh) < mostUnlisted {
		r.fresh[agent] = refusal{why, count}
	}
}

// Messages returns how many messages were refused since the collector was
// started, as far as Refused was called.
func (r *Refusals) Messages() (n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, count := range r.counted {
		n += count
	}
	return n
}

// Lost returns how many messages are in quarantine, and for how many records
// holes stand, at the last Count.
func (r *Refusals) Lost() (quarantined, lost int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.quarantined, r.lost
}

// Look raises an alarm for each agent of whom something was refused, gives it
// the latest detail while that goes on, and clears it when it has been calm for a
// while.
func (r *Refusals) Look(ctx context.Context, now time.Time) error {
	r.mu.Lock()
	fresh := r.fresh
	r.fresh = map[string]refusal{}
	r.mu.Unlock()
	for agent, x := range fresh {
		if _, known := r.alerted[agent]; !known && !r.listed[agent] && len(r.alerted) >= mostUnlisted {
			continue // the log has it
		}
		detail := fmt.Sprintf("%s; %d of its messages were not taken so far", x.why, x.count)
		if err := r.alerts.Raise(ctx, now, fact.AlarmAgentRefused, agent, detail); err != nil {
			return err
		}
		r.alerted[agent] = alerted{now, x.why}
	}
	for agent, a := range r.alerted {
		if now.Sub(a.last) > calm {
			if err := r.alerts.Clear(ctx, now, fact.AlarmAgentRefused, agent); err != nil {
				return err
			}
			delete(r.alerted, agent)
		}
	}
	return nil
}

// Agents returns of which agents messages are refused at present, each with the
// reason if it is known.
func (r *Refusals) Agents() (out []string) {
	for _, agent := range slices.Sorted(maps.Keys(r.alerted)) {
		if why := r.alerted[agent].why; why != "" {
			agent += " (" + why + ")"
		}
		out = append(out, agent)
	}
	return out
}

// Count counts what was not stored. It raises an alarm for each agent of whom
// the quarantine holds records whose journal and seq are stored with another
// content, and clears it when they have gone from there.
func (r *Refusals) Count(ctx context.Context, now time.Time) error {
	quarantined, lost, err := r.losses.Losses(ctx)
	if err == nil {
		r.mu.Lock()
		r.quarantined, r.lost = quarantined, lost
		r.mu.Unlock()
	}
	return errors.Join(err, r.conflicts(ctx, now))
}

func (r *Refusals) conflicts(ctx context.Context, now time.Time) error {
	all, err := r.losses.Conflicts(ctx)
	if err != nil {
		return err
	}
	held := map[string]bool{}
	for _, c := range all {
		held[c.Agent] = true
		if r.conflicted[c.Agent] {
			continue
		}
		detail := fmt.Sprintf("other content than what is stored is in quarantine (%d so far, "+
			"the latest under seq %d of journal %s): its disk was copied, or somebody sends in its name",
			c.Count, c.Seq, c.JID)
		if err := r.alerts.Raise(ctx, now, fact.AlarmJournalConflict, c.Agent, detail); err != nil {
			return err
		}
		r.conflicted[c.Agent] = true
	}
	for agent := range r.conflicted {
		if !held[agent] {
			if err := r.alerts.Clear(ctx, now, fact.AlarmJournalConflict, agent); err != nil {
				return err
			}
			delete(r.conflicted, agent)
		}
	}
	return nil
}
