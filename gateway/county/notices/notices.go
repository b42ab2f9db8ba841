// Package notices keeps what the county tells its guards: short texts for all gates, those
// of a community, or one gate, each until a time. Its table is in the desk's file.
package notices

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/wire"
)

const (
	most    = 50 // notices that are in force at one time
	longest = 30 * 24 * time.Hour
)

// Errors that a person at the desk can act on.
var (
	ErrText  = errors.New("the Chinese text is missing, or a text is no single line of 200 characters at most")
	ErrUntil = errors.New("a notice ends after now, and within 30 days")
	ErrWhere = errors.New("the site file has no such gate or community")
	ErrMany  = errors.New("too many notices: remove those that nobody needs (a gate shows 4, the county keeps 50)")
	ErrGone  = errors.New("the notice was removed already, or does not exist")
)

// Schema creates the table. Times are unix nanoseconds. It is a step of the desk's file.
const Schema = `
CREATE TABLE notices (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	zh      TEXT NOT NULL,
	en      TEXT NOT NULL,
	community TEXT NOT NULL,         -- id; empty: of all
	gate    TEXT NOT NULL,           -- id; empty: of all of the community
	written INTEGER NOT NULL,
	by_user TEXT NOT NULL,
	until   INTEGER NOT NULL
);`

// Where says which gates a notice is for: one, those of a community, or with neither all.
type Where struct {
	Community string `json:"community,omitempty"` // id
	Gate      string `json:"gate,omitempty"`      // id
}

// String says for which gates, for people.
func (w Where) String() string {
	switch {
	case w.Gate != "":
		return "for gate " + w.Gate
	case w.Community != "":
		return "for community " + w.Community
	}
	return "for all gates"
}

// Notice is a text for guards.
type Notice struct {
	Where

	ID      uint64    `json:"id"`
	Zh      string    `json:"zh"`
	En      string    `json:"en,omitempty"`
	Written time.Time `json:"written"`
	By      string    `json:"by"`
	Until   time.Time `json:"until"`
}

// Sites knows the county's gates.
type Sites interface {
	// Place returns where a gate is.
	Place(gate string) (community, grid, compound string, ok bool)
	// Agents returns all gates.
	Agents() []string
}

// Notices are those of a desk. The methods may be called from any goroutine.
type Notices struct {
	file  *db.File
	sites Sites
}

// New returns the notices of a file.
func New(file *db.File, sites Sites) *Notices { return &Notices{file: file, sites: sites} }

// Write keeps a notice that by has written at now. It sets ID, Written and By.
func (n *Notices) Write(ctx context.Context, now time.Time, by audit.By, x Notice) (Notice, error) {
	x.Zh, x.En, x.Written, x.By = oneLine(x.Zh), oneLine(x.En), now.UTC(), by.Actor
	switch {
	case x.Zh == "" || wire.CheckNotice(x.Zh) != nil || wire.CheckNotice(x.En) != nil:
		return x, ErrText
	case !x.Until.After(now) || x.Until.Sub(now) > longest:
		return x, ErrUntil
	}
	gates := n.gates(x.Where)
	if len(gates) == 0 {
		return x, ErrWhere
	}
	err := n.file.Write(ctx, func(tx *sql.Tx) error {
		held, err := current(ctx, tx, now)
		if err != nil {
			return err
		}
		if len(held) >= most || n.full(held, gates) {
			return ErrMany
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO notices (zh, en, community, gate, written, by_user, until)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, x.Zh, x.En, x.Community, x.Gate, now.UnixNano(), x.By, x.Until.UnixNano())
		if err != nil {
			return err
		}
		id, err := res.LastInsertId()
		x.ID = uint64(max(0, id))
		return errors.Join(err, audit.Append(ctx, tx, now, by, audit.Act{Action: audit.WriteNotice,
			Object: object(x.ID), Detail: x.Where.String() + ", until " + x.Until.UTC().Format(time.RFC3339)}))
	})
	if err != nil {
		return x, fmt.Errorf("write a notice: %w", err)
	}
	return x, nil
}

// oneLine trims a text and replaces blanks of other widths and line breaks by plain ones.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// gates returns the gates that a notice is for.
func (n *Notices) gates(w Where) (out []string) {
	for _, gate := range n.sites.Agents() {
		if n.concerns(w, gate) {
			out = append(out, gate)
		}
	}
	return out
}

func (n *Notices) concerns(w Where, gate string) bool {
	community, _, _, _ := n.sites.Place(gate)
	return (w.Gate == "" || w.Gate == gate) && (w.Community == "" || w.Community == community)
}

// full reports whether one of the gates has as many notices as it shows.
func (n *Notices) full(held []Notice, gates []string) bool {
	for _, gate := range gates {
		shows := 0
		for _, x := range held {
			if n.concerns(x.Where, gate) {
				shows++
			}
		}
		if shows >= wire.MaxDeskNotices {
			return true
		}
	}
	return false
}

// object names a notice in the audit.
func object(id uint64) string { return "notice " + strconv.FormatUint(id, 10) }

// Remove ends a notice; the error wraps ErrGone when there is no such one.
func (n *Notices) Remove(ctx context.Context, now time.Time, by audit.By, id uint64) error {
	id = min(id, wire.MaxSeq)
	err := n.file.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM notices WHERE id = ?", id)
		if err != nil {
			return err
		}
		if gone, err := res.RowsAffected(); err != nil || gone == 0 {
			return errors.Join(ErrGone, err)
		}
		return audit.Append(ctx, tx, now, by, audit.Act{Action: audit.RemoveNotice, Object: object(id)})
	})
	if err != nil {
		return fmt.Errorf("remove a notice: %w", err)
	}
	return nil
}

// Current returns the notices that are in force at now, the newest first.
func (n *Notices) Current(ctx context.Context, now time.Time) ([]Notice, error) {
	list, err := current(ctx, n.file.Reader(), now)
	if err != nil {
		return nil, fmt.Errorf("read the notices: %w", err)
	}
	return list, nil
}

func current(ctx context.Context, q db.Querier, now time.Time) ([]Notice, error) {
	return db.All(ctx, q, func(r db.Row) (x Notice, err error) {
		var written, until int64
		err = r.Scan(&x.ID, &x.Zh, &x.En, &x.Community, &x.Gate, &written, &x.By, &until)
		x.Written, x.Until = time.Unix(0, written).UTC(), time.Unix(0, until).UTC()
		return x, err
	}, `SELECT id, zh, en, community, gate, written, by_user, until FROM notices
		WHERE until > ? ORDER BY id DESC LIMIT ?`, now.UnixNano(), most)
}

// For returns those of list that a gate shows, as it is told of them.
func (n *Notices) For(list []Notice, gate string) (out []wire.DeskNotice) {
	for _, x := range list {
		if len(out) < wire.MaxDeskNotices && n.concerns(x.Where, gate) {
			out = append(out, wire.DeskNotice{ID: x.ID, Zh: x.Zh, En: x.En, Until: wire.At(x.Until)})
		}
	}
	return out
}

// Prune removes notices that are over.
func (n *Notices) Prune(ctx context.Context, now time.Time) error {
	if _, err := n.file.Exec(ctx, "DELETE FROM notices WHERE until <= ?", now.UnixNano()); err != nil {
		return fmt.Errorf("remove old notices: %w", err)
	}
	return nil
}
