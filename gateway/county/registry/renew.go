package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity/authority"
)

// Renew returns the certificate that counts for an agent, a new one when it is time. It
// may be asked at any time. Errors wrap ErrForged, ErrRevoked or ErrLate.
func (r *Registry) Renew(ctx context.Context, ask enrolment.Renewal) (a enrolment.Renewed, err error) {
	ca := r.opts.Authority
	i, ok := r.Lookup(ask.Agent)
	now := r.opts.Now()
	switch {
	case ca == nil:
		return a, ErrOff
	case !ok || !ask.Verify(r.opts.County, i.Key):
		return a, ErrForged
	case !i.Revoked.IsZero():
		return a, ErrRevoked
	}
	stage := authority.StageOf(i.Issued, i.NotAfter, now)
	if stage == authority.TooLate {
		return a, ErrLate
	}
	if stage > authority.Fresh || !r.issued(i, ca) {
		if i, err = r.reissue(ctx, i, now); err != nil {
			return a, fmt.Errorf("renew the certificate of %s: %w", ask.Agent, err)
		}
	}
	if err := r.newRecipient(ctx, ask.Agent, ask.To); err != nil {
		return a, err
	}
	a = enrolment.Renewed{Time: now.UTC(), Certificate: i.Certificate, CA: ca.Certificate().Raw}
	if a.Packages, err = r.packages(now); err != nil {
		r.opts.Log.Warn("gates are not told from where they are upgraded", "err", err)
	}
	return enrolment.SignRenewed(a, ask, r.opts.County, r.opts.Collector), nil
}

// reissue issues another certificate for the key of an identity.
func (r *Registry) reissue(ctx context.Context, i Identity, now time.Time) (Identity, error) {
	public, err := enrolment.ParseKey(i.Key)
	if err != nil {
		return i, err
	}
	cert, err := r.opts.Authority.Issue(i.Name, i.Kind, public, now)
	if err != nil {
		return i, err
	}
	err = r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		n, _, err := db.One(
			ctx,
			tx,
			db.Value[int],
			"SELECT count(*) FROM identities WHERE name = ? AND spki = ? AND revoked_at = 0",
			i.Name,
			i.Key,
		)
		if err == nil && n == 0 {
			err = ErrRevoked
		}
		if err != nil {
			return err
		}
		act := audit.Act{Action: audit.EnrolRenew, Object: "gate " + i.Name, Detail: "serial " + Serial(cert) +
			", ends " + cert.NotAfter.UTC().Format(time.RFC3339)}
		if err := audit.Append(ctx, tx, now, audit.By{Actor: i.Name, From: "gate"}, act); err != nil {
			return err
		}
		return keep(ctx, tx, i.Name, cert, now)
	})
	if err != nil {
		return i, err
	}
	r.opts.Log.Info(
		"a gate's certificate was renewed",
		"agent",
		i.Name,
		"serial",
		Serial(cert),
		"ends",
		cert.NotAfter,
	)
	i.Certificate, i.Issued, i.NotAfter, i.Serial = cert.Raw, now, cert.NotAfter, Serial(cert)
	return i, r.load(context.WithoutCancel(ctx))
}

// packages returns what gates are told of the county's packages; nil: it offers none.
func (r *Registry) packages(now time.Time) (*enrolment.Packages, error) {
	if r.opts.Packages == nil || len(r.opts.URLs) == 0 {
		return nil, nil
	}
	key, err := r.opts.Packages()
	if err != nil || key == nil {
		return nil, err
	}
	p, err := enrolment.SignPackages(r.opts.County, now, r.opts.URLs, key, r.opts.Authority.Key())
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// withPackages returns the files of a gate with what it is told of the county's packages.
func (r *Registry) withPackages(files []enrolment.File, now time.Time) ([]enrolment.File, error) {
	p, err := r.packages(now)
	if err != nil || p == nil {
		return files, err
	}
	b, err := json.Marshal(p)
	if err != nil {
		return files, fmt.Errorf("write the key of packages: %w", err)
	}
	return append(slices.Clip(files), enrolment.File{Name: enrolment.PackagesFile, Bytes: b}), nil
}
