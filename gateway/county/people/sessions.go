package people

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gatehouse/gateway/county/db"
)

// Sessions are not those of alexedwards/scs (2.9.0): it was tried, and needed 67
// lines more than it replaced. The store, the end of sockets with their session
// and the end of all sessions of a user would still be ours; it takes no clock.
const (
	sessionFor   = 12 * time.Hour // a shift
	mostSessions = 20             // of one user
	// IdleFor is after how long a session ends that nobody uses; an open page uses it.
	IdleFor = time.Hour
	// checkEvery is how soon AwaitEnd finds that another process has ended a
	// session; an end by this process it finds at once.
	checkEvery = 2 * time.Second
	idSize     = 6 // bytes of a session's hash in its id
	// KeepEvery is how often Keep should be called.
	KeepEvery = time.Minute
)

// Shown is what a request shows to be let in.
type Shown struct {
	Session string // the token of a session; or empty
	Bearer  string // the token of a program; or empty
	From    string // the address that it comes from
}

// LimitIdle sets after how long a session ends that nobody uses. It is called
// before other goroutines use p.
func (p *People) LimitIdle(d time.Duration) { p.idle = d }

// Who returns who asks: a program if it shows a token, else whose session it is. The
// error wraps ErrSession when the token or session has ended, or its user may not
// log in any more.
func (p *People) Who(ctx context.Context, s Shown) (Session, error) {
	if IsToken(s.Bearer) {
		return p.program(ctx, s)
	}
	hash := hashOf(s.Session)
	var who Session
	var seen int64
	who.From = s.From
	now := p.now()
	_, found, err := db.One(ctx, p.file.Reader(), func(r db.Row) (n int, err error) {
		return 0, r.Scan(&who.Name, &who.Role, &seen, &who.Provided)
	}, `SELECT s.name, u.role, s.seen, u.subject <> '' FROM sessions s JOIN users u ON u.name = s.name
		WHERE s.hash = ? AND s.expires > ? AND u.disabled IS NULL`, hash, now.UnixNano())
	if err != nil {
		return Session{}, fmt.Errorf("read a session: %w", err)
	}
	if !found || now.Sub(p.lastUse(hash, instant(seen))) >= p.idle {
		return Session{}, ErrSession
	}
	who.ID = idOf(hash)
	p.use(hash, use{now, s.From})
	return who, nil
}

// idOf returns how lists name a session; it does not open it.
func idOf(hash []byte) string { return hex.EncodeToString(hash[:idSize]) }

// use notes the use of a session or token, until Keep writes it.
func (p *People) use(hash []byte, u use) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used[string(hash)] = u
}

// lastUse returns when a session or token was last used; kept is what its row says.
func (p *People) lastUse(hash []byte, kept time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return latest(p.used[string(hash)].at, kept)
}

// Listed is a session in a list.
type Listed struct {
	ID      string    `json:"id"`
	Began   time.Time `json:"began"`
	Seen    time.Time `json:"seen"`  // the last use
	Until   time.Time `json:"until"` // at the latest
	From    string    `json:"from"`  // address of the browser
	Browser string    `json:"browser"`
	Own     bool      `json:"own"` // the one that asks
}

// Sessions returns the sessions of a user that have not ended, the newest first. own
// is the id of the one that asks.
func (p *People) Sessions(ctx context.Context, name, own string) ([]Listed, error) {
	now := p.now()
	all, err := db.All(ctx, p.file.Reader(), func(r db.Row) (l Listed, err error) {
		var hash []byte
		var began, seen, until int64
		err = r.Scan(&hash, &began, &seen, &until, &l.From, &l.Browser)
		if err == nil {
			l.ID, l.Began, l.Until = idOf(hash), instant(began), instant(until)
			l.Seen = p.lastUse(hash, instant(seen)).UTC()
		}
		l.Own = l.ID == own
		return l, err
	}, `SELECT hash, began, seen, expires, address, browser FROM sessions
		WHERE name = ? AND expires > ? ORDER BY began DESC`, name, now.UnixNano())
	if err != nil {
		return nil, fmt.Errorf("read the sessions: %w", err)
	}
	return slices.DeleteFunc(all, func(l Listed) bool { return now.Sub(l.Seen) >= p.idle }), nil
}

// End ends a session of a user by its id, or all of them but the one that asks
// (""). by is the user, or an administrator.
func (p *People) End(ctx context.Context, by Session, name, id string) error {
	err := p.file.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE name = ? AND
			CASE WHEN ?2 = '' THEN lower(hex(substr(hash, 1, ?3))) <> ?4 ELSE lower(hex(substr(hash, 1, ?3))) = ?2 END`,
			name, id, idSize, by.ID)
		if err != nil {
			return err
		}
		return p.note(ctx, tx, Note{by.Actor, "end-session", name, id})
	})
	p.endSessions()
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// Logout ends a session.
func (p *People) Logout(ctx context.Context, from, token string) error {
	err := p.file.Write(ctx, func(tx *sql.Tx) error {
		name, was, err := db.One(ctx, tx, db.Value[string], "DELETE FROM sessions WHERE hash = ? RETURNING name",
			hashOf(token))
		if err != nil || !was {
			return err
		}
		return p.note(ctx, tx, Note{Actor{Name: name, From: from}, "log-out", name, ""})
	})
	p.endSessions()
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

// AwaitEnd returns when what a request shows lets it in no more: a logout, a new
// password or role, the end of its time, its user's end; or when ctx ends. It uses the
// session as long as it waits.
func (p *People) AwaitEnd(ctx context.Context, s Shown) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		p.mu.Lock()
		ended := p.ended
		p.mu.Unlock()
		if _, err := p.Who(ctx, s); errors.Is(err, ErrSession) {
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

// Keep writes when sessions and tokens were last used, and deletes sessions that
// have ended and links that are too old. The desk calls it every KeepEvery.
func (p *People) Keep(ctx context.Context, now time.Time) error {
	p.mu.Lock()
	used := p.used
	p.used = map[string]use{}
	maps.DeleteFunc(p.confirmed, func(_ string, at time.Time) bool { return now.Sub(at) > confirmedFor })
	p.mu.Unlock()
	err := p.file.Write(ctx, func(tx *sql.Tx) error {
		for hash, u := range used {
			if err := keepUse(ctx, tx, []byte(hash), u); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE expires < ? OR seen < ?", now.UnixNano(),
			now.Add(-p.idle-KeepEvery).UnixNano()) // a use meanwhile is written next time
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM invites WHERE expires < ?", now.UnixNano())
		}
		return err
	})
	if err != nil {
		p.restore(used)
		return fmt.Errorf("keep the last use of sessions: %w", err)
	}
	return nil
}

func keepUse(ctx context.Context, tx *sql.Tx, hash []byte, u use) error {
	_, err := tx.ExecContext(ctx, "UPDATE sessions SET seen = max(seen, ?) WHERE hash = ?", u.at.UnixNano(), hash)
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE tokens SET used = ?, address = ? WHERE hash = ?", u.at.UnixNano(), u.from,
			hash)
	}
	return err
}

// restore takes back uses that could not be written.
func (p *People) restore(used map[string]use) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for hash, u := range used {
		if _, newer := p.used[hash]; !newer {
			p.used[hash] = u
		}
	}
}
