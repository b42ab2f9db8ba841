package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/county/db"
)

const (
	inviteFor   = 24 * time.Hour
	mostInvites = 100 // open at one time
)

// Invited is what a link does for whoever opens it.
type Invited struct {
	Role Role   `json:"role"`           // of the user that it makes
	User string `json:"user,omitempty"` // whose password it sets; empty: it makes a user
}

// Invite returns a token that works once, within a day, for SetUp: it makes a user
// with a role. The error wraps ErrNoRole or ErrMany.
func (p *People) Invite(ctx context.Context, by Actor, role Role) (token string, err error) {
	if !slices.Contains(Roles(), role) {
		return "", ErrNoRole
	}
	return p.link(ctx, by, Invited{Role: role}, false)
}

// Reset returns a token that works once, within a day, for SetUp: it sets a new
// password of a user, whose sessions end then. The error wraps ErrUser, ErrDisabled,
// ErrProvided or ErrMany.
func (p *People) Reset(ctx context.Context, by Actor, user string) (token string, err error) {
	return p.link(ctx, by, Invited{User: strings.TrimSpace(user)}, false)
}

// First returns a token for SetUp with which the first administrator is made; it
// replaces the one before. It is empty when there is a user with a password.
func (p *People) First(ctx context.Context) (token string, err error) {
	return p.link(ctx, Operator(), Invited{Role: Admin}, true)
}

func (p *People) link(ctx context.Context, by Actor, what Invited, first bool) (string, error) {
	token, hash := newToken()
	now := p.now()
	err := p.file.Write(ctx, func(tx *sql.Tx) error {
		if first {
			some, _, err := db.One(ctx, tx, db.Value[bool], "SELECT EXISTS (SELECT 1 FROM users WHERE subject = '')")
			if some {
				token = ""
			}
			if err != nil || some {
				return err
			}
			if _, err = tx.ExecContext(ctx, "DELETE FROM invites WHERE first = 1"); err != nil {
				return err
			}
		}
		if what.User != "" {
			if err := p.resettable(ctx, tx, what.User); err != nil {
				return err
			}
		}
		if err := keepInvite(ctx, tx, hash, by.Name, what, first, now); err != nil {
			return err
		}
		return p.note(ctx, tx, what.note(by))
	})
	if err != nil {
		return "", fmt.Errorf("make a link: %w", err)
	}
	return token, nil
}

// note returns that somebody has made a link.
func (i Invited) note(by Actor) Note {
	if i.User != "" {
		return Note{by, "reset-password", i.User, ""}
	}
	return Note{by, "invite", "", string(i.Role)}
}

// resettable returns why the password of a user can't be set by a link.
func (p *People) resettable(ctx context.Context, tx *sql.Tx, name string) error {
	u, err := p.account(ctx, tx, name)
	switch {
	case err != nil:
		return err
	case !u.known:
		return ErrUser
	case u.disabled:
		return ErrDisabled
	case u.subject != "":
		return ErrProvided
	}
	return nil
}

func keepInvite(ctx context.Context, tx *sql.Tx, hash []byte, by string, what Invited, first bool,
	now time.Time,
) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM invites WHERE expires <= ?", now.UnixNano()); err != nil {
		return err
	}
	open, _, err := db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM invites WHERE invited_by <> ''")
	if err != nil {
		return err
	}
	if open >= mostInvites && by != "" {
		return ErrMany
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO invites (hash, invited_by, role, user, first, expires)
		VALUES (?, ?, ?, ?, ?, ?)`, hash, by, what.Role, what.User, first, now.Add(inviteFor).UnixNano())
	return err
}

// Invited returns what a token does. The error wraps ErrInvite when it does nothing.
func (p *People) Invited(ctx context.Context, token string) (Invited, error) {
	i, found, err := db.One(ctx, p.file.Reader(), scanInvited,
		"SELECT role, user FROM invites WHERE hash = ? AND expires > ?", hashOf(token), p.now().UnixNano())
	if err != nil {
		return i, fmt.Errorf("read an invitation: %w", err)
	}
	if !found {
		return i, ErrInvite
	}
	return i, nil
}

func scanInvited(r db.Row) (i Invited, err error) {
	err = r.Scan(&i.Role, &i.User)
	return i, err
}

// SetUp makes a user of whoever has an invitation's token, or sets the password of
// the user that the token is for. from is the address of the browser.
func (p *People) SetUp(ctx context.Context, from, token, name, password string) error {
	name = strings.TrimSpace(name)
	what, err := p.Invited(ctx, token) // before the password is hashed: that is work for invited people only
	if err != nil {
		return err
	}
	if !goodName(name) || what.User != "" && what.User != name {
		return ErrName
	}
	if err := goodPassword(name, password); err != nil {
		return err
	}
	hash, err := p.makeHash(ctx, password)
	if err != nil {
		return err
	}
	err = p.file.Write(ctx, func(tx *sql.Tx) error { return p.accept(ctx, tx, from, token, name, hash) })
	p.endSessions()
	return err
}

// accept uses an invitation up and keeps the user. The sessions of an existing user end.
func (p *People) accept(ctx context.Context, tx *sql.Tx, from, token, name string, hash []byte) error {
	now := p.now().UnixNano()
	what, invited, err := db.One(ctx, tx, scanInvited,
		"DELETE FROM invites WHERE hash = ? AND expires > ? RETURNING role, user", hashOf(token), now)
	if err != nil {
		return err
	}
	if !invited {
		return ErrInvite
	}
	if what.User != "" {
		if err := p.resettable(ctx, tx, name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE users SET hash = ? WHERE name = ?", hash, name); err != nil {
			return err
		}
		if err := expel(ctx, tx, name, nil); err != nil {
			return err
		}
		return p.note(ctx, tx, Note{Actor{Name: name, From: from}, "set-up", name, "a new password"})
	}
	res, err := tx.ExecContext(ctx,
		"INSERT INTO users (name, hash, role, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		name, hash, what.Role, now)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrName, err)
	}
	// The link for the first user ends, whichever link made one.
	if _, err = tx.ExecContext(ctx, "DELETE FROM invites WHERE first = 1"); err != nil {
		return err
	}
	return p.note(ctx, tx, Note{Actor{name, what.Role, from}, "set-up", name, string(what.Role)})
}
