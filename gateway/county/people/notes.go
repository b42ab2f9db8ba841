package people

import (
	"context"
	"database/sql"
	"net/netip"
	"time"
)

// Note is what somebody did.
type Note struct {
	By     Actor
	Action string // one word, such as disable
	Object string // the user, token or session that it was done to
	Detail string
}

// Notes keep what was done.
type Notes interface {
	// Note keeps n in the transaction of the act: both happen, or neither.
	Note(ctx context.Context, tx *sql.Tx, n Note) error
	// Failed counts a log-in, or a question for the password, that failed. by has no name
	// when there is no such user.
	Failed(now time.Time, by Actor)
}

// KeepNotes makes notes keep what is done from now on. It is called before other
// goroutines use p.
func (p *People) KeepNotes(notes Notes) { p.notes = notes }

func (p *People) note(ctx context.Context, tx *sql.Tx, n Note) error {
	if p.notes == nil {
		return nil
	}
	return p.notes.Note(ctx, tx, n)
}

// failed counts a password that did not fit.
func (p *People) failed(of account, from netip.Addr) {
	if p.notes == nil {
		return
	}
	by := Actor{Role: of.role}
	if of.known {
		by.Name = of.name
	}
	if from.IsValid() {
		by.From = from.String()
	}
	p.notes.Failed(p.now(), by)
}
