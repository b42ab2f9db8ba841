package registry

import (
	"errors"
	"testing"

	"gatehouse/gateway/enrolment"
)

// A gate is told from where it is upgraded when it is enrolled, and with each renewal; a key that
// can't be read keeps no gate from its certificate.
func TestGatesAreToldFromWhereTheyAreUpgraded(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		what string
		key  string
		err  error
		told bool
	}{
		{"no packages", "", nil, false},
		{"a key", "key", nil, true},
		{"a key that can't be read", "", errors.New("no right"), false},
	} {
		b.opts.Packages = func() ([]byte, error) {
			if c.key == "" {
				return nil, c.err
			}
			return []byte(c.key), c.err
		}
		g := b.gate("gate-001")
		a, err := b.ask(g)
		if err == nil {
			err = b.Approve(b.t.Context(), a.ID, li)
		}
		is(t, c.what, err, nil)
		answer, err := b.Answer(t.Context(), a.ID)
		is(t, c.what, err, nil)
		bundle, ca, err := enrolment.OpenAnswer(answer, g.code, a.ID, g.key.Public(), g.secret)
		is(t, c.what, err, nil)
		told := false
		for _, f := range bundle.Files {
			told = told || f.Name == enrolment.PackagesFile
		}
		renewed, err := b.renew("gate-001", g.key)
		is(t, c.what, err, nil)
		p := renewed.Packages
		if told != c.told || (p != nil) != c.told {
			t.Errorf("%s: told at the enrolment %v, later %v", c.what, told, p)
		}
		if p != nil && (p.Verify("qinghe", ca) != nil || string(p.Key) != c.key ||
			p.URLs[0] != "http://127.0.0.1:8080/packages") {
			t.Errorf("%s: %+v", c.what, p)
		}
	}
}
