package enrolment

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// PackagesFile holds Packages in a gate's folder, as JSON.
const PackagesFile = "packages.json"

// packagesPath is where the desk serves the county's packages.
const packagesPath = "/packages"

// Packages says from where a gate is upgraded, and by whose key: the county's authority has
// signed it.
type Packages struct {
	County string    `json:"county"`
	Time   time.Time `json:"time"` // the county's clock; of two the later counts
	URLs   []string  `json:"urls"` // of the packages, in the order in which a gate tries them; 1 to 4
	Key    []byte    `json:"key"`  // the county's public key of packages (OpenPGP)
	Sig    []byte    `json:"sig"`  // ECDSA by the authority
}

// ErrPackages says that somebody else than the county says from where packages come.
var ErrPackages = errors.New("the key of packages is not one of this county's")

// maxPackagesKey bounds the key, in bytes.
const maxPackagesKey = 64 << 10

// SignPackages returns what a county hands over to gates. desk are the addresses of its desk,
// key is its public key of packages.
func SignPackages(county string, now time.Time, desk []string, key []byte, authority crypto.Signer) (
	p Packages, err error,
) {
	p = Packages{County: county, Time: now.UTC(), Key: key}
	for _, url := range desk {
		p.URLs = append(p.URLs, strings.TrimRight(url, "/")+packagesPath)
	}
	sum := p.sum()
	if p.Sig, err = authority.Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
		return p, fmt.Errorf("sign the key of packages: %w", err)
	}
	return p, nil
}

func (p Packages) sum() [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "gatehouse packages\n%s\n%s\n%x\n%s", p.County,
		p.Time.UTC().Format(time.RFC3339Nano), sha256.Sum256(p.Key), strings.Join(p.URLs, "\n")))
}

// Verify returns an error that wraps ErrPackages unless the authority with this certificate
// has signed p for the county. The gate's own clock does not count.
func (p Packages) Verify(county string, ca *x509.Certificate) error {
	key, ok := ca.PublicKey.(*ecdsa.PublicKey)
	sum := p.sum()
	switch {
	case !ok || !ecdsa.VerifyASN1(key, sum[:], p.Sig):
		return fmt.Errorf("%w: its authority did not sign it", ErrPackages)
	case p.County != county:
		return fmt.Errorf("%w: it is of %.60q", ErrPackages, p.County)
	case len(p.Key) == 0 || len(p.Key) > maxPackagesKey:
		return fmt.Errorf("%w: it has %d bytes", ErrPackages, len(p.Key))
	}
	desk := make([]string, 0, len(p.URLs))
	for _, url := range p.URLs {
		base, ok := strings.CutSuffix(url, packagesPath)
		if !ok {
			return fmt.Errorf("%w: %.200q is no address of packages", ErrPackages, url)
		}
		desk = append(desk, base)
	}
	if err := CheckURLs(desk); err != nil {
		return fmt.Errorf("%w: %w", ErrPackages, err)
	}
	return nil
}

// Same reports whether q says the same as p, whenever it was signed.
func (p Packages) Same(q Packages) bool {
	q.Time = p.Time
	return p.sum() == q.sum()
}
