// Package alerts keeps what needs somebody in the county: the alarms of gates
// and machines, what the county itself finds, and who has acknowledged it. It
// follows the store; its table is in the desk's file.
package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/calls"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
)

// Alert is an alarm as the county's screens have it.
type Alert struct {
	ID        int64          `json:"id"`
	Agent     string         `json:"agent"`
	Type      fact.AlarmType `json:"type"`
	Level     string         `json:"level"` // red, amber, or over: the condition has ended
	Device    string         `json:"device,omitempty"`
	Detail    string         `json:"detail,omitempty"` // for engineers, in English: the latest
	Screening *fact.Temp     `json:"screening_c,omitempty"`
	At        time.Time      `json:"at"`                // when it was raised
	Lasts     bool           `json:"lasts,omitempty"`   // a condition that holds
	Cleared   *time.Time     `json:"cleared,omitempty"` // when the condition ended; nil: it holds, or it has no end
	Guard     string         `json:"guard,omitempty"`   // what the guard did
	Acked     *time.Time     `json:"acked,omitempty"`
	AckedBy   string         `json:"acked_by,omitempty"`
	Note      string         `json:"note,omitempty"`
	Run       *About         `json:"run,omitempty"` // of an alert about a run
	Passage   *Passage       `json:"passage,omitempty"`
	Call      *Call          `json:"call,omitempty"`    // of a guard who asks for somebody
	Settled   *Settled       `json:"settled,omitempty"` // of a fever that was measured again
}

// Passage names the passage that an alert is about.
type Passage struct {
	Journal string `json:"journal"`
	Seq     uint64 `json:"seq"`
}

// About names the run that an alert is about.
type About struct {
	Machine string `json:"machine"`
	Name    string `json:"name"` // of the machine, for people
	Run     string `json:"run"`  // id
	Place   string `json:"place,omitempty"`
}

// Call is how far a call has come.
type Call struct {
	calls.Call

	State fact.CallState `json:"state"`
	Waits time.Time      `json:"waits"` // since when the guard waits, by the county's clock
}

// WithoutPerson returns the alert for those who may know that there is one, where and
// since when, but nothing about a person: neither a temperature, the passage, texts, nor
// what a guard asked for and did. One about a run is about nobody.
func (a Alert) WithoutPerson() Alert {
	if a.Run == nil {
		a.Screening, a.Passage, a.Call, a.Detail, a.Note, a.Guard = nil, nil, nil, "", "", ""
	}
	return a
}

// open reports whether an alert stays on the list, as openAlerts selects them.
func (a Alert) open() bool {
	if a.Cleared != nil && a.Type.Alarm().Fleeting {
		return false
	}
	return a.Acked == nil || a.Cleared == nil && !a.Type.Alarm().Happened
}

// level returns how soon an alert needs somebody.
func (a Alert) level() string {
	switch {
	case a.Cleared != nil:
		return "over"
	case a.Call != nil && a.Call.State == fact.CallAnswered:
		return string(fact.LevelAmber)
	}
	return string(a.Type.Alarm().Level)
}

// openAlerts is the condition of open alerts in SQL: a condition stays on the
// list until it has ended and is acknowledged, what happened until it is
// acknowledged, and a fleeting condition until it has ended.
func openAlerts() string {
	happened := typesOf(func(a fact.Alarm) bool { return a.Happened })
	fleeting := typesOf(func(a fact.Alarm) bool { return a.Fleeting })
	return "(acked IS NULL OR (cleared IS NULL AND type NOT IN (" + happened + ")))" +
		" AND NOT (cleared IS NOT NULL AND type IN (" + fleeting + "))"
}

// typesOf lists types of the catalogue for SQL.
func typesOf(which func(fact.Alarm) bool) string {
	var types []string
	for _, a := range fact.Alarms() {
		if which(a) {
			types = append(types, "'"+string(a.Type)+"'")
		}
	}
	return strings.Join(types, ", ")
}

// mostUrgent orders alerts for a list that is cut: those about somebody who waits for help
// come first.
func mostUrgent() string {
	urgent := typesOf(func(a fact.Alarm) bool { return a.Type.Overtakes() })
	return " ORDER BY cleared IS NOT NULL, type NOT IN (" + urgent + "), at DESC LIMIT ?"
}

// listed is how many open alerts the pages get.
const listed = 300

// Alerts is the county's list. Its methods may be called from any goroutine,
// except those that take in records or raise alarms: they are for the goroutine
// that follows the store.
type Alerts struct {
	file   *db.File
	hub    *live.Hub
	places Places

	showing sync.Mutex       // one alert at a time is read and shown
	ownSeq  uint64           // of the alarms that the county itself raises
	calls   map[int64]string // how far those that have not ended had come at the last Remind
}

// New returns the alerts of a file, which shows open ones on hub as a:<id>. places
// says where runs were; it may be nil.
func New(file *db.File, hub *live.Hub, places Places) *Alerts {
	return &Alerts{file: file, hub: hub, places: places}
}

// ErrGone is the error of Acknowledge when there is no such alert, or it is
// acknowledged already.
var ErrGone = errors.New("the alert is acknowledged already, or does not exist")

