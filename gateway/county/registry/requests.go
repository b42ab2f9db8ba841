package registry

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity/authority"
)

// The states of a request.
const (
	waiting  = "waiting"
	approved = "approved"
	refused  = "refused"
)

// request is a row of enrol_requests.
type request struct {
	id, code, agent, recipient, from, state, by string
	key, authority                              []byte
	made, decided                               time.Time
}

const requestColumns = `SELECT id, code, agent, spki, recipient, authority, from_addr, at, state, decided_at, decided_by
	FROM enrol_requests`

func scanRequest(row db.Row) (q request, err error) {
	var made, decided int64
	err = row.Scan(
		&q.id,
		&q.code,
		&q.agent,
		&q.key,
		&q.recipient,
		&q.authority,
		&q.from,
		&made,
		&q.state,
		&decided,
		&q.by,
	)
	q.made, q.decided = at(made), at(decided)
	return q, err
}

// until returns when a request is forgotten by the gate's side.
func (q request) until() time.Time {
	if q.state == approved {
		return q.decided.Add(CodeFor)
	}
	return q.made.Add(CodeFor)
}

func (q request) accepted() enrolment.Accepted {
	return enrolment.Accepted{ID: q.id, Fingerprint: enrolment.Fingerprint(q.key), Until: q.until()}
}

// Request takes what a gate asks with a code; from is its address, for people. A gate that
// asks again with the same code and key gets the same answer.
func (r *Registry) Request(
	ctx context.Context,
	ask enrolment.Request,
	from string,
) (a enrolment.Accepted, err error) {
	if r.opts.Authority == nil {
		return a, ErrOff
	}
	err = r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		c, found, err := db.One(ctx, tx, scanCode, codeColumns+" WHERE id = ?", ask.Code)
		if err != nil {
			return err
		}
		if !found {
			return ErrUnknown
		}
		key, err := ask.Verify(c.key, r.opts.County, c.agent)
		if err != nil {
			return err
		}
		a, err = r.take(ctx, tx, c, key, ask.To, from)
		return err
	})
	if err != nil {
		return a, err
	}
	return a, nil
}

// take keeps a request that was made with a code.
func (r *Registry) take(ctx context.Context, tx *sql.Tx, c code, key []byte, to, from string) (
	a enrolment.Accepted, err error,
) {
	now := r.opts.Now()
	if c.request != "" {
		q, found, err := db.One(ctx, tx, scanRequest, requestColumns+" WHERE id = ?", c.request)
		switch {
		case err != nil:
			return a, err
		case !found || !now.Before(q.until()):
			return a, ErrLate
		case !bytes.Equal(q.key, key) || q.recipient != to:
			return a, ErrUsed
		case q.state == refused:
			return a, ErrRefused
		}
		return q.accepted(), nil
	}
	if !now.Before(c.expires) || !bytes.Equal(c.authority, r.sum()) {
		return a, ErrLate
	}
	if err := mayUse(ctx, tx, c.agent, key); err != nil {
		return a, err
	}
	q := request{id: strings.ToLower(rand.Text()), code: c.id, agent: c.agent, key: key, recipient: to,
		authority: c.authority, from: from, made: now, state: waiting}
	if err := exec(ctx, tx, `INSERT INTO enrol_requests (id, code, agent, spki, recipient, authority, from_addr, at,
		state, decided_at, decided_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')`, q.id, q.code, q.agent, q.key,
		q.recipient, q.authority, q.from, now.UnixNano(), q.state); err != nil {
		return a, err
	}
	r.opts.Log.Info("a gate asks for its certificate", "agent", c.agent, "remote", from,
		"fingerprint", enrolment.Fingerprint(key))
	return q.accepted(), exec(ctx, tx, "UPDATE enrol_codes SET request = ? WHERE id = ?", q.id, c.id)
}

// sum is the authority's, as codes hold it.
func (r *Registry) sum() []byte {
	sum := enrolment.AuthoritySum(r.opts.Authority.Certificate().RawSubjectPublicKeyInfo)
	return sum[:]
}

// Approve gives the gate of a request its certificate; what it had before is void. by is
// who does it. It fails when the gate's files are not all there.
func (r *Registry) Approve(ctx context.Context, id string, by audit.By) error {
	q, err := r.undecided(ctx, id)
	if err != nil {
		return err
	}
	if err := r.opts.Files.Check(q.agent); err != nil {
		return fmt.Errorf("%w: %w", ErrFiles, err)
	}
	public, err := enrolment.ParseKey(q.key)
	if err != nil {
		return err
	}
	now := r.opts.Now()
	cert, err := r.opts.Authority.Issue(q.agent, authority.Agent, public, now)
	if err != nil {
		return err
	}
	err = r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		if err := decide(ctx, tx, q, approved, by, now); err != nil {
			return err
		}
		if err := keepRecipient(ctx, tx, q.agent, q.recipient); err != nil {
			return err
		}
		return install(ctx, tx, q.agent, authority.Agent, cert, by, now)
	})
	if err != nil {
		return fmt.Errorf("approve the request of %s: %w", q.agent, err)
	}
	r.opts.Log.Info("a gate was given its certificate", "agent", q.agent, "serial", Serial(cert),
		"fingerprint", enrolment.Fingerprint(q.key), "by", by.Actor)
	return r.load(context.WithoutCancel(ctx))
}

