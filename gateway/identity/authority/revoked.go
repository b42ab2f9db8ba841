package authority

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// Void is a certificate that counts no more, although it may not have ended.
type Void struct {
	Serial *big.Int
	At     time.Time
}

// Revoked returns the list of certificates that count no more (a CRL, RFC 5280) as PEM,
// for brokers that are not the county's own. It has no end: a broker that gets no newer
// one goes on with it.
func (a *Authority) Revoked(list []Void, now time.Time) ([]byte, error) {
	about := &x509.RevocationList{Number: big.NewInt(now.UnixNano()), ThisUpdate: now.Add(-early).UTC(),
		NextUpdate: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}
	for _, v := range list {
		about.RevokedCertificateEntries = append(about.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: v.Serial, RevocationTime: v.At.UTC()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, about, a.cert, a.key)
	if err != nil {
		return nil, fmt.Errorf("list the revoked certificates: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), nil
}
