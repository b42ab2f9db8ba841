package people

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"gatehouse/gateway/county/db"
)

// noHash fits no password. It is checked for unknown names, which so take as
// long as known ones.
const noHash = "$2a$11$abcdefghijklmnopqrstuuKHkBOOMNoQbGJtHHTSwmYOAcYvJjTGG"

// Visitor is who tries to log in.
type Visitor struct {
	From    netip.Addr // the zero Addr: unknown
	Browser string     // the tokens that its browser keeps, as Entry had them; or empty
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
// attempts; it wraps ErrPassword when name and password do not fit, and ErrBusy
// when they were not checked.
func (p *People) Login(ctx context.Context, v Visitor, name, password string) (Entry, error) {
	name = strings.TrimSpace(name)
	hash, known, err := p.passwordOf(ctx, name)
	if err != nil {
		return Entry{}, fmt.Errorf("log in: %w", err)
	}
	a := attempt{name: name, from: v.From}
	queue := p.strangers
	if known {
		if a.browser, err = p.number(ctx, v.Browser, name, hash); err != nil {
			return Entry{}, fmt.Errorf("log in: %w", err)
		}
	}
	if a.browser != "" {
		queue = p.friends
	}
	if wait := p.guesses.try(a, p.now()); wait > 0 {
		return Entry{}, WaitError{wait}
	}
	fits := false
	err = queue.do(ctx, func() { fits = bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil && known })
	switch {
	case err != nil:
		p.guesses.uncount(a, p.now())
		return Entry{}, fmt.Errorf("log in: %w", err)
	case !fits:
		p.guesses.wrong(a, p.now())
		return Entry{}, ErrPassword
	}
	p.guesses.right(a, p.now())
	return p.enter(ctx, v, name)
}

// passwordOf returns the hash of a user's password; of an unknown name one that no
// password fits.
func (p *People) passwordOf(ctx context.Context, name string) (hash []byte, known bool, err error) {
	hash, known, err = db.One(ctx, p.file.Reader(), db.Value[[]byte], "SELECT hash FROM users WHERE name = ?", name)
	if !known {
		hash = []byte(noHash)
	}
	return hash, known, err
}

// enter makes a session of a user.
func (p *People) enter(ctx context.Context, v Visitor, name string) (Entry, error) {
	token, kept := newToken()
	_, err := p.file.Exec(ctx, "INSERT INTO sessions (hash, name, expires) VALUES (?, ?, ?)",
		kept, name, p.now().Add(sessionFor).UnixNano())
	if err != nil {
		return Entry{}, fmt.Errorf("log in: %w", err)
	}
	browser, err := p.Remember(ctx, v.Browser, name)
	return Entry{token, browser}, err
}
