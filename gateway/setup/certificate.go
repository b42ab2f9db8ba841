package setup

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"

	"gatehouse/gateway/identity"
)

// How long certificates count. Browsers refuse servers' of more than 825 days.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	serverLife    = 800 * 24 * time.Hour
	early         = time.Hour // a clock may be behind
)

// Pair is a certificate and its key, both PEM.
type Pair struct{ Cert, Key []byte }

// NewAuthority makes the authority of a county's servers. It is not the one of the gates,
// whose key is nobody's to copy.
func NewAuthority(county string, now time.Time) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("make the servers' authority: %w", err)
	}
	about := &x509.Certificate{
		SerialNumber: serial(),
		Subject: pkix.Name{
			CommonName:   "gatehouse servers of " + county,
			Organization: []string{county},
		},
		NotBefore:             now.Add(-early).UTC(),
		NotAfter:              now.Add(authorityLife).UTC(),
		KeyUsage:              x509.KeyUsageCertSign,
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
	}
	return signed(about, about, key, key)
}

// NewServer makes the certificate of a server for names and IP addresses, by an authority.
func NewServer(by Pair, names []string, now time.Time) (Pair, error) {
	parent, signer, err := parse(by)
	if err != nil {
		return Pair{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("make the server's certificate: %w", err)
	}
	about := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: names[0], Organization: parent.Subject.Organization},
		NotBefore:             now.Add(-early).UTC(),
		NotAfter:              now.Add(serverLife).UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			about.IPAddresses = append(about.IPAddresses, ip)
		} else if n != "" && !slices.Contains(about.DNSNames, n) {
			about.DNSNames = append(about.DNSNames, n)
		}
	}
	return signed(about, parent, key, signer)
}

// signed returns a certificate with its key.
func signed(
	about, parent *x509.Certificate,
	key *ecdsa.PrivateKey,
	by crypto.Signer,
) (Pair, error) {
	der, err := x509.CreateCertificate(rand.Reader, about, parent, key.Public(), by)
	if err != nil {
		return Pair{}, fmt.Errorf("sign a certificate: %w", err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("write a key: %w", err)
	}
	return Pair{
		identity.PEM(der),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}),
	}, nil
}

// parse reads an authority.
func parse(by Pair) (*x509.Certificate, crypto.Signer, error) {
	cert, _ := pem.Decode(by.Cert)
	key, _ := pem.Decode(by.Key)
	if cert == nil || key == nil {
		return nil, nil, fmt.Errorf(
			"the servers' authority is no PEM: remove the folder %s, and a new one is made",
			tlsDir,
		)
	}
	parent, err := x509.ParseCertificate(cert.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("the servers' authority: %w", err)
	}
	any, err := x509.ParsePKCS8PrivateKey(key.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("the key of the servers' authority: %w", err)
	}
	signer, ok := any.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("the key of the servers' authority can't sign")
	}
	return parent, signer, nil
}

// serial returns a random positive number of 127 bits.
func serial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b) // never fails (crypto/rand)
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}