// Acknowledge notes that somebody has seen an alert. The error wraps ErrGone when
// somebody was faster, or there is no such alert.
func (a *Alerts) Acknowledge(ctx context.Context, now time.Time, id int64, by audit.By, note string) error {
	err := a.file.Write(ctx, func(tx *sql.Tx) error {
		var what string
		err := tx.QueryRowContext(ctx, "UPDATE alerts SET acked = ?, acked_by = ?, note = ?"+
			" WHERE id = ? AND acked IS NULL RETURNING type || ' at ' || agent",
			now.UnixNano(), by.Actor, note, id).Scan(&what)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrGone
		}
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, now, by, audit.Act{Action: audit.Acknowledge, Object: object(id), Detail: what})
	})
	if err != nil && !errors.Is(err, ErrGone) {
		return fmt.Errorf("acknowledge an alert: %w", err)
	}
	return errors.Join(err, a.show(ctx, id)) // the page that asked may still show it
}

// object names an alert in the audit.
func object(id int64) string { return "alert " + strconv.FormatInt(id, 10) }

// Last returns the last alerts of a gate, or of all (""), the newest first.
func (a *Alerts) Last(ctx context.Context, agent string, limit int) ([]Alert, error) {
	if agent == "" { // a statement of its own for each: so both use an index
		return a.read(ctx, "TRUE ORDER BY at DESC LIMIT ?", limit)
	}
	return a.read(ctx, "agent = ? ORDER BY at DESC LIMIT ?", agent, limit)
}

// OfRun reports whether an alert is about a run. The error wraps ErrGone when there is
// no such alert.
func (a *Alerts) OfRun(ctx context.Context, id int64) (bool, error) {
	run, found, err := db.One(ctx, a.file.Reader(), db.Value[bool], "SELECT about <> '' FROM alerts WHERE id = ?", id)
	if err != nil {
		return false, fmt.Errorf("read an alert: %w", err)
	}
	if !found {
		return false, ErrGone
	}
	return run, nil
}

// FirstOpen returns the seq of the first record of a journal that an open alert is
// about; found is false when there is none.
func (a *Alerts) FirstOpen(ctx context.Context, jid string) (seq uint64, found bool, err error) {
	seq, found, err = db.One(ctx, a.file.Reader(), db.Value[uint64],
		"SELECT seq FROM alerts WHERE "+openAlerts()+" AND jid = ? ORDER BY seq LIMIT 1", jid)
	if err != nil {
		return 0, false, fmt.Errorf("look for open alerts: %w", err)
	}
	return seq, found, nil
}

func (a *Alerts) read(ctx context.Context, where string, args ...any) ([]Alert, error) {
	out, err := db.All(ctx, a.file.Reader(), scanAlert, `SELECT id, agent, type, device, detail, screening, at,
		cleared, guard, acked, acked_by, note, about, call, settled, jid, passage FROM alerts WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return out, nil
}

func scanAlert(r db.Row) (a Alert, err error) {
	var at int64
	var cleared, acked *int64
	var about, call, settled string
	var of Passage
	err = r.Scan(&a.ID, &a.Agent, &a.Type, &a.Device, &a.Detail, &a.Screening, &at,
		&cleared, &a.Guard, &acked, &a.AckedBy, &a.Note, &about, &call, &settled, &of.Journal, &of.Seq)
	if err == nil && about != "" {
		a.Run = &About{}
		err = json.Unmarshal([]byte(about), a.Run)
	}
	a.Lasts = cleared == nil && !a.Type.Alarm().Happened
	a.At, a.Cleared, a.Acked = instant(at), instantOf(cleared), instantOf(acked)
	if err == nil && call != "" {
		a.Call = &Call{}
		err = json.Unmarshal([]byte(call), &a.Call.Call)
		a.Call.State, a.Call.Waits = a.Call.Call.State(a.Acked), a.Call.Call.Waits(a.At)
	}
	if err == nil && settled != "" {
		a.Settled = &Settled{}
		err = json.Unmarshal([]byte(settled), a.Settled)
	}
	if a.Level = a.level(); of.Seq != 0 {
		a.Passage = &of
	}
	return a, err
}

func instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }

func instantOf(ns *int64) *time.Time {
	if ns == nil {
		return nil
	}
	return new(instant(*ns))
}

// Show sends all open alerts to the pages, at the start.
func (a *Alerts) Show(ctx context.Context) error {
	list, err := a.read(ctx, openAlerts()+mostUrgent(), listed)
	for _, x := range list {
		err = errors.Join(err, a.show(ctx, x.ID))
	}
	return err
}

// show sends an alert to the pages, or removes it from their list.
// Whoever has changed the row calls it after the commit, from any goroutine.
// One at a time is read and shown, so that the last one has read what all have
// written.
func (a *Alerts) show(ctx context.Context, id int64) error {
	a.showing.Lock()
	defer a.showing.Unlock()
	list, err := a.read(ctx, "id = ?", id)
	if err != nil || len(list) == 0 {
		return err
	}
	key := "a:" + strconv.FormatInt(id, 10)
	if !list[0].open() {
		a.hub.Delete(key)
		return nil
	}
	return live.Set(a.hub, key, list[0])
}
