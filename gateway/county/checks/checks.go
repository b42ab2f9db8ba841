// Package checks keeps the last field check of each of the county's thermometers. It follows
// the store; its table is in the desk's file.
package checks

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/wire"
)

// Schema creates the table. It is a step of the desk's file.
const Schema = `
CREATE TABLE thermometers (
	agent  TEXT NOT NULL,
	device TEXT NOT NULL,
	checks TEXT NOT NULL,            -- the last ones, as JSON
	PRIMARY KEY (agent, device)
) WITHOUT ROWID;`

// Last are the last field checks of one thermometer. Its zero value is of one of which none
// is known.
type Last struct {
	Done *wire.FieldCheck `json:"done,omitempty"` // the newest with a result
	Now  *wire.FieldCheck `json:"now,omitempty"`  // a newer one that is open, or was given up
}

// Take takes in a record of a check. Those of one thermometer may come in any order.
func (l *Last) Take(c *wire.FieldCheck) {
	older := func(x *wire.FieldCheck) bool { return x == nil || !x.Began.After(c.Began.Time) }
	switch {
	case c.Result != nil && older(l.Done):
		l.Done = c
	case c.Result == nil && older(l.Now):
		l.Now = c
	}
	if l.Done != nil && l.Now != nil && !l.Now.Began.After(l.Done.Began.Time) {
		l.Now = nil
	}
}

// Overdue reports whether the next check should have been made by now.
func (l Last) Overdue(now time.Time) bool { return l.Done != nil && now.After(l.Done.Result.Due.Time) }

// Thermometer is one of the county's thermometers.
type Thermometer struct {
	Last

	Agent   string `json:"agent"`
	Device  string `json:"device"`
	Overdue bool   `json:"overdue,omitempty"`
}

// Checks are those of a county. All may be called from any goroutine, the other methods from
// the one that follows the store.
type Checks struct{ file *db.File }

// New returns the checks of a file.
func New(file *db.File) *Checks { return &Checks{file} }

// All returns the thermometers: those whose check is overdue first, then those of which no
// check is known, then those whose next check is due first.
func (c *Checks) All(ctx context.Context, now time.Time) ([]Thermometer, error) {
	all, err := db.All(ctx, c.file.Reader(), func(r db.Row) (t Thermometer, err error) {
		var text string
		if err = r.Scan(&t.Agent, &t.Device, &text); err == nil {
			err = json.Unmarshal([]byte(text), &t.Last)
		}
		t.Overdue = t.Last.Overdue(now)
		return t, err
	}, "SELECT agent, device, checks FROM thermometers ORDER BY agent, device")
	if err != nil {
		return nil, fmt.Errorf("read the field checks: %w", err)
	}
	rank := func(t Thermometer) int {
		switch {
		case t.Overdue:
			return 0
		case t.Done == nil:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b Thermometer) int {
		if by := cmp.Compare(rank(a), rank(b)); by != 0 || a.Done == nil || b.Done == nil {
			return by
		}
		return a.Done.Result.Due.Compare(b.Done.Result.Due.Time)
	})
	return append([]Thermometer{}, all...), nil
}

// Kinds implements follow.Follower.
func (*Checks) Kinds() []wire.Kind { return []wire.Kind{wire.KindCheck, wire.KindHealth} }

// Apply implements follow.Follower.
func (*Checks) Apply(
	ctx context.Context, tx *sql.Tx, _ time.Time, entries []follow.Entry,
) (follow.Committed, error) {
	for _, e := range entries {
		var err error
		switch e.Record.Kind {
		case wire.KindHealth:
			err = seen(ctx, tx, e)
		case wire.KindCheck:
			err = took(ctx, tx, e)
		}
		if err != nil {
			return nil, fmt.Errorf("keep a field check: %w", err)
		}
	}
	return nil, nil
}

// Reset implements follow.Follower: a check stays one, whatever becomes of its journal.
func (*Checks) Reset(context.Context, *sql.Tx, string, string) (follow.Committed, error) {
	return nil, nil
}

// seen notes that a gate has a thermometer.
func seen(ctx context.Context, tx *sql.Tx, e follow.Entry) error {
	h, ok := follow.Body[*wire.Health](e.Record)
	if !ok || h.Model == "" {
		return nil
	}
	m, err := devices.Find(h.Model)
	if err != nil || m.Kind != devices.KindThermometer {
		return nil //nolint:nilerr // a model of a newer agent
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO thermometers (agent, device, checks) VALUES (?, ?, '{}') "+
		"ON CONFLICT DO NOTHING", e.Agent, h.Device)
	return err
}

// took takes in a record of a check.
func took(ctx context.Context, tx *sql.Tx, e follow.Entry) error {
	c, ok := follow.Body[*wire.FieldCheck](e.Record)
	if !ok {
		return nil
	}
	text, found, err := db.One(ctx, tx, db.Value[string],
		"SELECT checks FROM thermometers WHERE agent = ? AND device = ?", e.Agent, c.Device)
	var l Last
	if err == nil && found {
		err = json.Unmarshal([]byte(text), &l)
	}
	if err != nil {
		return err
	}
	l.Take(c)
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO thermometers (agent, device, checks) VALUES (?, ?, ?) "+
		"ON CONFLICT DO UPDATE SET checks = excluded.checks", e.Agent, c.Device, string(b))
	return err
}
