package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/calls"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// ErrNoCall is the error of Answer and End when there is no such call, or it has ended.
var ErrNoCall = errors.New("the call has ended, or does not exist")

// openCalls is the condition of the calls that have not ended in SQL.
const openCalls = "type = '" + string(fact.AlarmHelpCalled) + "' AND cleared IS NULL"

// called keeps what the county knows of a call that has just come. A gate has a few calls at
// most that have not ended: others are kept as ended, so that a gate that calls without end
// hides no other one's call.
func (c *change) called(r report, alarm *wire.Alarm, first uint64) error {
	role, ok := fact.CalledRole(alarm.ID)
	if !ok {
		return nil // an alert with its own words only
	}
	text, err := json.Marshal(calls.Call{Role: role, Came: c.now.UTC()})
	if err != nil {
		return err
	}
	n, err := c.count("UPDATE alerts SET call = ? WHERE jid = ? AND alarm = ? AND seq = ? AND call = '' RETURNING id",
		string(text), r.jid, r.alarm, first)
	if err != nil || n == 0 {
		return err
	}
	open, _, err := db.One(c.ctx, c.tx, db.Value[int], "SELECT count(*) FROM alerts WHERE agent = ? AND "+openCalls,
		r.agent)
	if err != nil || open <= wire.MaxDeskCalls {
		return err
	}
	return c.update(`UPDATE alerts SET cleared = ?, acked = ?, note = ?
		WHERE jid = ? AND alarm = ? AND seq = ? RETURNING id`, c.now.UnixNano(), c.now.UnixNano(),
		fmt.Sprintf("%d calls of this gate had not ended: look there", wire.MaxDeskCalls), r.jid, r.alarm, first)
}

// OpenCall is a call that has not ended.
type OpenCall struct {
	ID    int64  // of the alert
	Agent string // the gate
	Alarm string // its id there
	Asked time.Time
	Seen  *time.Time
	calls.Call
}

// Said returns the call as the gate is told of it.
func (o OpenCall) Said() wire.DeskCall {
	d := wire.DeskCall{ID: o.Alarm, Asked: wire.At(o.Asked), State: o.State(o.Seen), At: wire.At(o.Asked)}
	switch d.State {
	case fact.CallAsked:
	case fact.CallSeen:
		d.At = wire.At(*o.Seen)
	case fact.CallAnswered:
		d.At, d.Answer, d.Minutes, d.Phone = wire.At(*o.Answered), o.Call.Answer.Answer, o.Minutes, o.Phone
	}
	return d
}

// Calls returns the calls that have not ended, the oldest first.
func (a *Alerts) Calls(ctx context.Context) ([]OpenCall, error) {
	return callsOf(ctx, a.file.Reader(), openCalls+" AND call <> '' ORDER BY at, id")
}

func callsOf(ctx context.Context, q db.Querier, where string, args ...any) ([]OpenCall, error) {
	list, err := db.All(ctx, q, func(r db.Row) (o OpenCall, err error) {
		var at int64
		var seen *int64
		var text string
		if err = r.Scan(&o.ID, &o.Agent, &o.Alarm, &at, &seen, &text); err == nil {
			err = json.Unmarshal([]byte(text), &o.Call)
		}
		o.Asked, o.Seen = instant(at), instantOf(seen)
		return o, err
	}, "SELECT id, agent, alarm, at, acked, call FROM alerts WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the calls of gates: %w", err)
	}
	return list, nil
}

// Answer answers a call at now in the name of by. The error wraps ErrNoCall when there is
// no such call any more.
func (a *Alerts) Answer(ctx context.Context, now time.Time, id int64, by audit.By, answer calls.Answer) error {
	if err := answer.Check(); err != nil {
		return err
	}
	return a.onCall(ctx, id, func(tx *sql.Tx, o OpenCall) error {
		o.Give(answer, by.Actor, now.UTC())
		_, err := tx.ExecContext(ctx, `UPDATE alerts SET acked_by = CASE WHEN acked IS NULL THEN ? ELSE acked_by END,
			acked = coalesce(acked, ?) WHERE id = ?`, by.Actor, now.UnixNano(), id)
		return errors.Join(err, keepCall(ctx, tx, o), audit.Append(ctx, tx, now, by, audit.Act{Action: audit.AnswerCall,
			Object: object(id), Detail: fmt.Sprintf("%s asked for by %s: %s", o.Role, o.Agent, answer.Answer)}))
	})
}

// End ends a call at the county: its gate can't, or need not, say that it has ended.
func (a *Alerts) End(ctx context.Context, now time.Time, id int64, by audit.By) error {
	return a.onCall(ctx, id, func(tx *sql.Tx, o OpenCall) error {
		_, err := tx.ExecContext(ctx, `UPDATE alerts SET acked_by = CASE WHEN acked IS NULL THEN ? ELSE acked_by END,
			acked = coalesce(acked, ?), cleared = ? WHERE id = ?`, by.Actor, now.UnixNano(), now.UnixNano(), id)
		return errors.Join(err, audit.Append(ctx, tx, now, by, audit.Act{Action: audit.EndCall,
			Object: object(id), Detail: fmt.Sprintf("%s asked for by %s", o.Role, o.Agent)}))
	})
}

// onCall changes a call that has not ended, and shows it.
func (a *Alerts) onCall(ctx context.Context, id int64, do func(*sql.Tx, OpenCall) error) error {
	err := a.file.Write(ctx, func(tx *sql.Tx) error {
		list, err := callsOf(ctx, tx, openCalls+" AND call <> '' AND id = ?", id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return ErrNoCall
		}
		return do(tx, list[0])
	})
	if err != nil && !errors.Is(err, ErrNoCall) {
		return fmt.Errorf("answer a call: %w", err)
	}
	return errors.Join(err, a.show(ctx, id)) // the page that asked may still show it
}

func keepCall(ctx context.Context, tx *sql.Tx, o OpenCall) error {
	text, err := json.Marshal(o.Call)
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE alerts SET call = ? WHERE id = ?", string(text), o.ID)
	}
	return err
}

// Remind raises those of the calls again that nobody has answered for after, and returns
// those that it has raised. It also shows what a command in another process has changed.
func (a *Alerts) Remind(ctx context.Context, now time.Time, after time.Duration) (again []OpenCall, err error) {
	open, err := a.Calls(ctx)
	if err != nil {
		return nil, err
	}
	states := map[int64]string{}
	for _, o := range open {
		if o.Due(o.Asked, now, after) {
			o.Raise(now.UTC())
			if err := a.file.Write(ctx, func(tx *sql.Tx) error { return keepCall(ctx, tx, o) }); err != nil {
				return again, fmt.Errorf("raise a call again: %w", err)
			}
			again = append(again, o)
		}
		states[o.ID] = fmt.Sprint(o.State(o.Seen), o.Again, o.Answered)
	}
	for id, was := range a.calls {
		if states[id] != was {
			err = errors.Join(err, a.show(ctx, id))
		}
	}
	for id := range states {
		if _, known := a.calls[id]; !known {
			err = errors.Join(err, a.show(ctx, id))
		}
	}
	a.calls = states
	return again, err
}
