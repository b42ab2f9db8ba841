package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Places says where a run was: the compound that it covered, or coordinates; empty
// when that is not known. It reads what tx has written.
type Places interface {
	Place(ctx context.Context, tx *sql.Tx, run *wire.Run) (string, error)
}

// alarmOf returns the alarm that a run raises: only one that is over, and whose
// machine or crew needs somebody.
func alarmOf(run *wire.Run) (kind fact.AlarmType, raises bool) {
	if run.State != fact.RunClosed {
		return "", false
	}
	kind, raises = map[string]fact.AlarmType{
		"dry": fact.AlarmRunDry, "leak": fact.AlarmRunLeak, "disputed": fact.AlarmRunDisputed,
	}[run.Grade]
	return kind, raises
}

// run takes in the record of a run. A run may be recorded again with another grade,
// or withdrawn: then the alert of its former grade is over, and needs nobody.
func (c *change) run(e follow.Entry, places Places) error {
	run, ok := follow.Body[*wire.Run](e.Record)
	if !ok || e.Ahead {
		return nil
	}
	alarm := "run:" + run.Machine + "/" + run.ID
	kind, raises := alarmOf(run)
	now := c.now.UnixNano()
	err := c.update(`UPDATE alerts SET cleared = ?, acked = coalesce(acked, ?) WHERE alarm = ? AND about <> ''
		AND type <> ? AND cleared IS NULL RETURNING id`, now, now, alarm, kind)
	if err != nil || !raises {
		return err
	}
	about := About{Machine: run.Machine, Name: run.Name, Run: run.ID}
	if places != nil {
		if about.Place, err = places.Place(c.ctx, c.tx, run); err != nil {
			return fmt.Errorf("find the place of a run: %w", err)
		}
	}
	raw, err := json.Marshal(about)
	if err != nil {
		return err
	}
	text := string(raw)
	detail := strings.Join(run.Reasons, ", ")
	n, err := c.count(`UPDATE alerts SET detail = ?, about = ?, cleared = NULL,
		acked = CASE WHEN cleared IS NOT NULL AND acked_by = '' THEN NULL ELSE acked END
		WHERE alarm = ? AND about <> '' AND type = ? RETURNING id`, detail, text, alarm, kind)
	if err != nil || n > 0 {
		return err
	}
	var acked *int64
	if e.Rebuilt && c.now.Sub(run.End.Time) > staleAfter {
		acked = &now
	}
	return c.update(`INSERT INTO alerts (agent, jid, alarm, type, device, detail, passage, seq, said, at, acked, about)
		VALUES (?, ?, ?, ?, '', ?, 0, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`,
		e.Agent, e.JID, alarm, kind, detail, e.Record.Seq, e.Record.Seq, run.End.UnixNano(), acked, text)
}