// undecided returns a request that waits, and may be approved.
func (r *Registry) undecided(ctx context.Context, id string) (request, error) {
	q, found, err := db.One(ctx, r.opts.File.Reader(), scanRequest, requestColumns+" WHERE id = ?", id)
	switch {
	case err != nil:
		return q, fmt.Errorf("read the request: %w", err)
	case !found || q.state != waiting:
		return q, ErrDecided
	case r.opts.Authority == nil:
		return q, ErrOff
	case !r.opts.Now().Before(q.until()) || !bytes.Equal(q.authority, r.sum()):
		return q, ErrLate
	}
	return q, mayUse(ctx, r.opts.File.Reader(), q.agent, q.key)
}

// decide keeps what somebody has decided about a request that waits.
func decide(ctx context.Context, tx *sql.Tx, q request, state string, by audit.By, now time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE enrol_requests SET state = ?, decided_at = ?, decided_by = ?
		WHERE id = ? AND state = ?`, state, now.UnixNano(), by.Actor, q.id, waiting)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrDecided, err)
	}
	act := audit.Act{Action: audit.EnrolRefuse, Object: "gate " + q.agent,
		Detail: "key " + enrolment.Fingerprint(q.key)}
	if state == approved {
		act.Action = audit.EnrolApprove
	}
	return audit.Append(ctx, tx, now, by, act)
}

// keep makes a certificate the one that counts for a name.
func keep(ctx context.Context, tx *sql.Tx, name string, cert *x509.Certificate, now time.Time) error {
	if err := exec(ctx, tx, `UPDATE identities SET serial = ?, certificate = ?, issued = ?, not_after = ?
		WHERE name = ?`,
		Serial(cert), cert.Raw, now.UnixNano(), cert.NotAfter.UnixNano(), name); err != nil {
		return err
	}
	return exec(
		ctx,
		tx,
		"INSERT INTO certificates (serial, name, spki, not_after, revoked_at) VALUES (?, ?, ?, ?, 0)",
		Serial(cert),
		name,
		cert.RawSubjectPublicKeyInfo,
		cert.NotAfter.UnixNano(),
	)
}

// Serial returns a certificate's serial number as Revoked takes it.
func Serial(cert *x509.Certificate) string { return fmt.Sprintf("%032x", cert.SerialNumber) }

// Refuse refuses a request that waits. by is who does it.
func (r *Registry) Refuse(ctx context.Context, id string, by audit.By) error {
	err := r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		q, found, err := db.One(ctx, tx, scanRequest, requestColumns+" WHERE id = ?", id)
		if err == nil && !found {
			err = ErrDecided
		}
		if err != nil {
			return err
		}
		return decide(ctx, tx, q, refused, by, r.opts.Now())
	})
	if err != nil {
		return fmt.Errorf("refuse the request: %w", err)
	}
	r.opts.Log.Warn("the request of a gate was refused", "request", id, "by", by.Actor)
	return nil
}

// Answer returns what a gate gets for its request. Errors say why there is nothing:
// ErrWaiting, ErrRefused, ErrLate, ErrUnknown, ErrRevoked.
func (r *Registry) Answer(ctx context.Context, id string) (a enrolment.Answer, err error) {
	q, found, err := db.One(ctx, r.opts.File.Reader(), scanRequest, requestColumns+" WHERE id = ?", id)
	now := r.opts.Now()
	switch {
	case err != nil:
		return a, fmt.Errorf("read the request: %w", err)
	case !found:
		return a, ErrUnknown
	case q.state == refused:
		return a, ErrRefused
	case r.opts.Authority == nil:
		return a, ErrOff
	case !now.Before(q.until()):
		return a, ErrLate
	case q.state == waiting:
		return a, ErrWaiting
	}
	i, ok := r.Lookup(q.agent)
	if !ok || !bytes.Equal(i.Key, q.key) || !i.Revoked.IsZero() {
		return a, ErrRevoked
	}
	files, err := r.opts.Files.Files(q.agent)
	if err != nil {
		return a, fmt.Errorf("%w: %w", ErrFiles, err)
	}
	if files, err = r.withPackages(files, now); err != nil {
		r.opts.Log.Warn("the gate is not told from where it is upgraded", "agent", q.agent, "err", err)
	}
	b := enrolment.Bundle{
		County:      r.opts.County,
		Agent:       q.agent,
		Time:        now.UTC(),
		Certificate: i.Certificate,
		Files:       files,
	}
	ca := r.opts.Authority
	return enrolment.SealBundle(b, q.id, q.recipient, ca.Certificate(), ca.Key())
}
