package enrolment

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"gatehouse/gateway/sealed"
)

// MaxAnswer bounds an answer, in bytes: it holds the roster, of 60,000 people at most.
const MaxAnswer = 192 << 20

// AuthoritySum returns the begin of the SHA-256 of an authority's public key (DER), as a
// code holds it.
func AuthoritySum(public []byte) [16]byte {
	sum := sha256.Sum256(public)
	return [16]byte(sum[:16])
}

// File is one file of a gate's folder.
type File struct {
	Name  string `json:"name"` // without a folder
	Bytes []byte `json:"bytes"`
}

// Bundle is all that a gate needs to go into service.
type Bundle struct {
	County      string    `json:"county"`
	Agent       string    `json:"agent"`
	Time        time.Time `json:"time"`        // the county's clock
	Certificate []byte    `json:"certificate"` // of the gate, DER
	Files       []File    `json:"files"`       // agent.yaml and what it names, besides key and certificates
}

// Answer is a bundle, encrypted to whoever asked and signed by the county's authority.
type Answer struct {
	CA     []byte `json:"ca"` // the authority's certificate, DER
	Sealed []byte `json:"sealed"`
	Sig    []byte `json:"sig"` // ECDSA by the authority
}

// ErrAnswer is wrapped by each error of OpenAnswer: the answer is not the county's, or
// not for this gate.
var ErrAnswer = errors.New("the answer is not one of this county for this gate")

// SealBundle returns the answer to a request.
func SealBundle(b Bundle, request, to string, ca *x509.Certificate, key crypto.Signer) (a Answer, err error) {
	text, err := json.Marshal(b)
	if err != nil {
		return a, fmt.Errorf("write the bundle: %w", err)
	}
	a.CA = ca.Raw
	if a.Sealed, err = sealed.Seal(text, to); err != nil {
		return a, fmt.Errorf("encrypt the bundle: %w", err)
	}
	sum := sha256.Sum256(a.signed(request))
	if a.Sig, err = key.Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
		return a, fmt.Errorf("sign the bundle: %w", err)
	}
	return a, nil
}

func (a Answer) signed(request string) []byte {
	return fmt.Appendf(nil, "gatehouse enrolment answer\n%s\n%x", request, sha256.Sum256(a.Sealed))
}

// OpenAnswer returns the bundle of the answer to a request that was made with c and key;
// secret is that of the recipient. The gate's own clock does not count: it may show 1970.
// The second result is the authority's certificate.
func OpenAnswer(a Answer, c Code, request string, key crypto.PublicKey, secret string) (
	b Bundle, ca *x509.Certificate, err error,
) {
	ca, err = x509.ParseCertificate(a.CA)
	if err != nil {
		return b, nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	public, ok := ca.PublicKey.(*ecdsa.PublicKey)
	sum := sha256.Sum256(a.signed(request))
	switch {
	case !ok || AuthoritySum(ca.RawSubjectPublicKeyInfo) != c.Authority:
		return b, nil, fmt.Errorf("%w: its authority is not the one that the code names", ErrAnswer)
	case !ecdsa.VerifyASN1(public, sum[:], a.Sig):
		return b, nil, fmt.Errorf("%w: the authority did not sign it", ErrAnswer)
	}
	text, err := sealed.Open(a.Sealed, secret)
	if err != nil {
		return b, nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return b, nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if b.County != c.County || b.Agent != c.Agent {
		return b, nil, fmt.Errorf("%w: it is for %s of %s", ErrAnswer, b.Agent, b.County)
	}
	if err := CheckFiles(b.Files); err != nil {
		return b, nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if _, err := CheckCertificate(b.Certificate, ca, b.Agent, key, b.Time); err != nil {
		return b, nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return b, ca, nil
}

// CheckCertificate returns the certificate of an agent with this key, or why it is not one
// that its authority has issued and that counts at now.
func CheckCertificate(der []byte, ca *x509.Certificate, agent string, key crypto.PublicKey, now time.Time) (
	*x509.Certificate, error,
) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("the certificate: %w", err)
	}
	if err := cert.CheckSignatureFrom(ca); err != nil {
		return nil, fmt.Errorf("the certificate: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(key)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the gate's key: %w", err)
	case cert.Subject.CommonName != agent:
		return nil, fmt.Errorf("the certificate is for %q", cert.Subject.CommonName)
	case !bytes.Equal(public, cert.RawSubjectPublicKeyInfo):
		return nil, errors.New("the certificate is for another key than this gate's")
	case now.Before(cert.NotBefore) || now.After(cert.NotAfter):
		return nil, fmt.Errorf("the certificate counts from %s to %s, and the county's clock shows %s",
			cert.NotBefore.Format(time.DateTime), cert.NotAfter.Format(time.DateTime), now.Format(time.DateTime))
	}
	return cert, nil
}

const (
	maxFiles = 40
	// AgentFile is the configuration in a gate's folder, which is written last.
	AgentFile = "agent.yaml"
)

// Names of the files that a gate writes itself.
const (
	KeyFile         = "agent.key"
	RecipientFile   = "agent.age" // decrypts the rules that the county sends
	CertificateFile = "agent.crt"
	AuthorityFile   = "county-ca.crt"
)

var goodName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// CheckFiles returns an error when files can't be those of a gate's folder.
func CheckFiles(files []File) error {
	seen := map[string]bool{KeyFile: true, RecipientFile: true, CertificateFile: true, AuthorityFile: true}
	if len(files) > maxFiles {
		return fmt.Errorf("%d files: a gate gets %d at most", len(files), maxFiles)
	}
	for _, f := range files {
		if !goodName.MatchString(f.Name) {
			return fmt.Errorf("a file is called %q: use letters, digits and . _ - in 64 characters at most", f.Name)
		}
		if seen[f.Name] {
			return fmt.Errorf("the file %s is there twice, or is one that the gate makes itself", f.Name)
		}
		seen[f.Name] = true
	}
	if !seen[AgentFile] {
		return fmt.Errorf("the file %s is missing", AgentFile)
	}
	return nil
}
