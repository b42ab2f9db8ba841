package registry

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/identity/authority"
)

// Errors about certificates that clients of a broker show.
var (
	ErrForeign = errors.New("it is not a certificate that the county knows: enrol it with a new code")
	ErrVoid    = errors.New("it was replaced by another one, or revoked: enrol again with a new code")
	ErrEnded   = errors.New("it counts no more, or not yet: check the clocks, then renew it or enrol again")
)

// Identify returns what the certificate that a client shows is for, or why it does not
// count at now; its name is the certificate's common name. For a client that shows none
// (nil) it returns what the certificate of that name is for, empty when the name has
// none, or ErrRevoked. What is issued to a name is for its key: until the agent has the
// renewed certificate the former one counts as well.
func (r *Registry) Identify(name string, cert *x509.Certificate, now time.Time) (authority.Kind, error) {
	i, known := r.Lookup(name)
	switch {
	case known && !i.Revoked.IsZero():
		return "", ErrRevoked
	case cert == nil:
		return i.Kind, nil
	case r.Revoked(Serial(cert)):
		return "", ErrVoid
	case !known || cert.Subject.CommonName != name || !bytes.Equal(cert.RawSubjectPublicKeyInfo, i.Key):
		return "", ErrForeign
	case !bytes.Equal(cert.Raw, i.Certificate) && !r.signed(cert):
		return "", ErrForeign // its holder may have made it, and written another end into it
	case now.Before(cert.NotBefore) || !now.Before(cert.NotAfter):
		return "", ErrEnded
	}
	return i.Kind, nil
}

// signed reports whether the present authority has signed a certificate.
func (r *Registry) signed(cert *x509.Certificate) bool {
	ca := r.opts.Authority
	return ca != nil && cert.CheckSignatureFrom(ca.Certificate()) == nil
}

// Void returns the certificates that were revoked or replaced, and have not ended.
func (r *Registry) Void(ctx context.Context) ([]authority.Void, error) {
	list, err := db.All(ctx, r.opts.File.Reader(), scanVoid,
		"SELECT serial, revoked_at FROM certificates WHERE revoked_at != 0 AND not_after > ?", r.opts.Now().UnixNano())
	if err != nil {
		return nil, fmt.Errorf("read the revoked certificates: %w", err)
	}
	return list, nil
}

func scanVoid(row db.Row) (v authority.Void, err error) {
	var serial string
	var revoked int64
	if err := row.Scan(&serial, &revoked); err != nil {
		return v, err
	}
	v.At = at(revoked)
	n, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		return v, fmt.Errorf("a certificate has the serial number %q", serial)
	}
	v.Serial = n
	return v, nil
}
