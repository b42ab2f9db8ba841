package alerts

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// staleAfter is how old an alarm may be that is found while the desk's file is
// made anew beside an older store: what is older needs nobody any more.
const staleAfter = 24 * time.Hour

// ownJournal stands for the county in the column jid.
const ownJournal = "desk"

// change is one transaction's work.
type change struct {
	ctx     context.Context
	tx      *sql.Tx
	now     time.Time
	changed map[int64]bool // ids of alerts
}

func (a *Alerts) change(ctx context.Context, tx *sql.Tx, now time.Time) *change {
	return &change{ctx: ctx, tx: tx, now: now, changed: map[int64]bool{}}
}

// committed shows what a change has changed.
func (a *Alerts) committed(c *change) follow.Committed {
	return func(ctx context.Context) (err error) {
		for id := range c.changed {
			err = errors.Join(err, a.show(ctx, id))
		}
		return err
	}
}

// Kinds implements follow.Follower.
func (*Alerts) Kinds() []wire.Kind {
	return []wire.Kind{wire.KindAlarm, wire.KindAudit, wire.KindPassage, wire.KindRun}
}

// Apply implements follow.Follower.
func (a *Alerts) Apply(
	ctx context.Context, tx *sql.Tx, now time.Time, entries []follow.Entry,
) (follow.Committed, error) {
	c := a.change(ctx, tx, now)
	for _, e := range entries {
		var err error
		switch e.Record.Kind {
		case wire.KindAlarm:
			err = c.alarm(e)
		case wire.KindAudit:
			err = c.audit(e)
		case wire.KindPassage:
			err = c.passage(e)
		case wire.KindRun:
			err = c.run(e, a.places)
		}
		if err != nil {
			return nil, err
		}
	}
	return a.committed(c), nil
}

// Reset implements follow.Follower.
func (a *Alerts) Reset(ctx context.Context, tx *sql.Tx, jid, former string) (follow.Committed, error) {
	_, err := tx.ExecContext(ctx, "UPDATE alerts SET jid = ? WHERE jid = ?", former, jid)
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE fevers SET jid = ? WHERE jid = ?", former, jid)
	}
	return nil, err
}

// report is what an alarm record says: where it comes from and when.
type report struct {
	agent, jid string
	alarm      string // id at its source
	seq        uint64
	at         time.Time
}

// alarm takes in an alarm record. It may come twice, ahead of its journal and in
// its order; seqs say which is the later one.
func (c *change) alarm(e follow.Entry) error {
	alarm, ok := follow.Body[*wire.Alarm](e.Record)
	if !ok {
		return nil
	}
	r := report{agent: e.Agent, jid: e.JID, alarm: alarm.ID, seq: e.Record.Seq, at: e.Record.At.Time}
	if alarm.State == fact.AlarmCleared {
		return c.clear(r, saidAtEnd(alarm))
	}
	return c.raise(r, alarm, e.Rebuilt && c.now.Sub(r.at) > staleAfter)
}

// raise takes in an alarm that was raised, or got another detail: that changes
// neither who has acknowledged it nor how many rows there are. A stale one is
// acknowledged at once, by nobody.
func (c *change) raise(r report, alarm *wire.Alarm, stale bool) error {
	first := cmp.Or(alarm.Updates, r.seq)
	if !alarm.Type.Alarm().Happened {
		if err := c.settle(r, first); err != nil {
			return err
		}
	}
	var acked *int64
	if stale {
		acked = new(c.now.UnixNano())
	}
	err := c.update(`INSERT INTO alerts
		(agent, jid, alarm, type, device, detail, screening, passage, seq, said, at, acked)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
		detail = CASE WHEN excluded.said > said THEN excluded.detail ELSE detail END,
		said = max(said, excluded.said), at = min(at, excluded.at)
		WHERE excluded.said > said OR excluded.at < at RETURNING id`,
		r.agent, r.jid, r.alarm, alarm.Type, alarm.Device, alarm.Detail, alarm.Screening, alarm.Passage, first, r.seq,
		r.at.UnixNano(), acked)
	if err == nil && alarm.Type == fact.AlarmHelpCalled {
		err = c.called(r, alarm, first)
	}
	if err == nil && alarm.Type == fact.AlarmFever { // of before a restart: it may be settled already
		err = c.settleFevers("f.jid = ? AND f.passage = ?", r.jid, alarm.Passage)
	}
	return err
}

// settle settles what is known of an alarm that r raises, or gives another
// detail. An alarm that is raised had ended before, whether that was received or
// not. A new detail may come under another jid than the alarm: of a renewed
// journal.
func (c *change) settle(r report, first uint64) error {
	if first == r.seq {
		return c.clear(r, "")
	}
	_, err := c.tx.ExecContext(c.ctx, `UPDATE alerts SET jid = ? WHERE agent = ? AND alarm = ? AND seq = ?
		AND jid NOT IN (?, ?) AND cleared IS NULL`,
		r.jid, r.agent, r.alarm, first, r.jid, ownJournal)
	if err != nil {
		return fmt.Errorf("keep an alarm of %s: %w", r.agent, err)
	}
	return nil
}

// saidAtEnd returns what the guard did as an alarm ended, or nothing. A cleared alarm comes
// ahead of the audit record that says the same.
func saidAtEnd(alarm *wire.Alarm) string {
	if alarm.Type == fact.AlarmHelpCalled && (alarm.Detail == fact.CallArrived || alarm.Detail == fact.CallReached) {
		return alarm.Detail
	}
	return ""
}

// clear notes that an alarm had ended at r, and what the guard did then, if anything. What
// the agent's former journals say of it ends with it: the agent goes on in the new one.
func (c *change) clear(r report, did string) error {
	return c.update(`UPDATE alerts SET cleared = ?, guard = CASE WHEN ? = '' THEN guard ELSE ? END
		WHERE agent = ? AND alarm = ? AND cleared IS NULL
		AND (jid = ? AND seq < ? OR jid NOT IN (?, ?) AND at < ?) RETURNING id`,
		r.at.UnixNano(), did, did, r.agent, r.alarm, r.jid, r.seq, r.jid, ownJournal, r.at.UnixNano())
}

// audit notes what the guard did about a passage or a device. What is done about a passage
// is not said of a call about it that has ended: that says how it has ended.
func (c *change) audit(e follow.Entry) error {
	done, ok := follow.Body[*wire.Audit](e.Record)
	if !ok || e.Ahead || (done.Passage == 0 && done.Alarm == "") {
		return nil
	}
	return c.update(`UPDATE alerts SET guard = ? WHERE jid = ? AND seq < ? AND
		((passage = ? AND passage <> 0 AND NOT (type = '`+string(fact.AlarmHelpCalled)+`' AND cleared IS NOT NULL))
		OR (alarm = ? AND cleared IS NULL)) RETURNING id`,
		done.Action, e.JID, e.Record.Seq, done.Passage, done.Alarm)
}

// update runs a statement that returns the ids of the alerts it has changed.
func (c *change) update(statement string, args ...any) error {
	_, err := c.count(statement, args...)
	return err
}

// count is update, and returns how many alerts the statement has changed.
func (c *change) count(statement string, args ...any) (int, error) {
	ids, err := db.All(c.ctx, c.tx, db.Value[int64], statement, args...)
	if err != nil {
		return 0, fmt.Errorf("change alerts: %w", err)
	}
	for _, id := range ids {
		c.changed[id] = true
	}
	return len(ids), nil
}
