package upgrade

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/openpgp"
)

// countyOf is a county with a key of packages, as a gate gets it.
type countyOf struct {
	ca    *authority.Authority
	print string // fingerprint of the key
	p     enrolment.Packages
	trust Trust
}

func newCountyOf(t *testing.T, url string) (c countyOf) {
	t.Helper()
	key, err := openpgp.NewKey("gatehouse qinghe", t0)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	if c.ca, err = authority.Create(filepath.Join(t.TempDir(), "ca"), "qinghe"); err != nil {
		t.Fatal(err)
	}
	if c.p, err = enrolment.SignPackages("qinghe", t0, []string{url}, public, c.ca.Key()); err != nil {
		t.Fatal(err)
	}
	sum := enrolment.AuthoritySum(c.ca.Certificate().RawSubjectPublicKeyInfo)
	c.print, c.trust.Authority = key.Fingerprint(), sum[:]
	return c
}

func TestRootTakesOnlyTheCountysKey(t *testing.T) {
	const desk = "https://desk.county.example"
	ours, theirs := newCountyOf(t, desk), newCountyOf(t, desk)
	ca := ours.ca.Certificate()
	for _, c := range []struct {
		what   string
		before []countyOf // taken before
		take   countyOf
		trust  Trust
		want   error
	}{
		{"by the code", nil, ours, ours.trust, nil},
		{"by the fingerprint", nil, ours, Trust{Fingerprint: strings.ToLower(ours.print)}, nil},
		{"by nothing, the first time", nil, ours, Trust{}, ErrUncompared},
		{"of another county's authority", nil, theirs, ours.trust, enrolment.ErrPackages},
		{"with another fingerprint", nil, theirs, Trust{Fingerprint: ours.print}, enrolment.ErrPackages},
		{"the same again", []countyOf{ours}, ours, Trust{}, nil},
		{"another one afterwards", []countyOf{ours}, theirs, Trust{}, ErrOtherKey},
		{"another one, by the code only", []countyOf{ours}, theirs, theirs.trust, ErrOtherKey},
		{"another one, by its fingerprint", []countyOf{ours}, theirs, Trust{Fingerprint: theirs.print}, nil},
	} {
		config := filepath.Join(t.TempDir(), "upgrade.yaml")
		for _, b := range c.before {
			if _, err := TakeKey(config, b.p, b.ca.Certificate(), b.trust, desk+"/packages"); err != nil {
				t.Fatal(err)
			}
		}
		print, err := TakeKey(config, c.take.p, c.take.ca.Certificate(), c.trust, desk+"/packages")
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.what, err)
		}
		s, err := Load(config)
		switch {
		case c.want == nil && (err != nil || s.Ring.Fingerprints()[0] != c.take.print || print != c.take.print ||
			s.URL != desk+"/packages"):
			t.Errorf("%s: %s, %v, %v", c.what, print, s, err)
		case c.want != nil && c.before == nil && !errors.Is(err, os.ErrNotExist):
			t.Errorf("%s: something is written: %v", c.what, err)
		case c.want != nil && c.before != nil && (err != nil || s.Ring.Fingerprints()[0] != ours.print):
			t.Errorf("%s: the former is gone: %v", c.what, err)
		}
	}
	config := filepath.Join(t.TempDir(), "upgrade.yaml")
	if _, err := TakeKey(config, ours.p, ca, ours.trust, "https://else.example/packages"); err == nil {
		t.Error("an address that was not handed over is taken")
	}
	if _, err := TakeKey(config, ours.p, theirs.ca.Certificate(), Trust{}, desk+"/packages"); err == nil {
		t.Error("a key that another authority has signed is taken")
	}
}

// What somebody has written by hand stays while the key is the same; what is wrong is written anew.
func TestWhatRootHasWrittenStays(t *testing.T) {
	const url = "https://desk.county.example/packages"
	c := newCountyOf(t, "https://desk.county.example")
	config := filepath.Join(t.TempDir(), "upgrade.yaml")
	key := filepath.Join(filepath.Dir(config), "packages.asc")
	byHand := "url: http://10.0.0.1/packages\n"
	if err := errors.Join(os.WriteFile(key, c.p.Key, 0o644), os.WriteFile(config, []byte(byHand), 0o644)); err != nil {
		t.Fatal(err)
	}
	take := func() string {
		t.Helper()
		if _, err := TakeKey(config, c.p, c.ca.Certificate(), c.trust, url); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := take(); got != byHand {
		t.Errorf("it is %s", got)
	}
	if err := os.WriteFile(config, []byte("url: x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := take(); !strings.Contains(got, url) {
		t.Errorf("it is %s", got)
	}
}

// The first address at which the key's owner answers is taken.
func TestTheAddressThatAnswersIsChosen(t *testing.T) {
	r := newRig(t)
	public, err := r.signer.Key.Public()
	if err != nil {
		t.Fatal(err)
	}
	other := newRig(t) // another key has signed its index
	p := enrolment.Packages{Key: public, URLs: []string{"http://127.0.0.1:1/packages", other.web.URL, r.web.URL}}
	if url, err := Choose(t.Context(), p); err != nil || url != r.web.URL {
		t.Errorf("%s, %v", url, err)
	}
	p.URLs = p.URLs[:2]
	if url, err := Choose(t.Context(), p); err != nil || url != p.URLs[0] {
		t.Errorf("nobody answers: %s, %v", url, err)
	}
}
