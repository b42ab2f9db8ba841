package registry

import (
	"crypto/ecdsa"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/identity/authority"
)

// A certificate that nobody has renewed in time is told, until it is renewed or revoked.
func TestCertificatesThatEndAreTold(t *testing.T) {
	const day = 24 * time.Hour
	b := newBench(t)
	g := b.enrol("gate-001")
	public, _ := newKey(t).Public().(*ecdsa.PublicKey)
	if _, err := b.Issue(t.Context(), "grafana", authority.Reader, public, li); err != nil {
		t.Fatal(err)
	}
	gate := func(late bool) []Ending {
		return []Ending{{"gate-001", authority.Agent, t0.Add(authority.Life), late}}
	}
	reader := Ending{"grafana", authority.Reader, t0.Add(authority.LongLife), false}
	for _, c := range []struct {
		after time.Duration
		want  []Ending
	}{
		{0, nil},
		{authority.Life - 20*day, nil},
		{authority.Life - 20*day + time.Second, gate(false)},
		{authority.Life + day, gate(false)},
		{authority.Life + authority.Grace, gate(true)},
		{authority.LongLife - 30*day + time.Second, append(gate(true), reader)},
		{authority.LongLife + day, append(gate(true), reader)},
	} {
		got := b.Ending(t0.Add(c.after))
		same := slices.EqualFunc(got, c.want, func(a, b Ending) bool {
			return a.Name == b.Name && a.Kind == b.Kind && a.Late == b.Late && a.Ends.Equal(b.Ends)
		})
		if !same {
			t.Errorf("after %s: %+v, want %+v", c.after, got, c.want)
		}
	}
	b.now = t0.Add(authority.Life - day)
	if l, err := b.List(t.Context()); err != nil || len(l.Ending) != 1 {
		t.Errorf("the desk's list: %+v, %v", l.Ending, err)
	}
	before := b.renewals()
	if _, err := b.renew("gate-001", g.key); err != nil {
		t.Fatal(err)
	}
	if _, err := b.renew("gate-001", g.key); err != nil { // it gets the same again
		t.Fatal(err)
	}
	if got := b.Ending(b.now); len(got) != 0 {
		t.Errorf("renewed: %+v", got)
	}
	if got := b.renewals() - before; got != 1 {
		t.Errorf("%d renewals are in the audit", got)
	}
	b.now = t0.Add(authority.LongLife)
	if err := b.Revoke(t.Context(), "grafana", li); err != nil {
		t.Fatal(err)
	}
	if got := b.Ending(b.now); len(got) != 1 || got[0].Name != "gate-001" {
		t.Errorf("the reader is revoked: %+v", got)
	}
}

// renewals returns how many renewals of gate-001 by itself are in the audit.
func (b *bench) renewals() (n int) {
	b.t.Helper()
	err := b.opts.File.Reader().QueryRowContext(b.t.Context(),
		"SELECT count(*) FROM audit WHERE action = ? AND actor = 'gate-001' AND object = 'gate gate-001'",
		string(audit.EnrolRenew)).Scan(&n)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}
