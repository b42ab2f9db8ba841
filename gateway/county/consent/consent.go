// Package consent keeps the acts for which the county needs two people: one asks, and
// another one agrees or refuses. What was agreed to may be done once, within an hour after
// it was asked for. Its table is in the desk's file, and each step is in the audit.
package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/people"
)

// Schema creates the table. Times are unix nanoseconds; 0: never. It is a step of the
// desk's file.
const Schema = `
CREATE TABLE consents (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	act        TEXT NOT NULL,
	object     TEXT NOT NULL,         -- what it is done to, as in the audit
	detail     TEXT NOT NULL,         -- for people, in English
	asked_by   TEXT NOT NULL,
	asked_at   INTEGER NOT NULL,
	expires    INTEGER NOT NULL,
	agreed_by  TEXT NOT NULL,
	agreed_at  INTEGER NOT NULL,
	refused_by TEXT NOT NULL,         -- by who asked: it was taken back
	refused_at INTEGER NOT NULL,
	done_at    INTEGER NOT NULL
);`

const (
	// For is how long after it was asked for something may be agreed to and done.
	For = time.Hour

	mostOpen = 50                 // requests that wait or may be used
	kept     = 7 * 24 * time.Hour // for how long the list shows what is over; the audit has it for ever
)

// Act is something that needs two people.
type Act string

// The acts.
const (
	Trace  Act = "trace"         // find the passages of a person at all gates
	Report Act = "access-report" // say what is held of a card
	End    Act = "end"           // end the county's operation, and destroy what is kept of people
	Rules  Act = "rules"         // put rules into force at gates
)

// may says which roles ask for an act, and which agree to it.
var may = []struct {
	act        Act
	ask, agree []people.Role
}{
	{Trace, []people.Role{people.Admin, people.Auditor}, []people.Role{people.Admin, people.Auditor}},
	{Report, []people.Role{people.Admin}, []people.Role{people.Admin, people.Auditor}},
	{End, []people.Role{people.Admin}, []people.Role{people.Admin, people.Auditor}},
	{Rules, []people.Role{people.Policy, people.Admin}, []people.Role{people.Policy, people.Admin}},
}

// Errors that a person can act on.
var (
	ErrSame   = errors.New("another person than the one who asks must agree")
	ErrGone   = errors.New("there is no such request, or it was decided, used, or has expired: ask again")
	ErrWaits  = errors.New("nobody has agreed yet")
	ErrNo     = errors.New("the request was refused")
	ErrOpen   = errors.New("too many requests wait for a second person: decide them first")
	ErrObject = errors.New("what was agreed to is something else")
)

// Request is what somebody asks for.
type Request struct {
	ID        int64      `json:"id"`
	Act       Act        `json:"act"`
	Object    string     `json:"object,omitempty"` // a kind and an id, as in the audit
	Detail    string     `json:"detail,omitempty"`
	AskedBy   string     `json:"asked_by"`
	AskedAt   time.Time  `json:"asked_at"`
	Expires   time.Time  `json:"expires"`
	AgreedBy  string     `json:"agreed_by,omitempty"` // empty: nobody yet
	RefusedBy string     `json:"refused_by,omitempty"`
	DoneAt    *time.Time `json:"done_at,omitempty"` // nil: not yet
}

// String returns who asked and who agreed, for the audit.
func (r Request) String() string {
	return fmt.Sprintf("consent %d, asked by %s, agreed by %s", r.ID, r.AskedBy, r.AgreedBy)
}

// Consents are those of a file. The methods may be called from any goroutine; other
// processes may write to the same file meanwhile.
type Consents struct {
	file *db.File
	now  func() time.Time
}

// New returns the consents of a file.
func New(file *db.File, now func() time.Time) *Consents { return &Consents{file, now} }

