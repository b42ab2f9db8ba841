package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var t0 = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)

func TestAnAuthorityIsMadeOnceForItsOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "county-ca")
	if _, err := Load(dir, "qinghe"); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("without a folder: %v", err)
	}
	first, err := Create(dir, "qinghe")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{".": 0o700, keyFile: 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	for _, again := range []func(string, string) (*Authority, error){Create, Load} {
		if a, err := again(dir, "qinghe"); err != nil || !a.Certificate().Equal(first.Certificate()) {
			t.Errorf("the second start: %v", err)
		}
	}
	if _, err := Create(dir, "other"); err == nil || !strings.Contains(err.Error(), `"qinghe"`) {
		t.Errorf("another county: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, certFile)); err != nil { // a crash between the two files
		t.Fatal(err)
	}
	if a, err := Create(dir, "qinghe"); err != nil || string(a.Certificate().RawSubjectPublicKeyInfo) !=
		string(first.Certificate().RawSubjectPublicKeyInfo) {
		t.Errorf("after a crash: %v", err)
	}
}

func TestAnAuthorityThatIsNotWholeSaysWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(key, cert string) error
		want  string
	}{
		"others may read the key":  {func(key, _ string) error { return os.Chmod(key, 0o640) }, "chmod 600"},
		"the key is gone":          {func(key, _ string) error { return os.Remove(key) }, "bring it back"},
		"the key is no key":        {func(key, _ string) error { return os.WriteFile(key, []byte("x"), 0o600) }, "PEM"},
		"the certificate is empty": {func(_, cert string) error { return os.Truncate(cert, 0) }, "none in PEM"},
		"the key is another one": {func(key, _ string) error {
			other := filepath.Join(filepath.Dir(key), "other")
			if _, err := Create(other, "qinghe"); err != nil {
				return err
			}
			return os.Rename(filepath.Join(other, keyFile), key)
		}, "belong together"},
	} {
		dir := filepath.Join(t.TempDir(), "ca")
		if _, err := Create(dir, "qinghe"); err != nil {
			t.Fatal(err)
		}
		if err := c.spoil(filepath.Join(dir, keyFile), filepath.Join(dir, certFile)); err != nil {
			t.Fatal(err)
		}
		for _, open := range []func(string, string) (*Authority, error){Create, Load} {
			if _, err := open(dir, "qinghe"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v; want %q", name, err, c.want)
			}
		}
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, "qinghe"); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("a folder that others may look into: %v", err)
	}
}

// A crash can leave a key file without anything in it.
func TestAnEmptyKeyIsMadeAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, "qinghe"); err != nil {
		t.Error(err)
	}
}

func TestTheKeyLiesApartFromWhatIsBackedUp(t *testing.T) {
	at := t.TempDir()
	dir, link := filepath.Join(at, "county"), filepath.Join(at, "link")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(dir, link)); err != nil {
		t.Fatal(err)
	}
	for _, inside := range []string{dir, dir + "/", dir + "/ca", dir + "/a/b", link, link + "/ca",
		dir + "/../county/ca"} {
		if err := Apart(inside, dir); err == nil {
			t.Errorf("%s lies in %s", inside, dir)
		}
	}
	for _, apart := range []string{dir + "-ca", at, filepath.Join(at, "ca"), dir + "/../ca"} {
		if err := Apart(apart, dir); err != nil {
			t.Error(err)
		}
	}
	if err := Apart(dir+"/ca", link); err == nil {
		t.Error("the folder that is backed up is named by a link")
	}
}

func TestCertificatesNameTheirAgentAndNothingElse(t *testing.T) {
	ca, err := Create(filepath.Join(t.TempDir(), "ca"), "qinghe")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue("gate-001", Agent, &key.PublicKey, t0)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.Certificate())
	for at, good := range map[time.Time]bool{t0: true, t0.Add(-30 * time.Minute): true, t0.Add(Life - 1): true,
		t0.Add(Life + time.Second): false, t0.Add(-2 * time.Hour): false} {
		_, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at,
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		if (err == nil) != good {
			t.Errorf("%s: %v", at, err)
		}
	}
	s := cert.Subject
	if s.CommonName != "gate-001" || len(s.OrganizationalUnit) != 1 || s.OrganizationalUnit[0] != "agent" ||
		cert.IsCA ||
		len(cert.DNSNames)+len(cert.IPAddresses) > 0 ||
		cert.SerialNumber.Sign() <= 0 {
		t.Errorf("%+v", s)
	}
}

func TestStagesOfALife(t *testing.T) {
	ends := t0.Add(Life)
	for at, want := range map[time.Time]Stage{
		t0.Add(-time.Second): Early, t0: Fresh, t0.Add(Life*2/3 - 1): Fresh, t0.Add(Life * 2 / 3): Due,
		ends.Add(-1): Due, ends: InGrace, ends.Add(Grace - 1): InGrace, ends.Add(Grace): TooLate,
	} {
		if got := StageOf(t0, ends, at); got != want {
			t.Errorf("%s after it began: %d, want %d", at.Sub(t0), got, want)
		}
	}
}
