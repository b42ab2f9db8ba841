package command

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

// State says how far a command has come.
type State string

// The states.
const (
	Asked       State = "asked"       // the gate was asked for a nonce
	Undelivered State = "undelivered" // it did not answer in time: nothing was sent, and nothing will be done
	Sent        State = "sent"        //
	Unknown     State = "unknown"     // sent, and no record of the outcome yet: whether it was done is not known
	Done        State = "done"        //
	Refused     State = "refused"     // by the gate: nothing was done
)

// Row is a command as the desk shows it.
type Row struct {
	Request

	ID     string          `json:"id"`
	By     string          `json:"by"`
	Asked  time.Time       `json:"asked"`
	State  State           `json:"state"`
	Ended  *time.Time      `json:"ended,omitempty"` // of a gate's record of the outcome
	Why    fact.CommandWhy `json:"why,omitempty"`
	Detail string          `json:"detail,omitempty"`
}

// Last returns the last commands of a gate, the newest first, as they are at now.
func (c *Commands) Last(ctx context.Context, now time.Time, agent string, most int) ([]Row, error) {
	list, err := db.All(ctx, c.opts.File.Reader(), scan(now), columns+" WHERE agent = ? ORDER BY asked DESC LIMIT ?",
		agent, most)
	if err != nil {
		return nil, fmt.Errorf("read the commands of gate %s: %w", agent, err)
	}
	return list, nil
}

// StateOf returns a command as it is at now; its state is empty when it is not known.
func (c *Commands) StateOf(ctx context.Context, now time.Time, id string) (Row, error) {
	x, _, err := db.One(ctx, c.opts.File.Reader(), scan(now), columns+" WHERE id = ?", id)
	if err != nil {
		return Row{}, fmt.Errorf("read the command %s: %w", id, err)
	}
	return x, nil
}

const columns = `SELECT id, agent, action, lane, zh, en, reason, by_user, asked, sent, ended, outcome, why, detail
	FROM commands`

// scan returns what reads a row of columns as it is at now.
func scan(now time.Time) func(db.Row) (Row, error) {
	return func(r db.Row) (x Row, err error) {
		var asked, sent, ended int64
		var outcome string
		err = r.Scan(
			&x.ID,
			&x.Agent,
			&x.Action,
			&x.Lane,
			&x.Zh,
			&x.En,
			&x.Reason,
			&x.By,
			&asked,
			&sent,
			&ended,
			&outcome,
			&x.Why,
			&x.Detail,
		)
		x.Asked = time.Unix(0, asked).UTC()
		if ended != 0 {
			x.Ended = new(time.Unix(0, ended).UTC())
		}
		x.State = stateOf(now, asked, sent, fact.CommandOutcome(outcome))
		return x, err
	}
}

// stateOf returns how far a command has come at now. A clock that was set back since shortens
// no wait.
func stateOf(now time.Time, asked, sent int64, outcome fact.CommandOutcome) State {
	since := func(at int64) time.Duration { return now.Sub(time.Unix(0, at)).Abs() }
	switch {
	case outcome == fact.CommandDone:
		return Done
	case outcome == fact.CommandRefused:
		return Refused
	case outcome == fact.CommandUnknown:
		return Unknown
	case sent != 0 && since(sent) < Patience:
		return Sent
	case sent != 0:
		return Unknown
	case since(asked) < Patience:
		return Asked
	}
	return Undelivered
}

// Kinds implements follow.Follower.
func (*Commands) Kinds() []wire.Kind { return []wire.Kind{wire.KindAudit} }

// Apply implements follow.Follower. The first outcome of a command counts, and only that of
// the gate that was commanded; unknown gives way to a later one.
func (*Commands) Apply(
	ctx context.Context, tx *sql.Tx, _ time.Time, entries []follow.Entry,
) (follow.Committed, error) {
	for _, e := range entries {
		a, ok := follow.Body[*wire.Audit](e.Record)
		if !ok || a.Command == nil {
			continue
		}
		_, err := tx.ExecContext(ctx, `UPDATE commands SET ended = ?, outcome = ?, why = ?, detail = ?
			WHERE id = ? AND agent = ? AND outcome IN ('', ?)`, e.Record.At.UnixNano(), a.Command.Outcome,
			a.Command.Why, a.Command.Detail, a.Command.ID, e.Agent, fact.CommandUnknown)
		if err != nil {
			return nil, fmt.Errorf("keep what became of a command: %w", err)
		}
	}
	return nil, nil
}

// Reset implements follow.Follower: what was done was done, whatever becomes of its journal.
func (*Commands) Reset(context.Context, *sql.Tx, string, string) (follow.Committed, error) {
	return nil, nil
}