// Ask asks for an act. The error wraps people.ErrRole or ErrOpen.
func (c *Consents) Ask(ctx context.Context, by people.Actor, act Act, object, detail string) (Request, error) {
	r := Request{Act: act, Object: object, Detail: detail, AskedBy: nameOf(by), AskedAt: c.now().UTC()}
	r.Expires = r.AskedAt.Add(For)
	if !mayAsk(by.Role, act) {
		return Request{}, fmt.Errorf("ask for %s: %w", act, people.ErrRole)
	}
	err := c.file.Write(ctx, func(tx *sql.Tx) error {
		now := r.AskedAt.UnixNano()
		_, err := tx.ExecContext(ctx, "DELETE FROM consents WHERE expires < ?", r.AskedAt.Add(-kept).UnixNano())
		if err != nil {
			return err
		}
		open, _, err := db.One(ctx, tx, db.Value[int],
			"SELECT count(*) FROM consents WHERE expires > ? AND refused_at = 0 AND done_at = 0", now)
		if err != nil {
			return err
		}
		if open >= mostOpen {
			return ErrOpen
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO consents (act, object, detail, asked_by, asked_at, expires,
			agreed_by, agreed_at, refused_by, refused_at, done_at) VALUES (?, ?, ?, ?, ?, ?, '', 0, '', 0, 0)`,
			act, object, detail, r.AskedBy, now, r.Expires.UnixNano())
		if err != nil {
			return err
		}
		if r.ID, err = res.LastInsertId(); err != nil {
			return err
		}
		return c.note(ctx, tx, by, audit.AskConsent, r)
	})
	if err != nil {
		return Request{}, fmt.Errorf("ask a second person for %s: %w", act, err)
	}
	return r, nil
}

// Agree agrees to a request. Who agrees has just given the own password. The error wraps
// ErrGone, ErrSame or people.ErrRole.
func (c *Consents) Agree(ctx context.Context, by people.Actor, id int64) error {
	return c.decide(ctx, by, id, audit.AgreeConsent,
		"UPDATE consents SET agreed_by = ?, agreed_at = ? WHERE id = ?")
}

// Refuse refuses a request; who asked takes it back so. The error wraps ErrGone or
// people.ErrRole.
func (c *Consents) Refuse(ctx context.Context, by people.Actor, id int64) error {
	return c.decide(ctx, by, id, audit.RefuseConsent,
		"UPDATE consents SET refused_by = ?, refused_at = ? WHERE id = ?")
}

// decide decides a request that is open.
func (c *Consents) decide(
	ctx context.Context, by people.Actor, id int64, as audit.Action, update string,
) error {
	err := c.file.Write(ctx, func(tx *sql.Tx) error {
		r, err := one(ctx, tx, id)
		if err != nil {
			return err
		}
		own, agree := r.AskedBy == nameOf(by), as == audit.AgreeConsent
		switch {
		case !r.open(c.now()) || agree && r.AgreedBy != "":
			return ErrGone
		case agree && own:
			return ErrSame
		case !own && !MayAgree(by.Role, r.Act):
			return people.ErrRole
		}
		_, err = tx.ExecContext(ctx, update, nameOf(by), c.now().UnixNano(), id)
		if err != nil {
			return err
		}
		return c.note(ctx, tx, by, as, r)
	})
	if err != nil {
		return fmt.Errorf("decide request %d: %w", id, err)
	}
	return nil
}

// Use uses what was agreed to, once: it is called in the transaction of the act, or just
// before an act outside of the desk's file. The error wraps ErrWaits, ErrNo, ErrGone, or
// ErrObject when act or object are not those that were agreed to.
func (c *Consents) Use(ctx context.Context, tx *sql.Tx, id int64, act Act, object string) (Request, error) {
	r, err := one(ctx, tx, id)
	switch {
	case err != nil:
	case r.Act != act || r.Object != object:
		err = ErrObject
	case r.RefusedBy != "":
		err = ErrNo
	case !r.open(c.now()):
		err = ErrGone
	case r.AgreedBy == "":
		err = ErrWaits
	default:
		_, err = tx.ExecContext(ctx, "UPDATE consents SET done_at = ? WHERE id = ?", c.now().UnixNano(), id)
	}
	if err != nil {
		return r, fmt.Errorf("use request %d: %w", id, err)
	}
	return r, nil
}

// One returns a request. The error wraps ErrGone when there is none.
func (c *Consents) One(ctx context.Context, id int64) (Request, error) {
	return one(ctx, c.file.Reader(), id)
}

// List returns the requests of the last days, the newest first.
func (c *Consents) List(ctx context.Context) ([]Request, error) {
	list, err := db.All(ctx, c.file.Reader(), scan, columns+" ORDER BY id DESC LIMIT 200")
	if err != nil {
		return nil, fmt.Errorf("read what waits for a second person: %w", err)
	}
	return list, nil
}

// MayAgree reports whether a role may agree to an act.
func MayAgree(role people.Role, act Act) bool {
	for _, m := range may {
		if m.act == act {
			return slices.Contains(m.agree, role)
		}
	}
	return false
}

// mayAsk reports whether a role may ask for an act.
func mayAsk(role people.Role, act Act) bool {
	for _, m := range may {
		if m.act == act {
			return slices.Contains(m.ask, role)
		}
	}
	return false
}

// open reports whether a request may still be decided or used.
func (r Request) open(now time.Time) bool {
	return r.RefusedBy == "" && r.DoneAt == nil && now.Before(r.Expires) && !now.Before(r.AskedAt.Add(-For))
}

// note writes a step into the audit.
func (c *Consents) note(ctx context.Context, tx *sql.Tx, by people.Actor, as audit.Action, r Request) error {
	who := audit.By{Actor: nameOf(by), Role: string(by.Role), From: by.From}
	return audit.Append(ctx, tx, c.now(), who, audit.Act{Action: as, Object: "consent " + strconv.FormatInt(r.ID, 10),
		Detail: string(r.Act) + " " + r.Object})
}

// nameOf returns who acts: a user, or who runs a command on the collector's computer.
func nameOf(a people.Actor) string {
	if a.Name == "" {
		return "terminal: " + audit.AtTerminal().Actor
	}
	return a.Name
}

const columns = `SELECT id, act, object, detail, asked_by, asked_at, expires, agreed_by, refused_by, done_at
	FROM consents`

func one(ctx context.Context, q db.Querier, id int64) (Request, error) {
	r, found, err := db.One(ctx, q, scan, columns+" WHERE id = ?", id)
	if err == nil && !found {
		err = ErrGone
	}
	return r, err
}

func scan(row db.Row) (r Request, err error) {
	var asked, expires, done int64
	err = row.Scan(&r.ID, &r.Act, &r.Object, &r.Detail, &r.AskedBy, &asked, &expires, &r.AgreedBy, &r.RefusedBy, &done)
	r.AskedAt, r.Expires = time.Unix(0, asked).UTC(), time.Unix(0, expires).UTC()
	if done != 0 {
		r.DoneAt = new(time.Unix(0, done).UTC())
	}
	return r, err
}
