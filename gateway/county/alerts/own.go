package alerts

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Raise raises an alarm that the county itself finds, about an agent or, with an
// empty one, about the county. A condition that holds already gets the new
// detail and stays one alert.
func (a *Alerts) Raise(ctx context.Context, now time.Time, kind fact.AlarmType, agent, detail string) error {
	return a.own(ctx, now, func(c *change, r report) error {
		if !kind.Alarm().Happened {
			err := c.update("UPDATE alerts SET detail = ? WHERE jid = ? AND alarm = ? AND cleared IS NULL RETURNING id",
				detail, ownJournal, r.alarm)
			if err != nil || len(c.changed) > 0 {
				return err
			}
		}
		return c.raise(r, &wire.Alarm{ID: r.alarm, Type: kind, State: fact.AlarmRaised, Detail: detail}, false)
	}, kind, agent)
}

// Clear notes that a condition which the county itself found has ended.
func (a *Alerts) Clear(ctx context.Context, now time.Time, kind fact.AlarmType, agent string) error {
	return a.own(ctx, now, func(c *change, r report) error { return c.clear(r, "") }, kind, agent)
}

func (a *Alerts) own(
	ctx context.Context, now time.Time, do func(*change, report) error, kind fact.AlarmType, agent string,
) error {
	seq, err := a.nextSeq(ctx, now)
	if err != nil {
		return err
	}
	r := report{agent: agent, jid: ownJournal, alarm: string(kind) + ":" + agent, seq: seq, at: now}
	var committed follow.Committed
	err = a.file.Write(ctx, func(tx *sql.Tx) error {
		c := a.change(ctx, tx, now)
		committed = a.committed(c)
		return do(c, r)
	})
	if err != nil {
		return err
	}
	return committed(ctx)
}

// nextSeq returns the seq of the next alarm of the county's own. It rises over
// restarts, and when the clock is set back.
func (a *Alerts) nextSeq(ctx context.Context, now time.Time) (uint64, error) {
	if a.ownSeq == 0 {
		last, _, err := db.One(ctx, a.file.Reader(), db.Value[uint64],
			"SELECT coalesce(max(seq), 0) FROM alerts WHERE jid = ?", ownJournal)
		if err != nil {
			return 0, fmt.Errorf("read alerts: %w", err)
		}
		a.ownSeq = last
	}
	a.ownSeq = max(a.ownSeq+1, uint64(now.UnixMicro()))
	return a.ownSeq, nil
}

// Holding returns the agents of whom an alarm of a type holds.
func (a *Alerts) Holding(ctx context.Context, kind fact.AlarmType) ([]string, error) {
	agents, err := db.All(ctx, a.file.Reader(), db.Value[string],
		"SELECT agent FROM alerts WHERE type = ? AND cleared IS NULL", kind)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return agents, nil
}
