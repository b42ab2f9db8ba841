package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/wire"
)

// door decides who comes in, and in whose name. Its methods may be called from any
// goroutine.
type door struct {
	identities   Identities     // nil: the county knows nobody by a certificate
	certificates bool           // who has no password needs a certificate
	passwords    *passwords     // nil: nobody has one
	roots        *x509.CertPool // of another authority, whose certificates every client needs; nil: none
	tries        *tries
	now          func() time.Time
}

// named reports whether clients have names, which they prove.
func (d *door) named() bool { return d.certificates || d.passwords != nil }

// config returns the configuration of TLS.
func (d *door) config(files TLS) (*tls.Config, error) {
	pair, err := identity.KeyPair(files.Cert, files.Key)
	if err != nil {
		return nil, fmt.Errorf("broker: tls cert and key: %w", err)
	}
	c := &tls.Config{MinVersion: tlsVersions[files.Min], Certificates: []tls.Certificate{pair},
		VerifyConnection: d.verify} // resumed connections are asked, too
	if files.CA != "" {
		pem, err := identity.ReadPEM(files.CA)
		if err != nil {
			return nil, fmt.Errorf("broker: tls ca: %w", err)
		}
		d.roots = x509.NewCertPool()
		if !d.roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("broker: tls ca %s holds no PEM certificate", files.CA)
		}
	}
	switch {
	case d.roots != nil || d.certificates && d.passwords == nil:
		c.ClientAuth = tls.RequireAnyClientCert
	case d.identities != nil:
		c.ClientAuth = tls.RequestClientCert
	}
	return c, nil
}

// verify looks at the certificate of a client, when there is one.
func (d *door) verify(s tls.ConnectionState) error {
	if len(s.PeerCertificates) == 0 {
		return nil
	}
	_, err := d.owner(s.PeerCertificates)
	return err
}

// owner returns what the certificate of a client is for; empty: its user name says it.
// chain begins with the certificate.
func (d *door) owner(chain []*x509.Certificate) (kind, error) {
	cert, now := chain[0], d.now()
	name := cert.Subject.CommonName
	if !now.Before(cert.NotAfter) {
		return "", fmt.Errorf("the certificate of %q has ended on %s: renew it, or enrol again with a new code",
			name, cert.NotAfter.UTC().Format(time.DateOnly))
	}
	var other error
	if d.roots != nil {
		if other = d.issuedByOther(chain); other == nil {
			return "", d.barred(name)
		}
		if d.identities == nil {
			return "", other
		}
	}
	if d.identities == nil {
		return "", errors.New("the broker asks for no certificate")
	}
	k, err := d.identities.Identify(name, cert, now)
	if err != nil {
		return "", fmt.Errorf("the certificate of %q does not count: %w", name, errors.Join(err, other))
	}
	return kind(k), nil
}

func (d *door) issuedByOther(chain []*x509.Certificate) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: d.roots, Intermediates: between, CurrentTime: d.now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}

// barred returns why nobody may come by a name.
func (d *door) barred(name string) error {
	if d.identities == nil {
		return nil
	}
	_, err := d.identities.Identify(name, nil, d.now())
	return err
}

// Codes of a CONNACK (MQTT 3.1.1, 3.2.2.3).
const (
	badID    = 2
	badLogin = 4
	refused  = 5
)

// refusal is why a client does not come in.
type refusal struct {
	code byte // of the CONNACK
	what string
}

func (r refusal) Error() string { return r.what }

// enter returns who a client is. secure is its TLS; nil: it has none. An error is a
// refusal, or ctx's.
func (d *door) enter(ctx context.Context, secure *tls.ConnectionState, remote net.Addr, g greeting) (
	p principal, err error,
) {
	if secure == nil || len(secure.PeerCertificates) == 0 {
		return d.byPassword(ctx, secure != nil, remote, g)
	}
	cert := secure.PeerCertificates[0]
	name := cert.Subject.CommonName
	k, err := d.owner(secure.PeerCertificates)
	switch {
	case err != nil:
		return p, refusal{refused, err.Error()}
	case g.user != "" && g.user != name:
		return p, refusal{badLogin, fmt.Sprintf("its certificate is of %q and its user name is another one: "+
			"leave the user name out, or use the certificate of that user", name)}
	case k == "": // of another authority: it opens the door, and the password says who it is
		p, err = d.byPassword(ctx, true, remote, g)
		p.cert = cert
		return p, err
	case wire.CheckID(name) != nil || name == wire.CollectorID:
		return p, refusal{refused, fmt.Sprintf("the name %q of its certificate is nobody's", name)}
	case k == agent && g.client != name && !strings.HasPrefix(g.client, name+"-"):
		return p, refusal{badID, fmt.Sprintf("its certificate is of %s: its client id must be that, or begin with it "+
			"and a dash", name)}
	}
	return principal{kind: k, name: name, cert: cert}, nil
}

// byPassword returns who a client is by its user name and password.
func (d *door) byPassword(ctx context.Context, secure bool, remote net.Addr, g greeting) (p principal, err error) {
	if !d.named() {
		if err := d.barred(g.client); err != nil {
			return p, refusal{refused, err.Error()}
		}
		return principal{kind: nobody, name: g.client}, nil
	}
	if d.passwords == nil {
		return p, refusal{refused, "it shows no certificate: enrol it (deploy/ENROL.md)"}
	}
	u, err := d.guess(ctx, hostOf(remote), g)
	if err != nil {
		return p, err
	}
	if d.identities != nil {
		k, err := d.identities.Identify(g.user, nil, d.now())
		switch {
		case err != nil:
			return p, refusal{refused, err.Error()}
		case k != "" && secure && d.roots == nil:
			return p, refusal{refused, "it has a certificate of the county and shows none: its configuration must " +
				"name it (identity:, or cert and key), and the password is not needed any more"}
		}
	}
	return principal{kind: u.kind, name: g.user, hash: u.hash}, nil
}

// guess checks a password.
func (d *door) guess(ctx context.Context, host string, g greeting) (user, error) {
	if u, ok := d.passwords.proved(g.user, g.password, host); ok {
		return u, nil
	}
	if wait := d.tries.begin(d.now(), g.user, host); wait > 0 {
		return user{}, refusal{refused, "too many wrong passwords were tried from its address: it has to wait " +
			"a minute at most"}
	}
	u, ok, err := d.passwords.check(ctx, g.user, g.password)
	switch {
	case err != nil:
		return u, err
	case !ok:
		return u, refusal{refused, "its user name or password is wrong"}
	}
	d.tries.right(g.user, host)
	d.passwords.prove(g.user, g.password, host, u)
	return u, nil
}

// still returns why a client that came in may not stay. changed: an identity or the
// users may have changed since it was asked; else only the time has.
func (d *door) still(p principal, changed bool) error {
	if p.cert != nil && !d.now().Before(p.cert.NotAfter) {
		return errors.New("its certificate has ended")
	}
	if !changed {
		return nil
	}
	if p.kind == nobody {
		return d.barred(p.name)
	}
	if p.hash != "" {
		if u, ok := d.passwords.find(p.name); !ok || u.hash != p.hash || u.kind != p.kind {
			return errors.New("its user or password is not in the users file any more, or has changed")
		}
		return d.barred(p.name)
	}
	_, err := d.owner([]*x509.Certificate{p.cert})
	return err
}
