package enrolment

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/sealed"
)

// MaxBody bounds a request, in bytes.
const MaxBody = 16 << 10

// Paths of the desk's listener, below the desk's address.
const (
	RequestPath = "/enrol/request"
	AnswerPath  = "/enrol/answer/" // and the request's id
	RenewPath   = "/enrol/renew"
)

// Request is what a gate asks with a code.
type Request struct {
	Code string `json:"code"` // its id
	CSR  []byte `json:"csr"`  // PKCS #10, DER: of it only the key and its signature count
	To   string `json:"to"`   // the recipient (age) to whom the answer is encrypted
	Sig  []byte `json:"sig"`  // Ed25519 by the code's key
}

// Accepted is the county's answer to a request that somebody at the desk has to decide.
type Accepted struct {
	ID          string    `json:"id"`
	Fingerprint string    `json:"fingerprint"`
	Until       time.Time `json:"until"` // afterwards the request is forgotten
}

// NewRequest returns the request of a gate with this key.
func NewRequest(c Code, key crypto.Signer, to string) (Request, error) {
	about := &x509.CertificateRequest{Subject: pkix.Name{CommonName: c.Agent, Organization: []string{c.County}}}
	csr, err := x509.CreateCertificateRequest(rand.Reader, about, key)
	if err != nil {
		return Request{}, fmt.Errorf("make the request: %w", err)
	}
	r := Request{Code: c.ID(), CSR: csr, To: to}
	r.Sig = ed25519.Sign(c.Key(), r.signed(c.County, c.Agent))
	return r, nil
}

// signed returns what the code's key signs.
func (r Request) signed(county, agent string) []byte {
	sum := sha256.Sum256(r.CSR)
	return fmt.Appendf(nil, "gatehouse enrolment request\n%s\n%s\n%s\n%x\n%s", county, agent, r.Code, sum, r.To)
}

// Errors of Verify.
var (
	// ErrForged: the request was not made with the code that it names.
	ErrForged = errors.New("the request is not signed with its code: type the code again")
	// ErrName: the code is for another gate than the request.
	ErrName = errors.New("the request is for another gate than the code")
	// ErrRequest: the request can't be read.
	ErrRequest = errors.New("the request can't be understood")
)

// Verify returns the public key (DER) that a gate asks a certificate for. public is the
// code's key, and county and agent are those for whom it was made. Errors wrap ErrForged,
// ErrName or ErrRequest.
func (r Request) Verify(public ed25519.PublicKey, county, agent string) (key []byte, err error) {
	if len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, r.signed(county, agent), r.Sig) {
		return nil, ErrForged
	}
	csr, err := x509.ParseCertificateRequest(r.CSR)
	if err == nil {
		err = csr.CheckSignature()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if csr.Subject.CommonName != agent {
		return nil, fmt.Errorf("%w: it says %q, the code %q", ErrName, csr.Subject.CommonName, agent)
	}
	if _, err := ParseKey(csr.RawSubjectPublicKeyInfo); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if err := sealed.CheckRecipient(r.To); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return csr.RawSubjectPublicKeyInfo, nil
}
