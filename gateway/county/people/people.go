// Package people knows who may work at the county's desk: its users, their
// passwords and sessions, and how often somebody may guess. Its tables are in
// the desk's file.
package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"gatehouse/gateway/county/db"
)

const (
	inviteFor    = 24 * time.Hour
	passwordCost = 11 // of bcrypt: about 100 ms
	minPassword  = 10 // characters
	maxPassword  = 72 // bytes, the limit of bcrypt
	maxName      = 32 // characters
)

// Errors that a person at the desk can act on.
var (
	ErrPassword = errors.New("name or password is wrong")
	ErrInvite   = errors.New("this link was used already, or is too old: ask for another one")
	ErrName     = errors.New("the name is taken, empty or too long")
	ErrWeak     = fmt.Errorf("a password has at least %d characters, and at most %d bytes", minPassword, maxPassword)
	ErrSession  = errors.New("nobody is logged in")
	ErrBusy     = errors.New("too many passwords are being checked: try again in a moment")
)

// People are the users of a desk. The methods may be called from any goroutine.
type People struct {
	file      *db.File
	now       func() time.Time
	guesses   *guesses
	strangers hashes // of passwords from browsers that are not known
	friends   hashes // of passwords from known browsers and invited people

	mu    sync.Mutex
	ended chan struct{} // closed, and another made, when sessions were ended
}

// New returns the users of a file.
func New(file *db.File, now func() time.Time) *People {
	return &People{file: file, now: now, guesses: newGuesses(), strangers: newHashes(), friends: newHashes(),
		ended: make(chan struct{})}
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

// Users returns the names of all users, the oldest first.
func (p *People) Users(ctx context.Context) ([]string, error) {
	names, err := db.All(ctx, p.file.Reader(), db.Value[string], "SELECT name FROM users ORDER BY created")
	if err != nil {
		return nil, fmt.Errorf("read the users: %w", err)
	}
	return names, nil
}

// Invite returns a token that works once, for SetUp. by is the user who invites;
// empty: the operator of this computer.
func (p *People) Invite(ctx context.Context, by string) (token string, err error) {
	token, hash := newToken()
	_, err = p.file.Exec(ctx, "INSERT INTO invites (hash, invited_by, expires) VALUES (?, ?, ?)",
		hash, by, p.now().Add(inviteFor).UnixNano())
	if err != nil {
		return "", fmt.Errorf("make an invitation: %w", err)
	}
	return token, nil
}

// SetUp makes a user of whoever has an invitation's token. One from the operator
// may also set a new password for an existing name; one from a user may not take
// over somebody else's name.
func (p *People) SetUp(ctx context.Context, token, name, password string) error {
	name = strings.TrimSpace(name)
	if err := check(name, password); err != nil {
		return err
	}
	now := p.now().UnixNano()
	_, invited, err := db.One(ctx, p.file.Reader(), db.Value[int],
		"SELECT 1 FROM invites WHERE hash = ? AND expires > ?", hashOf(token), now)
	if err != nil {
		return fmt.Errorf("read an invitation: %w", err)
	}
	if !invited {
		return ErrInvite // before the password is hashed: that is work for invited people only
	}
	var hash []byte
	var failed error
	err = p.friends.do(ctx, func() { hash, failed = bcrypt.GenerateFromPassword([]byte(password), passwordCost) })
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	err = p.file.Write(ctx, func(tx *sql.Tx) error { return accept(ctx, tx, token, name, hash, now) })
	p.endSessions()
	return err
}

func check(name, password string) error {
	switch {
	case name == "", utf8.RuneCountInString(name) > maxName,
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return ErrName
	case utf8.RuneCountInString(password) < minPassword, len(password) > maxPassword:
		return ErrWeak
	}
	return nil
}

// accept uses an invitation up and keeps the user. The user's sessions end.
func accept(ctx context.Context, tx *sql.Tx, token, name string, hash []byte, now int64) error {
	by, invited, err := db.One(ctx, tx, db.Value[string],
		"DELETE FROM invites WHERE hash = ? AND expires > ? RETURNING invited_by", hashOf(token), now)
	if err != nil {
		return err
	}
	if !invited {
		return ErrInvite
	}
	insert := "INSERT INTO users (name, hash, created) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET hash = excluded.hash"
	if by != "" {
		insert = "INSERT INTO users (name, hash, created) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
	}
	res, err := tx.ExecContext(ctx, insert, name, hash, now)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrName, err)
	}
	if _, err = tx.ExecContext(ctx, "DELETE FROM sessions WHERE name = ?", name); err != nil {
		return err
	}
	// The operator's other links, such as one in a log, end with the first that is used.
	_, err = tx.ExecContext(ctx, "DELETE FROM invites WHERE invited_by = ''")
	return err
}
