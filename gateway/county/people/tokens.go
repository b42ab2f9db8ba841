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
	tokenBegins = "gatehouse_" // so that scanners for secrets, and proxies with tokens of their own, know it
	mostTokens  = 100
	longestLife = 366 * 24 * time.Hour
)

// Errors of making tokens.
var (
	ErrUntil     = errors.New("a token ends after now, and within 366 days")
	ErrTokenRole = errors.New("a token can't be an administrator's: it has no password to confirm with")
	ErrToken     = errors.New("there is no such token")
)

// Token is a program's, without the secret.
type Token struct {
	Name   string     `json:"name"`
	Role   Role       `json:"role"`
	Made   time.Time  `json:"made"`
	MadeBy string     `json:"made_by,omitempty"` // empty: the operator of the computer
	Until  time.Time  `json:"until"`
	Used   *time.Time `json:"used,omitempty"` // the last use; nil: none yet
	From   string     `json:"from,omitempty"` // address of the last use
}

// IsToken reports whether text looks like a token of MakeToken.
func IsToken(text string) bool { return strings.HasPrefix(text, tokenBegins) }

// MakeToken returns a token with which a program may do until a time what a role
// may. Only its hash is kept. The error wraps ErrName, ErrNoRole, ErrTokenRole,
// ErrUntil or ErrMany.
func (p *People) MakeToken(ctx context.Context, by Actor, name string, role Role, until time.Time) (string, error) {
	name = strings.TrimSpace(name)
	now := p.now()
	switch {
	case !goodName(name):
		return "", ErrName
	case !slices.Contains(Roles(), role):
		return "", ErrNoRole
	case role == Admin:
		return "", ErrTokenRole
	case !until.After(now) || until.Sub(now) > longestLife:
		return "", ErrUntil
	}
	secret, _ := newToken()
	token := tokenBegins + secret
	err := p.file.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM tokens WHERE name = ? AND expires <= ?", name,
			now.UnixNano()); err != nil {
			return err
		}
		n, _, err := db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM tokens")
		if err != nil {
			return err
		}
		if n >= mostTokens {
			return ErrMany
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO tokens (name, hash, role, made, made_by, expires)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, name, hashOf(token), role, now.UnixNano(), by.Name,
			until.UnixNano())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrName, err)
		}
		detail := string(role) + " until " + until.UTC().Format(time.RFC3339)
		return p.note(ctx, tx, Note{by, "make-token", name, detail})
	})
	if err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	return token, nil
}

// Tokens returns all tokens, the newest first, those that have ended too.
func (p *People) Tokens(ctx context.Context) ([]Token, error) {
	all, err := db.All(ctx, p.file.Reader(), func(r db.Row) (t Token, err error) {
		var hash []byte
		var made, until int64
		var used *int64
		err = r.Scan(&t.Name, &hash, &t.Role, &made, &t.MadeBy, &until, &used, &t.From)
		t.Made, t.Until, t.Used = instant(made), instant(until), instantOf(used)
		p.mu.Lock()
		defer p.mu.Unlock()
		if u, ok := p.used[string(hash)]; ok {
			t.Used, t.From = new(u.at.UTC()), u.from
		}
		return t, err
	}, "SELECT name, hash, role, made, made_by, expires, used, address FROM tokens ORDER BY made DESC, name")
	if err != nil {
		return nil, fmt.Errorf("read the tokens: %w", err)
	}
	return all, nil
}

// Revoke ends a token. The error wraps ErrToken when there is no such one.
func (p *People) Revoke(ctx context.Context, by Actor, name string) error {
	name = strings.TrimSpace(name)
	err := p.file.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM tokens WHERE name = ?", name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrToken, err)
		}
		return p.note(ctx, tx, Note{by, "revoke-token", name, ""})
	})
	p.endSessions()
	if err != nil {
		return fmt.Errorf("revoke a token: %w", err)
	}
	return nil
}

// program returns the program that shows a token.
func (p *People) program(ctx context.Context, s Shown) (Session, error) {
	hash, now := hashOf(s.Bearer), p.now()
	t, found, err := db.One(ctx, p.file.Reader(), func(r db.Row) (a Actor, err error) {
		err = r.Scan(&a.Name, &a.Role)
		a.Name, a.From = "token "+a.Name, s.From
		return a, err
	}, "SELECT name, role FROM tokens WHERE hash = ? AND expires > ?", hash, now.UnixNano())
	if err != nil {
		return Session{}, fmt.Errorf("read a token: %w", err)
	}
	if !found {
		return Session{}, ErrSession
	}
	p.use(hash, use{now, s.From})
	return Session{Actor: t}, nil
}
