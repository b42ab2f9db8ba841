package registry

import (
	"testing"

	"gatehouse/gateway/enrolment"
)

// say lets a gate say to whom its rules are encrypted, at a renewal.
func (b *bench) say(g *gate, to string) error {
	b.t.Helper()
	r, err := enrolment.NewRenewal("qinghe", g.code.Agent, to, g.key)
	if err != nil {
		b.t.Fatal(err)
	}
	_, err = b.Renew(b.t.Context(), r)
	return err
}

func TestTheRegistryKnowsToWhomRulesAreEncrypted(t *testing.T) {
	b := newBench(t)
	knows := func(what, want string) {
		t.Helper()
		if to, ok := b.Recipient("gate-001"); ok != (want != "") || ok && to != want {
			t.Errorf("%s: %q, %v, want %q", what, to, ok, want)
		}
	}
	knows("before", "")
	g := b.enrol("gate-001")
	knows("enrolled", g.to)
	b.open(b.opts.File, b.opts.Authority)
	knows("after a restart", g.to)
	changed := b.Changed()
	if err := b.say(g, ""); err != nil {
		t.Fatal(err)
	}
	knows("after a renewal of an older version", g.to)
	other := b.gate("gate-002")
	if err := b.say(g, other.to); err != nil {
		t.Fatal(err)
	}
	knows("after a renewal", other.to)
	select {
	case <-changed:
	default:
		t.Error("nobody hears of the new recipient")
	}
	r, err := enrolment.NewRenewal("qinghe", "gate-001", g.to, g.key)
	if err != nil {
		t.Fatal(err)
	}
	r.To = other.to
	_, err = b.Renew(t.Context(), r)
	is(t, "another recipient than was signed", err, ErrForged)
	is(t, "no recipient", b.say(g, "age1"), ErrForged)
	knows("after forged renewals", other.to)
	again := b.enrol("gate-001")
	knows("enrolled again", again.to)
	if err := b.Revoke(t.Context(), "gate-001", li); err != nil {
		t.Fatal(err)
	}
	knows("revoked", "")
}
