package registry

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/enrolment"
)

// CodeFor is how long a code may be used, and then how long a request waits for somebody
// to decide it, and how long an approved gate may fetch its files.
const CodeFor = 24 * time.Hour

// keepRequests is how long requests stay for the desk's list after they were made.
const keepRequests = 7 * 24 * time.Hour

// MakeCode makes a code for a gate, which takes the place of the one that it has. by is
// who asks for it. The code is shown now or never: the county does not keep its secret.
func (r *Registry) MakeCode(ctx context.Context, agent string, by audit.By) (
	c enrolment.Code, expires time.Time, err error,
) {
	ca := r.opts.Authority
	switch {
	case ca == nil || len(r.opts.URLs) == 0:
		return c, expires, ErrOff
	case !slices.Contains(r.opts.Agents, agent):
		return c, expires, fmt.Errorf("%w: %q", ErrGate, agent)
	}
	sum := enrolment.AuthoritySum(ca.Certificate().RawSubjectPublicKeyInfo)
	if c, err = enrolment.NewCode(r.opts.County, agent, r.opts.URLs, sum); err != nil {
		return c, expires, err
	}
	public, _ := c.Key().Public().(ed25519.PublicKey)
	now := r.opts.Now()
	expires = now.Add(CodeFor)
	err = r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		if err := prune(ctx, tx, now); err != nil {
			return err
		}
		act := audit.Act{Action: audit.EnrolCode, Object: "gate " + agent, Detail: "code " + c.ID()}
		if err := audit.Append(ctx, tx, now, by, act); err != nil {
			return err
		}
		return exec(ctx, tx, `INSERT OR REPLACE INTO enrol_codes (id, agent, key, authority, made_at, made_by, expires,
			request) VALUES (?, ?, ?, ?, ?, ?, ?, '')`,
			c.ID(),
			agent,
			[]byte(public),
			sum[:],
			now.UnixNano(),
			by.Actor,
			expires.UnixNano(),
		)
	})
	if err != nil {
		return c, expires, fmt.Errorf("make a code: %w", err)
	}
	r.opts.Log.Info("a code for a gate was made", "agent", agent, "code", c.ID(), "by", by.Actor)
	return c, expires, nil
}

// prune forgets what nobody needs any more.
func prune(ctx context.Context, tx *sql.Tx, now time.Time) error {
	old := now.Add(-keepRequests).UnixNano()
	for _, query := range []string{
		"DELETE FROM enrol_codes WHERE expires < ?",
		"DELETE FROM enrol_requests WHERE at < ?",
		`DELETE FROM certificates WHERE not_after < ? AND revoked_at = 0
			AND serial NOT IN (SELECT serial FROM identities)`,
	} {
		if err := exec(ctx, tx, query, old); err != nil {
			return err
		}
	}
	return nil
}

// code is a row of enrol_codes.
type code struct {
	id, agent, request string
	key, authority     []byte
	made, expires      time.Time
	by                 string
}

const codeColumns = "SELECT id, agent, key, authority, made_at, made_by, expires, request FROM enrol_codes"

func scanCode(row db.Row) (c code, err error) {
	var made, expires int64
	err = row.Scan(&c.id, &c.agent, &c.key, &c.authority, &made, &c.by, &expires, &c.request)
	c.made, c.expires = at(made), at(expires)
	return c, err
}
