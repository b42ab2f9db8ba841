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

// User is one who may log in, or could.
type User struct {
	Name     string     `json:"name"`
	Role     Role       `json:"role"`
	Created  time.Time  `json:"created"`
	Disabled *time.Time `json:"disabled,omitempty"` // since when; nil: not
	Entered  *time.Time `json:"entered,omitempty"`  // the last log-in; nil: none yet
	Provided bool       `json:"provided,omitempty"` // the user logs in at the provider of identities
}

// Users returns all users, the oldest first.
func (p *People) Users(ctx context.Context) ([]User, error) {
	users, err := db.All(ctx, p.file.Reader(), func(r db.Row) (u User, err error) {
		var created int64
		var disabled, entered *int64
		err = r.Scan(&u.Name, &u.Role, &created, &disabled, &entered, &u.Provided)
		u.Created, u.Disabled, u.Entered = instant(created), instantOf(disabled), instantOf(entered)
		return u, err
	}, "SELECT name, role, created, disabled, entered, subject <> '' FROM users ORDER BY created, name")
	if err != nil {
		return nil, fmt.Errorf("read the users: %w", err)
	}
	return users, nil
}

func instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }

func instantOf(ns *int64) *time.Time {
	if ns == nil {
		return nil
	}
	return new(instant(*ns))
}

// SetRole gives a user a role. The user's sessions end, and what the user has
// invited. The error wraps ErrNoRole, ErrUser, ErrProvided or ErrLastAdmin.
func (p *People) SetRole(ctx context.Context, by Actor, name string, role Role) error {
	if !slices.Contains(Roles(), role) {
		return ErrNoRole
	}
	return p.change(ctx, Note{by, "set-role", name, string(role)}, func(tx *sql.Tx, name string) error {
		res, err := tx.ExecContext(ctx, "UPDATE users SET role = ? WHERE name = ? AND subject = ''", role, name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrProvided, err)
		}
		return nil
	})
}

// Disable lets a user log in no more. A user is not deleted: the name stays with
// what was done under it. The error wraps ErrUser or ErrLastAdmin.
func (p *People) Disable(ctx context.Context, by Actor, name string) error {
	return p.change(ctx, Note{by, "disable-user", name, ""}, func(tx *sql.Tx, name string) error {
		_, err := tx.ExecContext(ctx, "UPDATE users SET disabled = coalesce(disabled, ?) WHERE name = ?",
			p.now().UnixNano(), name)
		return err
	})
}

// Enable lets a disabled user log in again, with the same password and role. The
// error wraps ErrUser.
func (p *People) Enable(ctx context.Context, by Actor, name string) error {
	return p.change(ctx, Note{by, "enable-user", name, ""}, func(tx *sql.Tx, name string) error {
		_, err := tx.ExecContext(ctx, "UPDATE users SET disabled = NULL WHERE name = ?", name)
		return err
	})
}

// change changes the user that n is about, in one transaction with n, unless no
// administrator with a password would be left: the provider may be away. The user's sessions end.
func (p *People) change(ctx context.Context, n Note, do func(tx *sql.Tx, name string) error) error {
	n.Object = strings.TrimSpace(n.Object)
	err := p.file.Write(ctx, func(tx *sql.Tx) error {
		u, err := p.account(ctx, tx, n.Object)
		if err == nil && !u.known {
			err = ErrUser
		}
		if err == nil {
			err = do(tx, n.Object)
		}
		if err != nil {
			return err
		}
		left, _, err := db.One(ctx, tx, db.Value[bool],
			"SELECT EXISTS (SELECT 1 FROM users WHERE role = ? AND disabled IS NULL AND subject = '')", Admin)
		if err != nil {
			return err
		}
		if !left {
			return ErrLastAdmin
		}
		if err := expel(ctx, tx, n.Object, nil); err != nil {
			return err
		}
		return p.note(ctx, tx, n)
	})
	p.endSessions()
	if err != nil {
		return fmt.Errorf("change a user (%s): %w", n.Action, err)
	}
	return nil
}

// ChangePassword sets the password of the user who asks, if was is the one that
// holds. The user's other sessions end; token is that of the session that stays.
// The error is as of Confirm, or wraps ErrWeak, ErrCommon or ErrProvided.
func (p *People) ChangePassword(ctx context.Context, who Session, token, was, password string) error {
	if who.Provided {
		return ErrProvided
	}
	if err := p.Confirm(ctx, who, was); err != nil {
		return err
	}
	if err := goodPassword(who.Name, password); err != nil {
		return err
	}
	hash, err := p.makeHash(ctx, password)
	if err != nil {
		return err
	}
	err = p.file.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE users SET hash = ? WHERE name = ?", hash, who.Name); err != nil {
			return err
		}
		if err := expel(ctx, tx, who.Name, hashOf(token)); err != nil {
			return err
		}
		return p.note(ctx, tx, Note{who.Actor, "change-password", who.Name, ""})
	})
	p.endSessions()
	if err != nil {
		return fmt.Errorf("change a password: %w", err)
	}
	return nil
}
