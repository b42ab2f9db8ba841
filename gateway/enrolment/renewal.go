package enrolment

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/sealed"
)

// Renewal asks for the certificate of an agent that has one already, or had one until a
// short while ago. The agent's key signs it. Who sends it again gets the same answer.
type Renewal struct {
	Agent string `json:"agent"`
	Nonce []byte `json:"nonce"` // 16 random bytes, which the answer repeats
	// To is the recipient (age) to whom the gate's rules are encrypted; empty: as before.
	To  string `json:"to,omitempty"`
	Sig []byte `json:"sig"` // ECDSA by the agent's key
}

// Renewed is the certificate that counts now, with that of its authority.
type Renewed struct {
	Time        time.Time `json:"time"` // the county's clock
	Certificate []byte    `json:"certificate"`
	CA          []byte    `json:"ca"`
	// Sig is by the collector's key, which every agent has: so a new authority reaches
	// all gates when the old one is lost.
	Sig []byte `json:"sig"`
	// Packages says from where the gate is upgraded; it has a signature of its own. nil: the
	// county offers no packages.
	Packages *Packages `json:"packages,omitempty"`
}

const nonceBytes = 16

// ErrRenewed says that an answer to a renewal is not one of the county, or not to this renewal.
var ErrRenewed = errors.New("the renewed certificate is not one of this county for this gate")

// NewRenewal returns the renewal of an agent with this key. to is its recipient, or empty.
func NewRenewal(county, agent, to string, key crypto.Signer) (Renewal, error) {
	r := Renewal{Agent: agent, Nonce: make([]byte, nonceBytes), To: to}
	rand.Read(r.Nonce) // never fails (crypto/rand)
	sum := r.sum(county)
	var err error
	if r.Sig, err = key.Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
		return r, fmt.Errorf("sign the renewal: %w", err)
	}
	return r, nil
}

func (r Renewal) sum(county string) [sha256.Size]byte {
	text := fmt.Appendf(nil, "gatehouse renewal\n%s\n%s\n%x", county, r.Agent, r.Nonce)
	if r.To != "" {
		text = fmt.Appendf(text, "\n%s", r.To)
	}
	return sha256.Sum256(text)
}

// Verify reports whether the agent with this public key (DER) asks, and To can be a recipient.
func (r Renewal) Verify(county string, public []byte) bool {
	key, err := ParseKey(public)
	sum := r.sum(county)
	return err == nil && len(r.Nonce) == nonceBytes && ecdsa.VerifyASN1(key, sum[:], r.Sig) &&
		(r.To == "" || sealed.CheckRecipient(r.To) == nil)
}

// SignRenewed signs the answer to a renewal.
func SignRenewed(a Renewed, r Renewal, county string, key ed25519.PrivateKey) Renewed {
	a.Sig = ed25519.Sign(key, a.signed(r, county))
	return a
}

func (a Renewed) signed(r Renewal, county string) []byte {
	return fmt.Appendf(nil, "gatehouse renewed\n%s\n%s\n%x\n%s\n%x\n%x", county, r.Agent, r.Nonce,
		a.Time.UTC().Format(time.RFC3339Nano), sha256.Sum256(a.Certificate), sha256.Sum256(a.CA))
}

// Verify returns the certificate, and that of its authority, that the county has answered
// a renewal with. key is the agent's, collector the county's.
func (a Renewed) Verify(r Renewal, county string, key crypto.PublicKey, collector ed25519.PublicKey) (
	cert, ca *x509.Certificate, err error,
) {
	if len(collector) != ed25519.PublicKeySize || !ed25519.Verify(collector, a.signed(r, county), a.Sig) {
		return nil, nil, fmt.Errorf("%w: the collector did not sign it", ErrRenewed)
	}
	if ca, err = x509.ParseCertificate(a.CA); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrRenewed, err)
	}
	if cert, err = CheckCertificate(a.Certificate, ca, r.Agent, key, a.Time); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrRenewed, err)
	}
	return cert, ca, nil
}
