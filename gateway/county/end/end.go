// Package end keeps how far the end of the county's service is: which gates are told to
// go out of service for good, whose receipt the county holds, and what of its own data is
// destroyed. Its tables are in the desk's file. deploy/END.md says how it goes.
package end

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/wire"
)

// Schema creates the tables. Times are unix nanoseconds; 0: not yet. It is a step of the
// desk's file.
const Schema = `
CREATE TABLE ends (
	id       TEXT PRIMARY KEY,
	begun    INTEGER NOT NULL,
	by       TEXT NOT NULL,         -- who decided it, both
	finished INTEGER NOT NULL,
	missing  INTEGER NOT NULL       -- gates that had not answered when it was finished
) WITHOUT ROWID;
CREATE TABLE end_gates (                  -- of the end that is on, those that were told
	agent    TEXT PRIMARY KEY,
	key      TEXT NOT NULL,         -- SHA-256 of the public key that it had when the end began
	receipt  BLOB NOT NULL,         -- as it came; empty: none yet
	received INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE end_steps (                  -- of what the county destroys itself
	name     TEXT PRIMARY KEY,
	done     INTEGER NOT NULL,
	detail   TEXT NOT NULL
) WITHOUT ROWID;`

// Errors that a person can act on.
var (
	ErrBegun    = errors.New("the end has begun already: see gatehouse end status")
	ErrNotBegun = errors.New("the end has not begun: gatehouse end begin")
	ErrGoesOn   = errors.New("the end is not finished: gatehouse end status")
	ErrMissing  = errors.New("not every gate has answered: see gatehouse end status; switch them on, fetch them by " +
		"hand, or let two people decide to go on without them by --without-missing")
)

// Options are those of New.
type Options struct {
	File   *db.File
	County string
	Name   string             // of the county, as people know it
	Key    ed25519.PrivateKey // the collector's; nil: nothing is signed
	Now    func() time.Time
	// Identities returns those of all agents.
	Identities func() []registry.Identity
	Agents     []string // of the site file
}

// Ends is the end of a county's service, or that it has not begun. Its methods may be
// called from any goroutine; other processes may write to the same file meanwhile.
type Ends struct{ opts Options }

// New returns what the file holds.
func New(opts Options) *Ends { return &Ends{opts} }

// Object names what two people decide on before Begin, as consents and the audit have it.
func (e *Ends) Object() string { return "county " + e.opts.County + ", gates" }

// Gate is how far one gate is.
type Gate struct {
	Agent    string
	State    State
	Key      string // SHA-256 of the key that it had when the end began; empty: it was not told
	Receipt  []byte
	Received time.Time
	Retired  wire.Retired // what the receipt says; zero: there is none
}

// State says what is known of a gate.
type State string

// The states.
const (
	Ended   State = "ended"   // its receipt is here
	Told    State = "told"    // it was told, and has not answered: off, without a network, or not done yet
	Revoked State = "revoked" // it can't be told: fetch it by hand
	Unknown State = "unknown" // it was never enrolled, and obeys no message: fetch it by hand
	Anew    State = "anew"    // it was enrolled again since: it is in service
)

// Status is how far the end is.
type Status struct {
	ID       string
	Begun    time.Time
	By       string
	Finished time.Time // zero: it is not
	Missing  int       // gates that had not answered when it was finished
	Gates    []Gate    // those that could be told, and those of the site file
	Steps    []Step
}

// Step is something that the county has destroyed.
type Step struct {
	Name   string
	Done   time.Time
	Detail string
}

// Absent returns the gates that have not answered.
func (s Status) Absent() (out []Gate) {
	for _, g := range s.Gates {
		if g.State != Ended {
			out = append(out, g)
		}
	}
	return out
}

