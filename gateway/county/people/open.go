package people

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gatehouse/gateway/county/db"
)

// Open is a link that nobody has used yet, without its token.
type Open struct {
	ID    string    `json:"id"`
	Role  Role      `json:"role,omitempty"` // of the user that it makes
	User  string    `json:"user,omitempty"` // whose password it sets
	By    string    `json:"by,omitempty"`   // who made it; empty: the operator of the computer
	Until time.Time `json:"until"`
}

// OpenInvites returns the links that count, the one that ends first at the beginning.
func (p *People) OpenInvites(ctx context.Context) ([]Open, error) {
	all, err := db.All(ctx, p.file.Reader(), func(r db.Row) (o Open, err error) {
		var hash []byte
		var until int64
		err = r.Scan(&hash, &o.Role, &o.User, &o.By, &until)
		if err == nil {
			o.ID, o.Until = idOf(hash), instant(until)
		}
		return o, err
	}, "SELECT hash, role, user, invited_by, expires FROM invites WHERE expires > ? AND first = 0 ORDER BY expires",
		p.now().UnixNano())
	if err != nil {
		return nil, fmt.Errorf("read the open invitations: %w", err)
	}
	return all, nil
}

// WithdrawInvite makes a link void. The error wraps ErrInvite when there is none.
func (p *People) WithdrawInvite(ctx context.Context, by Actor, id string) error {
	err := p.file.Write(ctx, func(tx *sql.Tx) error {
		what, found, err := db.One(ctx, tx, scanInvited, `DELETE FROM invites
			WHERE lower(hex(substr(hash, 1, ?))) = ? AND first = 0 RETURNING role, user`, idSize, id)
		if err == nil && !found {
			err = ErrInvite
		}
		if err != nil {
			return err
		}
		return p.note(ctx, tx, Note{by, "withdraw-invite", what.User, string(what.Role)})
	})
	if err != nil {
		return fmt.Errorf("withdraw an invitation: %w", err)
	}
	return nil
}
