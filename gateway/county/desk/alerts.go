package desk

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// Alert is one condition that needs somebody.
type Alert struct {
	ID        int64          `json:"id"`
	Agent     string         `json:"agent"`
	Type      fact.AlarmType `json:"type"`                  // as in WIRE.md, and gate-silent
	Level     string         `json:"level"`                 // red, amber, or over: the condition has ended
	Device    string         `json:"device,omitempty"`      //
	Detail    string         `json:"detail,omitempty"`      // for engineers, English: the latest words
	Screening *fact.Temp     `json:"screening_c,omitempty"` //
	At        time.Time      `json:"at"`                    // when it was raised
	Cleared   *time.Time     `json:"cleared,omitempty"`     // the condition has ended
	Guard     string         `json:"guard,omitempty"`       // what the guard did
	Acked     *time.Time     `json:"acked,omitempty"`       //
	AckedBy   string         `json:"acked_by,omitempty"`    //
	Note      string         `json:"note,omitempty"`        //
}

// What the desk sees by itself.
const (
	ownJournal = "desk"
)

// open is what stays on the list: a condition until it has ended and somebody
// has seen it, what happened once until somebody has seen it. A silence that has
// ended needs nobody: it leaves the list and stays in the history.
const open = "(acked IS NULL OR (cleared IS NULL AND type NOT IN ('" + string(fact.AlarmFever) + "', '" + string(fact.AlarmJournalLost) + "')))" +
	" AND NOT (cleared IS NOT NULL AND type IN ('" + string(fact.AlarmGateSilent) + "', '" + string(fact.AlarmGatesSilent) + "'))"

// urgentFirst orders alerts for a list that is cut: no fever falls off its end.
const urgentFirst = "type <> '" + string(fact.AlarmFever) + "', cleared IS NOT NULL, at DESC"

// open reports whether a stays on the list, as the constant open does.
func (a Alert) open() bool {
	if a.Cleared != nil && a.Type.Alarm().Fleeting {
		return false
	}
	return a.Acked == nil || a.Cleared == nil && !a.Type.Alarm().Happened
}

// listed is how many open alerts the pages get; the newest count.
const listed = 300

// level tells what needs somebody now from what needs somebody soon, and from
// what has ended.
func (a Alert) level() string {
	kind := a.Type.Alarm()
	if a.Cleared != nil && !kind.Happened {
		return "over"
	}
	return string(kind.Level)
}

// alarm takes an alarm record in. It may come twice, ahead of its journal and
// in its order; seqs tell which word is the later one.
func (in *intake) alarm(agent, jid string, r wire.Record) error {
	a, ok := bodyOf[*wire.Alarm](r)
	if !ok {
		return nil
	}
	w := word{agent: agent, jid: jid, alarm: a.ID, seq: r.Seq, at: r.At.Time}
	if a.State == fact.AlarmCleared {
		return in.cleared(w)
	}
	return in.raised(w, a)
}

// word names an alarm record.
type word struct {
	agent, jid string
	alarm      string // id at its source
	seq        uint64
	at         time.Time
}

// raised takes in an alarm that was raised, or is told in other words: those
// change neither who has acknowledged it nor how many rows there are.
func (in *intake) raised(w word, a *wire.Alarm) error {
	first := cmp.Or(a.Updates, w.seq)
	if !a.Type.Alarm().Happened {
		if err := in.before(w, first); err != nil {
			return err
		}
	}
	var acked, by any
	if in.rebuild && time.Since(w.at) > staleAfter {
		acked, by = time.Now().UnixNano(), ""
	}
	rows, err := in.tx.QueryContext(in.ctx, `INSERT INTO alerts
		(agent, jid, alarm, type, device, detail, screening, passage, seq, said, at, acked, acked_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, '')) ON CONFLICT DO UPDATE SET
		detail = CASE WHEN excluded.said > said THEN excluded.detail ELSE detail END,
		said = max(said, excluded.said), at = min(at, excluded.at)
		WHERE excluded.said > said OR excluded.at < at RETURNING id`,
		w.agent, w.jid, w.alarm, a.Type, a.Device, a.Detail, number(a.Screening), a.Passage, first, w.seq,
		w.at.UnixNano(), acked, by)
	if err != nil {
		return fmt.Errorf("note an alarm of %s: %w", w.agent, err)
	}
	return in.touched(rows)
}

// before settles what is known of an alarm that w raises or tells in other
// words. Raised anew, it had ended, whether its end was heard of or not. Other
// words may come under another jid than the first ones: of a renewed journal.
func (in *intake) before(w word, first uint64) error {
	if first == w.seq {
		return in.cleared(w)
	}
	_, err := in.tx.ExecContext(in.ctx, `UPDATE alerts SET jid = ? WHERE agent = ? AND alarm = ? AND seq = ?
		AND jid NOT IN (?, ?) AND cleared IS NULL`,
		w.jid, w.agent, w.alarm, first, w.jid, ownJournal)
	if err != nil {
		return fmt.Errorf("note an alarm of %s: %w", w.agent, err)
	}
	return nil
}

// cleared notes that an alarm had ended at w. What the agent's former journals
// say of it ends with it: the agent goes on in the new one.
func (in *intake) cleared(w word) error {
	rows, err := in.tx.QueryContext(in.ctx, `UPDATE alerts SET cleared = ?
		WHERE agent = ? AND alarm = ? AND cleared IS NULL
		AND (jid = ? AND seq < ? OR jid NOT IN (?, ?) AND at < ?) RETURNING id`,
		w.at.UnixNano(), w.agent, w.alarm, w.jid, w.seq, w.jid, ownJournal, w.at.UnixNano())
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
	a.At, a.Cleared, a.Acked, a.Screening = instant(at), maybe(cleared), maybe(acked), temp(screening)
	a.Level = a.level()
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

func temp(n *int64) *fact.Temp {
	if n == nil {
		return nil
	}
	t := fact.Temp(*n)
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

// Acknowledge says that user has seen an alert. The error wraps ErrGone when
// somebody was faster, or there is no such alert. It may be called from any
// goroutine.
func (d *Desk) Acknowledge(ctx context.Context, id int64, user, note string) error {
	err := d.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE alerts SET acked = ?, acked_by = ?, note = ? WHERE id = ? AND acked IS NULL",
			time.Now().UnixNano(), user, note, id)
		if err != nil {
			return fmt.Errorf("acknowledge an alert: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrGone, err)
		}
		return nil
	})
	// Also when somebody was faster: the page that asked may show what is gone.
	return errors.Join(err, d.tell(ctx, id))
}

// tell gives the pages an alert as it is now, or takes it off their list.
// Whoever has changed the row calls it after the commit, from any goroutine:
// one at a time, so that the last to tell has read what all have written.
func (d *Desk) tell(ctx context.Context, id int64) error {
	d.telling.Lock()
	defer d.telling.Unlock()
	list, err := d.alerts(ctx, "id = ?", id)
	if err != nil || len(list) == 0 {
		return err
	}
	key := "a:" + strconv.FormatInt(id, 10)
	if !list[0].open() {
		d.Hub.Delete(key)
		return nil
	}
	return live.Set(d.Hub, key, list[0])
}