// Begin tells all gates to go out of service. use is called in the same transaction, and
// returns who decided it, or an error.
func (e *Ends) Begin(ctx context.Context, by audit.By, use func(*sql.Tx) (string, error)) error {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	now := e.opts.Now()
	err := e.opts.File.Write(ctx, func(tx *sql.Tx) error {
		n, _, err := db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM ends WHERE finished = 0")
		if err != nil || n > 0 {
			return errors.Join(err, ErrBegun)
		}
		who, err := use(tx)
		if err != nil {
			return err
		}
		for _, q := range []string{"DELETE FROM end_gates", "DELETE FROM end_steps"} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		told := 0
		for _, i := range e.opts.Identities() {
			if i.Kind != "agent" || !i.Revoked.IsZero() {
				continue
			}
			told++
			_, err := tx.ExecContext(ctx, "INSERT INTO end_gates (agent, key, receipt, received) VALUES (?, ?, x'', 0)",
				i.Name, wire.KeySum(i.Key))
			if err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO ends (id, begun, by, finished, missing) VALUES (?, ?, ?, 0, 0)",
			hex.EncodeToString(b[:]), now.UnixNano(), who); err != nil {
			return err
		}
		return audit.Append(ctx, tx, now, by, audit.Act{Action: audit.EndBegin, Object: "county " + e.opts.County,
			Detail: fmt.Sprintf("%d gates are told; %s", told, who)})
	})
	if err != nil {
		return fmt.Errorf("begin the end: %w", err)
	}
	return nil
}

// Status returns how far the newest end is; ErrNotBegun: there is none.
func (e *Ends) Status(ctx context.Context) (s Status, err error) {
	s, found, err := db.One(ctx, e.opts.File.Reader(), scanEnd,
		"SELECT id, begun, by, finished, missing FROM ends ORDER BY begun DESC LIMIT 1")
	if err == nil && !found {
		err = ErrNotBegun
	}
	if err != nil {
		return s, fmt.Errorf("read how far the end is: %w", err)
	}
	s.Gates, err = db.All(ctx, e.opts.File.Reader(), scanGate,
		"SELECT agent, key, receipt, received FROM end_gates ORDER BY agent")
	if err == nil {
		s.Steps, err = db.All(ctx, e.opts.File.Reader(), scanStep,
			"SELECT name, done, detail FROM end_steps ORDER BY done")
	}
	if err != nil {
		return s, fmt.Errorf("read how far the end is: %w", err)
	}
	e.judge(&s)
	return s, nil
}

// judge says what is known of each gate.
func (e *Ends) judge(s *Status) {
	now, seen := map[string]registry.Identity{}, map[string]bool{}
	for _, i := range e.opts.Identities() {
		now[i.Name] = i
	}
	for n := range s.Gates {
		g := &s.Gates[n]
		seen[g.Agent] = true
		i := now[g.Agent]
		switch {
		case len(g.Receipt) > 0:
			g.State = Ended
		case wire.KeySum(i.Key) != g.Key:
			g.State = Anew
		case !i.Revoked.IsZero():
			g.State = Revoked
		}
	}
	for _, agent := range e.opts.Agents {
		if seen[agent] {
			continue
		}
		g := Gate{Agent: agent, State: Unknown}
		if i, ok := now[agent]; ok && !i.Revoked.IsZero() {
			g.State = Revoked
		} else if ok {
			g.State = Anew
		}
		s.Gates = append(s.Gates, g)
	}
}

func scanEnd(row db.Row) (s Status, err error) {
	var begun, finished int64
	err = row.Scan(&s.ID, &begun, &s.By, &finished, &s.Missing)
	s.Begun, s.Finished = at(begun), at(finished)
	return s, err
}

func scanGate(row db.Row) (g Gate, err error) {
	var received int64
	if err = row.Scan(&g.Agent, &g.Key, &g.Receipt, &received); err != nil {
		return g, err
	}
	g.State, g.Received = Told, at(received)
	if len(g.Receipt) > 0 {
		g.Retired, err = wire.Decode[wire.Retired](g.Receipt)
	}
	return g, err
}

func scanStep(row db.Row) (s Step, err error) {
	var done int64
	err = row.Scan(&s.Name, &done, &s.Detail)
	s.Done = at(done)
	return s, err
}

func at(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}
