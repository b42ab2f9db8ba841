package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"gatehouse/gateway/county/db"
)

// Errors of users of the county's provider of identities.
var (
	ErrNoGroup  = errors.New("none of your groups at the provider gives a role here: ask whoever looks after them")
	ErrProvided = errors.New("this user logs in at the provider of identities: password and role are changed there")
	ErrOther    = errors.New("somebody else has logged in at the provider")
	ErrReauth   = errors.New("log in at the provider once more, then do this again")
)

// confirmedFor is how long a log-in at the provider confirms one act.
const confirmedFor = 5 * time.Minute

// Provided is somebody whom the county's provider of identities has let in.
type Provided struct {
	Subject string // the issuer and its id of the person, which never changes
	Name    string // as the provider has it; others may have the same
	Role    Role   // by the person's groups; empty: none
}

// Enter makes a session of somebody who has logged in at the provider, and a user at the
// first time. The name at the desk stays what it was then; the role is the provider's,
// and when it has changed the user's other sessions end. The error wraps ErrNoGroup when
// there is no role, ErrDisabled when the user is disabled at the desk, or ErrName.
func (p *People) Enter(ctx context.Context, v Visitor, who Provided) (Entry, error) {
	token, kept := newToken()
	from, now := "", p.now()
	if v.From.IsValid() {
		from = v.From.String()
	}
	var u account
	var refused error
	err := p.file.Write(ctx, func(tx *sql.Tx) (err error) {
		if u, err = p.provided(ctx, tx, who, now); err != nil {
			return err
		}
		by := Actor{u.name, who.Role, from}
		if u.role != who.Role {
			if err := p.follow(ctx, tx, u, by); err != nil {
				return err
			}
		}
		switch {
		case who.Role == "":
			refused = ErrNoGroup // what follow did stays
			return nil
		case u.disabled:
			refused = ErrDisabled
			return nil
		}
		if err := keepSession(ctx, tx, kept, u.name, from, shortened(v.Names), now); err != nil {
			return err
		}
		return p.note(ctx, tx, Note{by, "log-in", u.name, "by the provider"})
	})
	p.endSessions()
	if err = errors.Join(err, refused); err != nil {
		if p.notes != nil {
			p.notes.Failed(now, Actor{u.name, u.role, from})
		}
		return Entry{}, fmt.Errorf("log in by the provider: %w", err)
	}
	return Entry{Session: token, Browser: v.Browser}, nil
}

// provided returns the user of a person at the provider, and makes it at the first time.
func (p *People) provided(ctx context.Context, tx *sql.Tx, who Provided, now time.Time) (account, error) {
	name, found, err := db.One(ctx, tx, db.Value[string], "SELECT name FROM users WHERE subject = ?", who.Subject)
	if err != nil {
		return account{}, err
	}
	if found {
		return p.account(ctx, tx, name)
	}
	if who.Role == "" {
		return account{}, ErrNoGroup
	}
	if name, err = unusedName(ctx, tx, who.Name); err != nil {
		return account{}, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO users (name, hash, role, created, subject) VALUES (?, ?, ?, ?, ?)",
		name, p.cost.nobody(), who.Role, now.UnixNano(), who.Subject)
	if err == nil {
		err = p.note(ctx, tx, Note{Actor{name, who.Role, ""}, "set-up", name, string(who.Role) + ", by the provider"})
	}
	return account{name: name, role: who.Role, known: true, subject: who.Subject}, err
}

// follow gives a user the role that the provider says. Without one the user keeps the
// name of the former role, and has no session.
func (p *People) follow(ctx context.Context, tx *sql.Tx, u account, by Actor) error {
	if err := expel(ctx, tx, u.name, nil); err != nil || by.Role == "" {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE users SET role = ? WHERE name = ?", by.Role, u.name); err != nil {
		return err
	}
	return p.note(ctx, tx, Note{by, "set-role", u.name, string(by.Role) + ", by the provider"})
}

// mostSameNames bounds how many users may have the same name at the provider.
const mostSameNames = 20

// unusedName returns the name that a person at the provider gets at the desk: nobody else's.
func unusedName(ctx context.Context, tx *sql.Tx, want string) (string, error) {
	plain := []rune(strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(want, ""))))
	for n := range mostSameNames {
		end := ""
		if n > 0 {
			end = fmt.Sprintf(" (SSO %d)", n)
		}
		name := string(plain[:min(len(plain), maxName-len(end))]) + end
		taken, _, err := db.One(ctx, tx, db.Value[bool], "SELECT EXISTS (SELECT 1 FROM users WHERE name = ?)", name)
		if err != nil {
			return "", err
		}
		if !taken && goodName(name) && len(plain) > 0 {
			return name, nil
		}
	}
	return "", ErrName
}

// ConfirmAt notes that who, the user of a session, has just logged in at the provider once
// more: it confirms one act, within 5 minutes. session is the session's id, by what the
// session itself has asked for. The error wraps ErrSession when it has ended, or ErrOther
// when who is not its user.
func (p *People) ConfirmAt(ctx context.Context, session string, who Provided) error {
	subject, found, err := db.One(ctx, p.file.Reader(), db.Value[string],
		`SELECT u.subject FROM sessions s JOIN users u ON u.name = s.name
		WHERE lower(hex(substr(s.hash, 1, ?))) = ? AND s.expires > ?`, idSize, session, p.now().UnixNano())
	switch {
	case err != nil:
		return fmt.Errorf("read a session: %w", err)
	case !found:
		return ErrSession
	case subject == "" || subject != who.Subject:
		return ErrOther
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.confirmed[session] = p.now()
	return nil
}

// Confirmed reports whether the user of a session has logged in at the provider once more,
// and may do an act that asks for it.
func (p *People) Confirmed(s Session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.confirmed[s.ID]
	return ok && p.now().Sub(at).Abs() < confirmedFor
}

// useConfirmed uses up what ConfirmAt noted.
func (p *People) useConfirmed(s Session) error {
	if !p.Confirmed(s) {
		return ErrReauth
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, still := p.confirmed[s.ID]; !still {
		return ErrReauth
	}
	delete(p.confirmed, s.ID)
	return nil
}

// RoleOf returns the role that somebody in some groups has: of several the one that may
// do most. ok is false when no group gives one.
func RoleOf(groups []string, roles map[string]Role) (role Role, ok bool) {
	for _, r := range []Role{Admin, Duty, Policy, Crew, Auditor, Viewer} {
		for _, g := range groups {
			if roles[g] == r {
				return r, true
			}
		}
	}
	return "", false
}

// Known reports whether a role is one of Roles.
func (r Role) Known() bool { return slices.Contains(Roles(), r) }
