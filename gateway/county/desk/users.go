package desk

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
	sessionFor   = 12 * time.Hour // a shift
	inviteFor    = 24 * time.Hour
	passwordCost = 11 // bcrypt; some 100 ms
	minPassword  = 10 // characters
	maxPassword  = 72 // bytes, bcrypt's limit
	maxName      = 32 // characters
	// lookAgain is how soon an open page learns that another process has ended
	// its session; this one tells at once.
	lookAgain = 2 * time.Second
)

// Errors that a person at the desk can mend.
var (
	ErrPassword = errors.New("name or password is wrong")
	ErrInvite   = errors.New("this link has been used, or is too old: ask for another one")
	ErrName     = errors.New("the name is taken, empty or too long")
	ErrWeak     = fmt.Errorf("the password needs %d characters at least, and %d bytes at most", minPassword, maxPassword)
	ErrSession  = errors.New("nobody is logged in")
	ErrBusy     = errors.New("too many passwords are being looked at: try again in a moment")
)

// people is what the desk holds of its users in memory.
type people struct {
	hashes hashes // of passwords
	mu     sync.Mutex
	ended  chan struct{} // closed, and another made, when sessions have been ended
}

func newPeople() people { return people{hashes: newHashes(), ended: make(chan struct{})} }

// pruneSessions deletes sessions that have ended.
func (d *Desk) pruneSessions(ctx context.Context, now time.Time) error {
	_, err := d.file.Writer().ExecContext(ctx, "DELETE FROM sessions WHERE expires < ?", now.UnixNano())
	return err
}

// secret makes a token, and what is kept of it.
func secret() (token string, hash []byte) {
	var b [24]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, digest(token)
}

func digest(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// Users tells whether anybody can log in.
func (d *Desk) Users(ctx context.Context) ([]string, error) {
	names, err := db.All(ctx, d.file.Reader(), db.Value[string], "SELECT name FROM users ORDER BY created")
	if err != nil {
		return nil, fmt.Errorf("read the users: %w", err)
	}
	return names, nil
}

// Invite makes a one-time token with which somebody becomes a user, or sets a
// new password for their name.
func (d *Desk) Invite(ctx context.Context, by string) (token string, err error) {
	token, hash := secret()
	_, err = d.file.Writer().ExecContext(ctx, "INSERT INTO invites VALUES (?, ?, ?)", hash, by, time.Now().Add(inviteFor).UnixNano())
	if err != nil {
		return "", fmt.Errorf("make an invitation: %w", err)
	}
	return token, nil
}

// SetUp makes a user of whoever has the token. The token of the set-up link or
// of the command line (no inviter) may set a new password for a name; one from
// a colleague may not take over somebody else's name.
func (d *Desk) SetUp(ctx context.Context, token, name, password string) error {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ErrName
	}
	if utf8.RuneCountInString(password) < minPassword || len(password) > maxPassword {
		return ErrWeak
	}
	now := time.Now().UnixNano()
	var known int
	err := d.file.Reader().QueryRowContext(ctx, "SELECT count(*) FROM invites WHERE hash = ? AND expires > ?", digest(token), now).Scan(&known)
	if err != nil {
		return fmt.Errorf("read an invitation: %w", err)
	}
	if known == 0 {
		return ErrInvite // a hash is work that nobody without one may order
	}
	var hash []byte
	var failed error
	err = d.people.hashes.do(ctx, func() { hash, failed = bcrypt.GenerateFromPassword([]byte(password), passwordCost) })
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	err = d.file.Write(ctx, func(tx *sql.Tx) error {
		var by string
		switch err := tx.QueryRowContext(ctx, "DELETE FROM invites WHERE hash = ? AND expires > ? RETURNING invited_by", digest(token), now).Scan(&by); {
		case errors.Is(err, sql.ErrNoRows):
			return ErrInvite
		case err != nil:
			return err
		}
		on := " ON CONFLICT DO UPDATE SET hash = excluded.hash"
		if by != "" {
			on = " ON CONFLICT DO NOTHING"
		}
		res, err := tx.ExecContext(ctx, "INSERT INTO users VALUES (?, ?, ?)"+on, name, hash, now) //nolint:gosec // a constant
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrName, err)
		}
		if _, err = tx.ExecContext(ctx, "DELETE FROM sessions WHERE name = ?", name); err != nil {
			return err
		}
		// Other set-up links, such as one in a log, end with the first that is used.
		_, err = tx.ExecContext(ctx, "DELETE FROM invites WHERE invited_by = ''")
		return err
	})
	d.endSessions()
	return err
}

// nobody is a hash that fits no password, so that unknown names take as long.
var nobody = []byte("$2a$11$abcdefghijklmnopqrstuuKHkBOOMNoQbGJtHHTSwmYOAcYvJjTGG")

// Login makes a session. The error wraps ErrPassword when name and password do
// not fit, and ErrBusy when they were not looked at.
func (d *Desk) Login(ctx context.Context, name, password string) (token string, err error) {
	hash := nobody
	err = d.file.Reader().QueryRowContext(ctx, "SELECT hash FROM users WHERE name = ?", strings.TrimSpace(name)).Scan(&hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("log in: %w", err)
	}
	fits := err == nil
	err = d.people.hashes.do(ctx, func() { fits = bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil && fits })
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	if !fits {
		return "", ErrPassword
	}
	token, kept := secret()
	_, err = d.file.Writer().ExecContext(ctx, "INSERT INTO sessions VALUES (?, ?, ?)", kept, strings.TrimSpace(name), time.Now().Add(sessionFor).UnixNano())
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	return token, nil
}

// Session tells whose a token is and until when. The error wraps ErrSession when
// it has ended, or its user has.
func (d *Desk) Session(ctx context.Context, token string) (name string, until time.Time, err error) {
	var expires int64
	err = d.file.Reader().QueryRowContext(ctx, `SELECT name, expires FROM sessions s
		WHERE hash = ? AND expires > ? AND EXISTS (SELECT 1 FROM users u WHERE u.name = s.name)`, digest(token), time.Now().UnixNano()).Scan(&name, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return "", time.Time{}, ErrSession
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("read a session: %w", err)
	}
	return name, time.Unix(0, expires).UTC(), nil
}

// Logout ends a session.
func (d *Desk) Logout(ctx context.Context, token string) error {
	if _, err := d.file.Writer().ExecContext(ctx, "DELETE FROM sessions WHERE hash = ?", digest(token)); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	d.endSessions()
	return nil
}

// AwaitEnd returns when the session of token has ended, by a logout, a new
// password, its time or its user's end, or when ctx ends.
func (d *Desk) AwaitEnd(ctx context.Context, token string) {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		d.people.mu.Lock()
		ended := d.people.ended
		d.people.mu.Unlock()
		if _, _, err := d.Session(ctx, token); errors.Is(err, ErrSession) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ended:
		case <-tick.C:
		}
	}
}

// endSessions lets every AwaitEnd look again.
func (d *Desk) endSessions() {
	d.people.mu.Lock()
	defer d.people.mu.Unlock()
	close(d.people.ended)
	d.people.ended = make(chan struct{})
}
