package enrolment

import (
	"errors"
	"testing"
	"time"
)

func TestPackagesAreOfTheCountysAuthority(t *testing.T) {
	c, other := newCounty(t), newCounty(t)
	desk := []string{"https://desk.county.example", "http://10.0.0.1:8080/"}
	good, err := SignPackages("qinghe", t0, desk, []byte("key"), c.ca.Key())
	if err != nil {
		t.Fatal(err)
	}
	ca := c.ca.Certificate()
	if err := good.Verify("qinghe", ca); err != nil || good.URLs[1] != "http://10.0.0.1:8080/packages" {
		t.Fatalf("%q, %v", good.URLs, err)
	}
	for what, change := range map[string]func(*Packages){
		"another key":     func(p *Packages) { p.Key = []byte("kez") },
		"another address": func(p *Packages) { p.URLs = []string{"https://else.example/packages", p.URLs[1]} },
		"one address":     func(p *Packages) { p.URLs = p.URLs[:1] },
		"another time":    func(p *Packages) { p.Time = p.Time.Add(time.Nanosecond) },
		"another county":  func(p *Packages) { p.County = "yuncheng" },
		"no signature":    func(p *Packages) { p.Sig = nil },
		"another authority's": func(p *Packages) {
			*p, err = SignPackages("qinghe", t0, desk, []byte("key"), other.ca.Key())
		},
		"no key":     func(p *Packages) { *p, err = SignPackages("qinghe", t0, desk, nil, c.ca.Key()) },
		"no address": func(p *Packages) { *p, err = SignPackages("qinghe", t0, nil, []byte("key"), c.ca.Key()) },
		"a huge key": func(p *Packages) {
			*p, err = SignPackages("qinghe", t0, desk, make([]byte, maxPackagesKey+1), c.ca.Key())
		},
		"no URL": func(p *Packages) {
			*p, err = SignPackages("qinghe", t0, []string{"ftp://x"}, []byte("key"), c.ca.Key())
		},
	} {
		p := good
		if change(&p); err != nil || !errors.Is(p.Verify("qinghe", ca), ErrPackages) {
			t.Errorf("%s: %v, %v", what, p.Verify("qinghe", ca), err)
		}
	}
	if !errors.Is(good.Verify("yuncheng", ca), ErrPackages) {
		t.Error("of another county, and taken")
	}
	later, err := SignPackages("qinghe", t0.Add(time.Hour), desk, []byte("key"), c.ca.Key())
	if err != nil || !good.Same(later) {
		t.Errorf("the same an hour later is another: %v", err)
	}
	if later.Key = []byte("kez"); good.Same(later) {
		t.Error("another key is the same")
	}
}
