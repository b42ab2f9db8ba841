package threats

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"gatehouse/gateway/identity/authority"
)

// certificates are who comes to the broker without the right one.
func certificates() []Row {
	return []Row{
		{
			ID: "T01", Name: "no-certificate", Title: "a client shows no certificate",
			Control: "who has no password needs a certificate of the county",
			try:     noCertificate,
		},
		{
			ID: "T02", Name: "foreign-certificate", Title: "a certificate of another authority, with a gate's name",
			Control: "only certificates that the county has issued count",
			try: func(ctx context.Context, c *county) (string, error) {
				key, parent, err := newAuthority("somebody else")
				if err != nil {
					return "", err
				}
				pair, err := certify("gate-001", authority.Agent, time.Now().Add(time.Hour), parent, key)
				if err != nil {
					return "", err
				}
				return c.refusedAll(ctx, map[string]login{"a foreign certificate": {id: "gate-001", pair: &pair}})
			},
		},
		{
			ID: "T03", Name: "expired-certificate", Title: "a certificate of the county that ended an hour ago",
			Control: "the end of a certificate is asked at each connection",
			try: func(ctx context.Context, c *county) (string, error) {
				return c.refusedIssued(ctx, "gate-001", authority.Agent, time.Now().Add(-time.Hour))
			},
		},
		{
			ID: "T04", Name: "unknown-certificate",
			Title:   "certificates that the county's stolen authority signed, for gates, collector and readers",
			Control: "the registry of the desk decides, not the signature alone",
			try: func(ctx context.Context, c *county) (string, error) {
				n := 0
				for name, kind := range map[string]authority.Kind{"gate-001": authority.Agent,
					"gate-009":  authority.Agent,
					"collector": authority.Agent, "eye": authority.Reader, "_county": "county"} {
					if _, err := c.refusedIssued(ctx, name, kind, time.Now().Add(time.Hour)); err != nil {
						return "", err
					}
					n++
				}
				return fmt.Sprintf("%d certificates, 0 let in", n), nil
			},
		},
		{
			ID: "T05", Name: "old-tls", Title: "a client that has a certificate talks TLS 1.0, 1.1 or 1.2",
			Control: "TLS 1.3 (1.2 on request)", try: oldTLS,
		},
		{
			ID: "T06", Name: "two-identities",
			Title:   "the certificate of one gate with the user and password of another",
			Control: "the certificate's name is user and client id",
			try:     twoIdentities,
		},
	}
}

func noCertificate(ctx context.Context, c *county) (string, error) {
	return c.refusedAll(ctx, map[string]login{
		"under a gate's name":      {id: "gate-001", user: "gate-001"},
		"without a user":           {id: "gate-001"},
		"under a new name":         {id: "x", user: "x", password: "x"},
		"in the collector's name":  {id: "collector-1", user: "collector", password: "collector"},
		"without TLS":              {id: "gate-001", user: "gate-001", plain: true},
		"in the name of its inner": {id: "x", user: "_county", password: "_county"},
	})
}

func twoIdentities(ctx context.Context, c *county) (string, error) {
	pair, err := c.gates[1].pair()
	if err != nil {
		return "", err
	}
	return c.refusedAll(ctx, map[string]login{
		"another gate's user": {
			id:       "gate-002",
			user:     "gate-001",
			password: password,
			pair:     &pair,
		},
		"a user with a password":       {id: "gate-009", user: byHand, password: password, pair: &pair},
		"a reader's password":          {id: "x", user: watcher, password: password, pair: &pair},
		"another gate's client id":     {id: "gate-001", user: "gate-002", pair: &pair},
		"a client id like its own":     {id: "gate-0021", pair: &pair},
		"no client id":                 {id: "", pair: &pair},
		"its own name as a mere begin": {id: "gate-002x", pair: &pair},
	})
}

// refusedAll returns how many logins were refused, or an error when one is let in.
func (c *county) refusedAll(ctx context.Context, all map[string]login) (string, error) {
	for what, l := range all {
		if m, code := c.enter(ctx, l); m != nil {
			m.close()
			return "", fmt.Errorf("%s: let in with code %d", what, code)
		}
	}
	return fmt.Sprintf("%d attempts, 0 let in", len(all)), nil
}

// refusedIssued tries a certificate that the county's own authority signs.
func (c *county) refusedIssued(ctx context.Context, name string, kind authority.Kind, until time.Time) (
	string, error,
) {
	ca, err := authority.Load(c.path("county-ca"), countyID)
	if err != nil {
		return "", err
	}
	pair, err := certify(name, kind, until, ca.Certificate(), ca.Key())
	if err != nil {
		return "", err
	}
	return c.refusedAll(
		ctx,
		map[string]login{name + " until " + until.Format(time.TimeOnly): {id: name, pair: &pair}},
	)
}

// newAuthority makes an authority that nobody knows.
func newAuthority(name string) (crypto.Signer, *x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true,
		BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return key, cert, err
}

// certify makes a client's certificate.
func certify(name string, kind authority.Kind, until time.Time, parent *x509.Certificate, key crypto.Signer) (
	pair tls.Certificate, err error,
) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair, err
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:   pkix.Name{CommonName: name, OrganizationalUnit: []string{string(kind)}},
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, about, parent, own.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: own}, err
}

// oldTLS tries each version of TLS with a gate's own certificate.
func oldTLS(ctx context.Context, c *county) (string, error) {
	pair, err := c.gates[1].pair()
	if err != nil {
		return "", err
	}
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12} {
		t := c.tls(&pair)
		t.MinVersion, t.MaxVersion = version, version
		d := tls.Dialer{Config: t}
		conn, err := d.DialContext(ctx, "tcp", c.broker)
		if err == nil {
			conn.Close()
			return "", fmt.Errorf("%s is let in", tls.VersionName(version))
		}
	}
	m, err := c.entered(ctx, login{id: "gate-002-tls", pair: &pair})
	if err != nil {
		return "", errors.Join(errors.New("TLS 1.3 is refused, too"), err)
	}
	m.close()
	return "TLS 1.0, 1.1 and 1.2 refused, 1.3 taken", nil
}

// granted reports whether a SUBACK grants a subscription.
func granted(code byte) bool { return code <= 2 && code != packets.ErrRefusedNotAuthorised }
