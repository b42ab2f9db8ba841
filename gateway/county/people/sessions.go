package people

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/db"
)

// Sessions are not those of alexedwards/scs (2.9.0): it was tried, and needed 67
// lines more than it replaced. The store, the end of sockets with their session
// and the end of all sessions of a user would still be ours; it takes no clock.
const (
	sessionFor = 12 * time.Hour // a shift
	// checkEvery is how soon AwaitEnd finds that another process has ended a
	// session; an end by this process it finds at once.
	checkEvery = 2 * time.Second
)

// Session returns whose session a token is of, and until when it lasts. The
// error wraps ErrSession when it has ended, or its user is gone.
func (p *People) Session(ctx context.Context, token string) (name string, until time.Time, err error) {
	scan := func(r db.Row) (expires int64, err error) {
		err = r.Scan(&name, &expires)
		return expires, err
	}
	expires, found, err := db.One(ctx, p.file.Reader(), scan, `SELECT name, expires FROM sessions s
		WHERE hash = ? AND expires > ? AND EXISTS (SELECT 1 FROM users u WHERE u.name = s.name)`,
		hashOf(token), p.now().UnixNano())
	if err != nil {
		return "", time.Time{}, fmt.Errorf("read a session: %w", err)
	}
	if !found {
		return "", time.Time{}, ErrSession
	}
	return name, time.Unix(0, expires).UTC(), nil
}

// Logout ends a session.
func (p *People) Logout(ctx context.Context, token string) error {
	if _, err := p.file.Exec(ctx, "DELETE FROM sessions WHERE hash = ?", hashOf(token)); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	p.endSessions()
	return nil
}

// AwaitEnd returns when the session of token has ended, by a logout, a new
// password, its time or its user's removal, or when ctx ends.
func (p *People) AwaitEnd(ctx context.Context, token string) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		p.mu.Lock()
		ended := p.ended
		p.mu.Unlock()
		if _, _, err := p.Session(ctx, token); errors.Is(err, ErrSession) {
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

// endSessions makes every AwaitEnd check its session again.
func (p *People) endSessions() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.ended)
	p.ended = make(chan struct{})
}

// Prune deletes sessions that have ended.
func (p *People) Prune(ctx context.Context, now time.Time) error {
	_, err := p.file.Exec(ctx, "DELETE FROM sessions WHERE expires < ?", now.UnixNano())
	if err != nil {
		return fmt.Errorf("delete old sessions: %w", err)
	}
	return nil
}
