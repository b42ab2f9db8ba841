package people

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"
)

// Visitor is who tries to log in.
type Visitor struct {
	From    netip.Addr // the zero Addr: unknown
	Browser string     // the tokens that its browser keeps, as Entry had them; or empty
	Names   string     // as its browser names itself, for the list of sessions
}

// Entry is what a browser keeps of a log-in.
type Entry struct {
	Session string // the token of the session
	Browser string // tokens by which the browser is known next time, for BrowserFor
}

// WaitError means that an attempt came too early after wrong ones. The password
// was not checked.
type WaitError struct{ For time.Duration }

func (e WaitError) Error() string { return "too many wrong passwords: wait " + e.For.String() }

// Login makes a session. The error is a WaitError when there were too many
// attempts; it wraps ErrPassword when name and password do not fit, ErrDisabled when
// they do and the user is disabled, and ErrBusy when they were not checked.
func (p *People) Login(ctx context.Context, v Visitor, name, password string) (Entry, error) {
	name = strings.TrimSpace(name)
	u, err := p.account(ctx, p.file.Reader(), name)
	if err != nil {
		return Entry{}, fmt.Errorf("log in: %w", err)
	}
	a := attempt{name: name, from: v.From}
	queue := p.strangers
	if u.known {
		if a.browser, err = p.number(ctx, v.Browser, name, u.hash); err != nil {
			return Entry{}, fmt.Errorf("log in: %w", err)
		}
	}
	if a.browser != "" {
		queue = p.friends
	}
	if err := p.check(ctx, queue, u, a, password); err != nil {
		return Entry{}, fmt.Errorf("log in: %w", err)
	}
	return p.enter(ctx, v, name)
}

// Confirm returns nil when password is that of the user who asks, for acts that ask
// for it again. The error is a WaitError when there were too many attempts in this
// session; it wraps ErrPassword, ErrBusy, or ErrRole when a program asks. Of a user of the
// provider the password does not count, but another log-in there: the error wraps ErrReauth
// when there was none.
func (p *People) Confirm(ctx context.Context, who Session, password string) error {
	if who.ID == "" {
		return fmt.Errorf("a program has no password: %w", ErrRole)
	}
	if who.Provided {
		return p.useConfirmed(who)
	}
	u, err := p.account(ctx, p.file.Reader(), who.Name)
	if err != nil {
		return err
	}
	a := attempt{name: who.Name, from: addrOf(who.From), browser: "session " + who.ID}
	if err := p.check(ctx, p.friends, u, a, password); err != nil {
		return fmt.Errorf("confirm with the password: %w", err)
	}
	return nil
}

// As returns the user who gives a name and the own password to a command on the desk's
// computer. The error is a WaitError when there were too many attempts; it wraps
// ErrPassword, ErrDisabled or ErrBusy.
func (p *People) As(ctx context.Context, name, password string) (Actor, error) {
	u, err := p.account(ctx, p.file.Reader(), strings.TrimSpace(name))
	if err == nil {
		err = p.check(ctx, p.friends, u, attempt{name: u.name, browser: Terminal}, password)
	}
	if err == nil && u.disabled {
		err = ErrDisabled
	}
	if err != nil {
		return Actor{}, fmt.Errorf("confirm with the password: %w", err)
	}
	return Actor{Name: u.name, Role: u.role, From: Terminal}, nil
}

// enter makes a session of a user.
func (p *People) enter(ctx context.Context, v Visitor, name string) (Entry, error) {
	token, kept := newToken()
	now := p.now()
	from := ""
	if v.From.IsValid() {
		from = v.From.String()
	}
	err := p.file.Write(ctx, func(tx *sql.Tx) error {
		// The user is read again: the role may have changed while the password was checked.
		u, err := p.account(ctx, tx, name)
		switch {
		case err != nil:
			return err
		case u.disabled:
			return ErrDisabled
		}
		if err := keepSession(ctx, tx, kept, name, from, shortened(v.Names), now); err != nil {
			return err
		}
		return p.note(ctx, tx, Note{Actor{name, u.role, from}, "log-in", name, ""})
	})
	if err != nil {
		return Entry{}, fmt.Errorf("log in: %w", err)
	}
	browser, err := p.Remember(ctx, v.Browser, name)
	return Entry{token, browser}, err
}

// keepSession keeps a new session of a user. Of more than mostSessions the oldest ends.
func keepSession(ctx context.Context, tx *sql.Tx, hash []byte, name, from, browser string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sessions (hash, name, began, seen, expires, address, browser)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, hash, name, now.UnixNano(), now.UnixNano(), now.Add(sessionFor).UnixNano(),
		from, browser)
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM sessions WHERE name = ? AND hash NOT IN
			(SELECT hash FROM sessions WHERE name = ? ORDER BY began DESC LIMIT ?)`, name, name, mostSessions)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE users SET entered = ? WHERE name = ?", now.UnixNano(), name)
	}
	return err
}

const longestNames = 200 // characters of a browser's name for itself that are kept

// shortened returns the beginning of what a browser calls itself, as plain text.
func shortened(names string) string {
	plain := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(names, "")))
	return string(plain[:min(len(plain), longestNames)])
}
