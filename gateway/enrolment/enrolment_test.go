package enrolment

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/sealed"
)

var t0 = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func public(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestAFingerprintCanBeReadOut(t *testing.T) {
	a, b := Fingerprint(public(t, newKey(t))), Fingerprint(public(t, newKey(t)))
	if good := regexp.MustCompile(`^\d{4} \d{4} \d{4} \d{4}$`); !good.MatchString(a) || a == b {
		t.Errorf("%s, %s", a, b)
	}
	if got := Fingerprint([]byte("zero")); got != Fingerprint([]byte("zero")) {
		t.Error(got)
	}
}

func TestARequestCountsOnlyForItsCodeAndGate(t *testing.T) {
	c := newCode(t)
	_, to, err := sealed.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	good, err := NewRequest(c, key, to)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := c.Key().Public().(ed25519.PublicKey)
	if got, err := good.Verify(k, c.County, c.Agent); err != nil || !bytes.Equal(got, public(t, key)) {
		t.Fatal(err)
	}
	signed := func(r Request) Request {
		r.Sig = ed25519.Sign(c.Key(), r.signed(c.County, c.Agent))
		return r
	}
	csr := func(name string, key crypto.Signer) []byte {
		about := &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}
		der, err := x509.CreateCertificateRequest(rand.Reader, about, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	with := func(change func(*Request)) Request { r := good; change(&r); return r }
	large, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(good.CSR)
	broken[len(broken)-1] ^= 1
	for name, x := range map[string]struct {
		r    Request
		want error
	}{
		"another recipient":       {with(func(r *Request) { r.To = strings.ToUpper(to) }), ErrForged},
		"another key's request":   {with(func(r *Request) { r.CSR = csr(c.Agent, newKey(t)) }), ErrForged},
		"another code":            {with(func(r *Request) { r.Code = newCode(t).ID() }), ErrForged},
		"no signature":            {with(func(r *Request) { r.Sig = nil }), ErrForged},
		"another name":            {signed(with(func(r *Request) { r.CSR = csr("gate-002", newKey(t)) })), ErrName},
		"a name in another case":  {signed(with(func(r *Request) { r.CSR = csr("GATE-001", newKey(t)) })), ErrName},
		"no name":                 {signed(with(func(r *Request) { r.CSR = csr("", newKey(t)) })), ErrName},
		"a key of another kind":   {signed(with(func(r *Request) { r.CSR = csr(c.Agent, large) })), ErrRequest},
		"Ed25519":                 {signed(with(func(r *Request) { r.CSR = csr(c.Agent, c.Key()) })), ErrRequest},
		"a request that's broken": {signed(with(func(r *Request) { r.CSR = broken })), ErrRequest},
		"an empty request":        {signed(with(func(r *Request) { r.CSR = nil })), ErrRequest},
		"no recipient":            {signed(with(func(r *Request) { r.To = "age1nobody" })), ErrRequest},
	} {
		if _, err := x.r.Verify(k, c.County, c.Agent); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// county is an authority with a code for a gate, and what the gate has.
type county struct {
	ca     *authority.Authority
	code   Code
	key    *ecdsa.PrivateKey
	secret string
	to     string
}

func newCounty(t *testing.T) county {
	t.Helper()
	ca, err := authority.Create(filepath.Join(t.TempDir(), "ca"), "qinghe")
	if err != nil {
		t.Fatal(err)
	}
	c := county{ca: ca, key: newKey(t)}
	if c.secret, c.to, err = sealed.NewKey(); err != nil {
		t.Fatal(err)
	}
	c.code, err = NewCode("qinghe", "gate-001", []string{"https://a.example"},
		AuthoritySum(ca.Certificate().RawSubjectPublicKeyInfo))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c county) bundle(t *testing.T, now time.Time) Bundle {
	t.Helper()
	cert, err := c.ca.Issue(c.code.Agent, authority.Agent, &c.key.PublicKey, now)
	if err != nil {
		t.Fatal(err)
	}
	return Bundle{County: "qinghe", Agent: "gate-001", Time: now, Certificate: cert.Raw,
		Files: []File{{AgentFile, []byte("county: qinghe\n")}}}
}

func (c county) seal(t *testing.T, b Bundle) Answer {
	t.Helper()
	a, err := SealBundle(b, "request", c.to, c.ca.Certificate(), c.ca.Key())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The gate's own clock plays no part: it may show 1970, or a year to come.
func TestAnAnswerCountsByTheCountysClock(t *testing.T) {
	c := newCounty(t)
	for _, now := range []time.Time{t0, time.Unix(0, 0).Add(48 * time.Hour), t0.AddDate(60, 0, 0)} {
		b, ca, err := OpenAnswer(c.seal(t, c.bundle(t, now)), c.code, "request", c.key.Public(), c.secret)
		if err != nil || !b.Time.Equal(now) || !ca.Equal(c.ca.Certificate()) {
			t.Errorf("%s: %v", now, err)
		}
	}
}

func TestForeignAnswersAreRefused(t *testing.T) {
	c, other := newCounty(t), newCounty(t)
	good := c.bundle(t, t0)
	with := func(change func(*Bundle)) Answer { b := good; change(&b); return c.seal(t, b) }
	changed := func(change func(*Answer)) Answer { a := c.seal(t, good); change(&a); return a }
	for name, a := range map[string]Answer{
		"of another county's authority": other.seal(t, other.bundle(t, t0)),
		"to somebody else":              {},
		"changed":                       changed(func(a *Answer) { a.Sealed[len(a.Sealed)-1] ^= 1 }),
		"with another authority":        changed(func(a *Answer) { a.CA = other.ca.Certificate().Raw }),
		"without a signature":           changed(func(a *Answer) { a.Sig = nil }),
		"for another gate":              with(func(b *Bundle) { b.Agent = "gate-002" }),
		"of another county":             with(func(b *Bundle) { b.County = "other" }),
		"with another key's certificate": with(func(b *Bundle) {
			x, err := c.ca.Issue("gate-001", authority.Agent, &newKey(t).PublicKey, t0)
			if err != nil {
				t.Fatal(err)
			}
			b.Certificate = x.Raw
		}),
		"with an end in the past":   with(func(b *Bundle) { b.Time = t0.Add(authority.Life + time.Hour) }),
		"without a configuration":   with(func(b *Bundle) { b.Files = nil }),
		"with a path":               with(func(b *Bundle) { b.Files = append(b.Files, File{Name: "../x"}) }),
		"with a hidden file":        with(func(b *Bundle) { b.Files = append(b.Files, File{Name: ".enrol"}) }),
		"with the gate's key":       with(func(b *Bundle) { b.Files = append(b.Files, File{Name: KeyFile}) }),
		"with a file twice":         with(func(b *Bundle) { b.Files = append(b.Files, good.Files...) }),
		"with more files than ever": with(func(b *Bundle) { b.Files = make([]File, 41) }),
	} {
		if _, _, err := OpenAnswer(a, c.code, "request", c.key.Public(), c.secret); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := OpenAnswer(c.seal(t, good), c.code, "another request", c.key.Public(), c.secret); err == nil {
		t.Error("the answer to another request is taken")
	}
	if _, _, err := OpenAnswer(c.seal(t, good), c.code, "request", c.key.Public(), other.secret); err == nil {
		t.Error("somebody else can read the answer")
	}
	if text, err := json.Marshal(c.seal(t, good)); err != nil || bytes.Contains(text, []byte("county: qinghe")) {
		t.Errorf("the answer is readable: %s, %v", text, err)
	}
}

func TestARenewalCountsForItsKeyOnly(t *testing.T) {
	c, collector := newCounty(t), ed25519.NewKeyFromSeed(make([]byte, 32))
	pub, _ := collector.Public().(ed25519.PublicKey)
	ask, err := NewRenewal("qinghe", "gate-001", "", c.key)
	if err != nil {
		t.Fatal(err)
	}
	if !ask.Verify("qinghe", public(t, c.key)) || ask.Verify("other", public(t, c.key)) ||
		ask.Verify(
			"qinghe",
			public(t, newKey(t)),
		) || (Renewal{Agent: "gate-001"}).Verify("qinghe", public(t, c.key)) {
		t.Error("a renewal counts for another key or county")
	}
	b := c.bundle(t, t0)
	a := SignRenewed(
		Renewed{Time: t0, Certificate: b.Certificate, CA: c.ca.Certificate().Raw},
		ask,
		"qinghe",
		collector,
	)
	if _, _, err := a.Verify(ask, "qinghe", c.key.Public(), pub); err != nil {
		t.Error(err)
	}
	later, err := NewRenewal("qinghe", "gate-001", "", c.key)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Verify(later, "qinghe", c.key.Public(), pub); !errors.Is(err, ErrRenewed) {
		t.Errorf("the answer to an earlier renewal: %v", err)
	}
	a.Time = a.Time.Add(time.Second)
	if _, _, err := a.Verify(ask, "qinghe", c.key.Public(), pub); !errors.Is(err, ErrRenewed) {
		t.Errorf("another time: %v", err)
	}
}
