package registry

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/wire"
)

// watchEvery is how often Watch looks for changes by other programs.
const watchEvery = time.Second

// ErrName is wrapped when a name can't be that of a machine or reader.
var ErrName = errors.New("a machine or reader can't have this name")

// Issue gives a machine or reader a certificate of a public key; what the name had before
// is void. by is who does it. Gates get theirs by a code.
func (r *Registry) Issue(ctx context.Context, name string, kind authority.Kind, public *ecdsa.PublicKey,
	by audit.By,
) (*x509.Certificate, error) {
	if err := r.MayBe(name, kind); err != nil {
		return nil, err
	}
	now := r.opts.Now()
	cert, err := r.opts.Authority.Issue(name, kind, public, now)
	if err != nil {
		return nil, err
	}
	err = r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		if err := mayUse(ctx, tx, name, cert.RawSubjectPublicKeyInfo); err != nil {
			return err
		}
		act := audit.Act{Action: audit.EnrolIssue, Object: string(kind) + " " + name, Detail: "serial " + Serial(cert)}
		if err := audit.Append(ctx, tx, now, by, act); err != nil {
			return err
		}
		return install(ctx, tx, name, kind, cert, by, now)
	})
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for %s: %w", name, err)
	}
	return cert, r.load(context.WithoutCancel(ctx))
}

// MayBe returns an error unless a name may be that of a machine or reader.
func (r *Registry) MayBe(name string, kind authority.Kind) error {
	i, known := r.Lookup(name)
	switch err := wire.CheckID(name); {
	case r.opts.Authority == nil:
		return ErrOff
	case err != nil:
		return fmt.Errorf("%w: %w", ErrName, err)
	case kind != authority.Machine && kind != authority.Reader:
		return fmt.Errorf("a certificate is issued to a machine or a reader, not to a %q: gates get a code", kind)
	case name == wire.CollectorID:
		return fmt.Errorf("%w: %q is the collector's own", ErrName, name)
	case slices.Contains(r.opts.Agents, name):
		return fmt.Errorf("%w: %q is a gate of the sites file, which gets a code", ErrName, name)
	case known && i.Kind != kind && i.Revoked.IsZero():
		return fmt.Errorf("%w: %q is the identity of a %s: revoke it first", ErrName, name, i.Kind)
	}
	return nil
}

// install makes a certificate the only one of its name that counts.
func install(ctx context.Context, tx *sql.Tx, name string, kind authority.Kind, cert *x509.Certificate, by audit.By,
	now time.Time,
) error {
	if err := void(ctx, tx, name, now.UnixNano()); err != nil {
		return err
	}
	if err := exec(ctx, tx, `INSERT OR REPLACE INTO identities (name, kind, serial, certificate, spki, issued,
		not_after, approved_at, approved_by, revoked_at, revoked_by) VALUES (?, ?, '', x'', ?, 0, 0, ?, ?, 0, '')`,
		name, kind, cert.RawSubjectPublicKeyInfo, now.UnixNano(), by.Actor); err != nil {
		return err
	}
	return keep(ctx, tx, name, cert, now)
}

// Watch takes in what other programs change in the file, such as gatehouse identity, until
// ctx ends. What can't be read now is read at the next look.
func (r *Registry) Watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	seen := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := r.state(ctx)
		if err != nil || now == seen {
			continue
		}
		if r.load(ctx) == nil {
			seen = now
		}
	}
}

// state returns a text that differs after each change of an identity: each issues a
// certificate or revokes one.
func (r *Registry) state(ctx context.Context) (string, error) {
	text, _, err := db.One(ctx, r.opts.File.Reader(), db.Value[string],
		"SELECT count(*) || ' ' || total(revoked_at) || ' ' || total(not_after) FROM certificates")
	return text, err
}
