package desk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// Alert is one condition that needs somebody.
type Alert struct {
	ID        int64      `json:"id"`
	Agent     string     `json:"agent"`
	Type      string     `json:"type"`                  // as in WIRE.md, and gate-silent
	Level     string     `json:"level"`                 // red, amber
	Device    string     `json:"device,omitempty"`      //
	Detail    string     `json:"detail,omitempty"`      // for engineers, English
	Screening *wire.Temp `json:"screening_c,omitempty"` //
	At        time.Time  `json:"at"`                    //
	Cleared   *time.Time `json:"cleared,omitempty"`     // the condition has ended
	Guard     string     `json:"guard,omitempty"`       // what the guard did
	Acked     *time.Time `json:"acked,omitempty"`       //
	AckedBy   string     `json:"acked_by,omitempty"`    //
	Note      string     `json:"note,omitempty"`        //
}

// What the desk sees by itself.
const (
	ownJournal = "desk"
	typeSilent = "gate-silent"
	typeFever  = "fever"
)

// open is what stays on the list: a condition until it has ended and somebody
// has seen it, what happened once until somebody has seen it.
const open = "(acked IS NULL OR (cleared IS NULL AND type NOT IN ('" + typeFever + "', '" + typeLost + "')))"

// happened tells what happened once from a condition that will end.
func happened(kind string) bool { return kind == typeFever || kind == typeLost }

// listed is how many open alerts the pages get; the newest count.
const listed = 300

// level tells what needs somebody now from what needs somebody soon.
func level(kind string) string {
	if kind == typeFever || kind == typeSilent || strings.HasPrefix(kind, "journal-") || strings.HasPrefix(kind, "collector-") || kind == typeCloned {
		return "red"
	}
	return "amber"
}

// alarm takes an alarm record in. It may come twice, ahead of its journal and
// in its order; seqs tell which word is the later one.
func (in *intake) alarm(agent, jid string, r wire.Record) error {
	a, ok := bodyOf[*wire.Alarm](r)
	if !ok {
		return nil
	}
	if a.State == wire.AlarmCleared {
		return in.cleared(jid, a.ID, r.Seq, r.At.Time)
	}
	return in.raised(Alert{Agent: agent, Type: a.Type, Device: a.Device, Detail: a.Detail, Screening: a.Screening, At: r.At.Time},
		jid, a.ID, r.Seq, a.Passage)
}

func (in *intake) raised(a Alert, jid, alarm string, seq, passage uint64) error {
	var acked, by any
	if in.rebuild && time.Since(a.At) > staleAfter {
		acked, by = time.Now().UnixNano(), ""
	}
	res, err := in.tx.ExecContext(in.ctx, `INSERT INTO alerts (agent, jid, alarm, type, device, detail, screening, passage, seq, at, acked, acked_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, '')) ON CONFLICT DO NOTHING`,
		a.Agent, jid, alarm, a.Type, a.Device, a.Detail, number(a.Screening), passage, seq, a.At.UnixNano(), acked, by)
	if err != nil {
		return fmt.Errorf("note an alarm of %s: %w", a.Agent, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	id, err := res.LastInsertId()
	in.alerts[id] = true
	return err
}

func (in *intake) cleared(jid, alarm string, seq uint64, at time.Time) error {
	rows, err := in.tx.QueryContext(in.ctx, "UPDATE alerts SET cleared = ? WHERE jid = ? AND alarm = ? AND seq < ? AND cleared IS NULL RETURNING id",
		at.UnixNano(), jid, alarm, seq)
	if err != nil {
		return fmt.Errorf("note that an alarm has ended: %w", err)
	}
	return in.touched(rows)
}

// audit notes what the guard did about a passage or a device.
func (in *intake) audit(jid string, r wire.Record) error {
	a, ok := bodyOf[*wire.Audit](r)
	if !ok || (a.Passage == 0 && a.Alarm == "") {
		return nil
	}
	rows, err := in.tx.QueryContext(in.ctx, `UPDATE alerts SET guard = ? WHERE jid = ? AND seq < ? AND
		((passage = ? AND passage <> 0) OR (alarm = ? AND cleared IS NULL)) RETURNING id`, a.Action, jid, r.Seq, a.Passage, a.Alarm)
	if err != nil {
		return fmt.Errorf("note what a guard did: %w", err)
	}
	return in.touched(rows)
}

func (in *intake) touched(rows *sql.Rows) error {
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		in.alerts[id] = true
	}
	return rows.Err()
}

const alertColumns = "id, agent, type, device, detail, screening, at, cleared, guard, acked, acked_by, note"

func scanAlert(row interface{ Scan(...any) error }) (a Alert, err error) {
	var at int64
	var screening, cleared, acked *int64
	err = row.Scan(&a.ID, &a.Agent, &a.Type, &a.Device, &a.Detail, &screening, &at, &cleared, &a.Guard, &acked, &a.AckedBy, &a.Note)
	a.Level, a.At, a.Cleared, a.Acked, a.Screening = level(a.Type), instant(at), maybe(cleared), maybe(acked), temp(screening)
	return a, err
}

func instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }

func maybe(ns *int64) *time.Time {
	if ns == nil {
		return nil
	}
	t := instant(*ns)
	return &t
}

func temp(n *int64) *wire.Temp {
	if n == nil {
		return nil
	}
	t := wire.Temp(*n)
	return &t
}

// Alerts gives the last alerts of a gate, or of all, the newest first.
func (d *Desk) Alerts(ctx context.Context, agent string, limit int) ([]Alert, error) {
	return d.alerts(ctx, "(? = '' OR agent = ?) ORDER BY at DESC LIMIT ?", agent, agent, limit)
}

func (d *Desk) alerts(ctx context.Context, where string, args ...any) ([]Alert, error) {
	rows, err := d.r.QueryContext(ctx, "SELECT "+alertColumns+" FROM alerts WHERE "+where, args...) //nolint:gosec // a constant
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	defer rows.Close()
	out := []Alert{}
	for rows.Next() {
		a, err := scanAlert(rows)
		if err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// ErrGone says that there is no such alert, or somebody has acknowledged it.
var ErrGone = errors.New("somebody has acknowledged it already")

// Acknowledge says that user has seen an alert.
func (d *Desk) Acknowledge(ctx context.Context, id int64, user, note string) error {
	res, err := d.w.ExecContext(ctx, "UPDATE alerts SET acked = ?, acked_by = ?, note = ? WHERE id = ? AND acked IS NULL", time.Now().UnixNano(), user, note, id)
	if err != nil {
		return fmt.Errorf("acknowledge an alert: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrGone, err)
	}
	return d.tell(ctx, id)
}

// tell gives the pages an alert as it is now, or takes it off their list.
func (d *Desk) tell(ctx context.Context, id int64) error {
	list, err := d.alerts(ctx, "id = ?", id)
	if err != nil || len(list) == 0 {
		return err
	}
	a := list[0]
	key := "a:" + strconv.FormatInt(id, 10)
	if a.Acked != nil && (a.Cleared != nil || happened(a.Type)) {
		d.Hub.Delete(key)
		return nil
	}
	return live.Set(d.Hub, key, a)
}
