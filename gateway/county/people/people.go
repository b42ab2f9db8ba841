// Package people knows who may work at the county's desk and what each may do
// there: its users with their roles, passwords and sessions, the tokens of
// programs, and how often somebody may guess. Its tables are in the desk's file.
package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse/gateway/county/db"
)

const (
	minPassword = 10  // characters
	maxPassword = 256 // bytes
	maxName     = 32  // characters
)

// Errors that a person at the desk can act on.
var (
	ErrPassword  = errors.New("name or password is wrong")
	ErrInvite    = errors.New("this link was used already, or is too old: ask for another one")
	ErrName      = errors.New("the name is taken, empty or too long")
	ErrWeak      = fmt.Errorf("a password has at least %d characters, and at most %d bytes", minPassword, maxPassword)
	ErrCommon    = errors.New("others guess this password soon: choose another one, such as four words without a link")
	ErrSession   = errors.New("nobody is logged in")
	ErrBusy      = errors.New("too many passwords are being checked: try again in a moment")
	ErrRole      = errors.New("your role does not allow this: ask an administrator")
	ErrNoRole    = errors.New("there is no such role: choose viewer, duty, crew, policy, admin or auditor")
	ErrUser      = errors.New("there is no such user")
	ErrDisabled  = errors.New("this user is disabled: ask an administrator")
	ErrLastAdmin = errors.New("this is the last administrator: make another one first")
	ErrMany      = errors.New("there are too many: remove those that nobody needs")
)

// People are the users of a desk. The methods may be called from any goroutine.
type People struct {
	file      *db.File
	notes     Notes // nil: what is done is kept nowhere
	now       func() time.Time
	idle      time.Duration // after which a session ends that is not used
	guesses   *guesses
	strangers hashes // of passwords from browsers that are not known
	friends   hashes // of passwords from known browsers and invited people
	cost      Cost

	mu    sync.Mutex
	ended chan struct{}  // closed, and another made, when sessions were ended
	used  map[string]use // by hash of sessions and tokens: the last use, until Keep has written it
	// By session id: when its user logged in at the provider once more. It confirms one act.
	confirmed map[string]time.Time
}

// use is the last time a session or token was used, and from where.
type use struct {
	at   time.Time
	from string
}

// New returns the users of a file.
func New(file *db.File, now func() time.Time) *People {
	return &People{file: file, now: now, idle: IdleFor, guesses: newGuesses(), strangers: newHashes(),
		friends: newHashes(), cost: owasp, ended: make(chan struct{}), used: map[string]use{},
		confirmed: map[string]time.Time{}}
}

// newToken returns a random token, and its hash, which is all that is kept.
func newToken() (token string, hash []byte) {
	var b [24]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, hashOf(token)
}

func hashOf(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// goodName reports whether users and tokens may have a name.
func goodName(name string) bool {
	return name != "" && utf8.RuneCountInString(name) <= maxName &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// goodPassword returns why a user may not have a password.
func goodPassword(name, password string) error {
	switch {
	case utf8.RuneCountInString(password) < minPassword, len(password) > maxPassword:
		return ErrWeak
	case common(name, password):
		return ErrCommon
	}
	return nil
}

// account is what is known of a user.
type account struct {
	name     string
	hash     []byte // of the password; of nobody one that no password fits
	role     Role
	disabled bool
	known    bool
	subject  string // at the provider of identities; empty: the password is kept here
}

// account returns what is known of a user.
func (p *People) account(ctx context.Context, q db.Querier, name string) (account, error) {
	a, known, err := db.One(ctx, q, func(r db.Row) (a account, err error) {
		err = r.Scan(&a.name, &a.hash, &a.role, &a.disabled, &a.subject)
		return a, err
	}, "SELECT name, hash, role, disabled IS NOT NULL, subject FROM users WHERE name = ?", name)
	if err != nil {
		return a, fmt.Errorf("read a user: %w", err)
	}
	if !known {
		return account{name: name, hash: p.cost.nobody()}, nil
	}
	a.known = true
	return a, nil
}

// check checks a user's password when it is the turn of a queue. The error is a
// WaitError when there were too many attempts; it wraps ErrPassword when the
// password does not fit, and ErrBusy when it was not checked. A hash that is not as
// they are made today is made anew.
func (p *People) check(ctx context.Context, queue hashes, of account, a attempt, password string) error {
	olds, err := p.olds(ctx)
	if err != nil {
		return err
	}
	if wait := p.guesses.try(a, p.now()); wait > 0 {
		return WaitError{wait}
	}
	right := false
	var renewed []byte
	err = queue.do(ctx, func() {
		right = fits(of.hash, password) && of.known
		if olds && old(of.hash) { // so that each takes as long as the others
			fits(p.cost.nobody(), password)
		} else if olds {
			fits([]byte(oldNoHash), password)
		}
		if right && !p.cost.current(of.hash) {
			renewed = p.cost.hash(password)
		}
	})
	switch {
	case err != nil:
		p.guesses.uncount(a, p.now())
		return err
	case !right:
		p.guesses.wrong(a, p.now())
		p.failed(of, a.from)
		return ErrPassword
	}
	p.guesses.right(a, p.now())
	if renewed != nil {
		_, err = p.file.Exec(ctx, "UPDATE users SET hash = ? WHERE name = ? AND hash = ?", renewed, of.name, of.hash)
	}
	return err
}

// olds reports whether some users still have hashes of bcrypt.
func (p *People) olds(ctx context.Context) (bool, error) {
	some, _, err := db.One(ctx, p.file.Reader(), db.Value[bool],
		"SELECT EXISTS (SELECT 1 FROM users WHERE CAST(hash AS TEXT) LIKE '$2%')")
	if err != nil {
		return false, fmt.Errorf("read the users: %w", err)
	}
	return some, nil
}

// makeHash hashes a new password when it is its turn.
func (p *People) makeHash(ctx context.Context, password string) (hash []byte, err error) {
	if err = p.friends.do(ctx, func() { hash = p.cost.hash(password) }); err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// expel ends the sessions of a user, the invitations that the user has made, and
// links that set the user's password. except is the hash of a session that stays.
func expel(ctx context.Context, tx *sql.Tx, name string, except []byte) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE name = ? AND hash IS NOT ?", name, except)
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM invites WHERE invited_by = ? OR user = ?", name, name)
	}
	return err
}

// addrOf returns the address from which somebody acts; the zero Addr: unknown.
func addrOf(from string) netip.Addr {
	addr, err := netip.ParseAddr(from)
	if err != nil {
		return netip.Addr{}
	}
	return addr
}
