package registry

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/enrolment"
)

func TestACodeIsGoodForOneGateOnce(t *testing.T) {
	b := newBench(t)
	if _, _, err := b.MakeCode(t.Context(), "gate-003", li); !errors.Is(err, ErrGate) {
		t.Errorf("a gate that is not in the site file: %v", err)
	}
	g := b.gate("gate-001")
	first, err := b.ask(g)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.ask(g)
	if err != nil || again != first {
		t.Errorf("the same key again: %+v, %v", again, err)
	}
	_, err = b.Answer(t.Context(), first.ID)
	is(t, "before somebody decides", err, ErrWaiting)
	_, err = b.ask(&gate{code: g.code, key: newKey(t), to: g.to})
	is(t, "another key", err, ErrUsed)
	_, err = b.ask(
		&gate{code: func() enrolment.Code { c := g.code; c.Agent = "gate-002"; return c }(), key: g.key, to: g.to},
	)
	is(t, "for another gate", err, enrolment.ErrForged)
	if err := b.Approve(t.Context(), first.ID, li); err != nil {
		t.Fatal(err)
	}
	acts, err := db.All(t.Context(), b.opts.File.Reader(), db.Value[string], "SELECT action FROM audit ORDER BY n")
	if err != nil || strings.Join(acts, " ") != "enrol-code enrol-approve" {
		t.Errorf("the audit has %q, %v", acts, err)
	}
	is(t, "approved twice", b.Approve(t.Context(), first.ID, wang), ErrDecided)
	is(t, "refused afterwards", b.Refuse(t.Context(), first.ID, wang), ErrDecided)
	for range 2 { // the power went while the first answer was written
		if _, err := b.Answer(t.Context(), first.ID); err != nil {
			t.Error(err)
		}
	}
	b.now = b.now.Add(CodeFor)
	_, err = b.Answer(t.Context(), first.ID)
	is(t, "a day after it was approved", err, ErrLate)
	_, err = b.Answer(t.Context(), "nothing")
	is(t, "a request that is none", err, ErrUnknown)
}

func TestCodesAndRequestsEnd(t *testing.T) {
	b := newBench(t)
	g := b.gate("gate-001")
	b.now = t0.Add(CodeFor)
	_, err := b.ask(g)
	is(t, "a day later", err, ErrLate)
	old := b.gate("gate-001")
	g = b.gate("gate-001")
	_, err = b.ask(old)
	is(t, "a code that was replaced by another one", err, ErrUnknown)
	a, err := b.ask(g)
	if err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(CodeFor)
	is(t, "approved a day later", b.Approve(t.Context(), a.ID, li), ErrLate)
	_, err = b.ask(g)
	is(t, "asked again a day later", err, ErrLate)
	g = b.gate("gate-001")
	if a, err = b.ask(g); err != nil {
		t.Fatal(err)
	}
	if err := b.Refuse(t.Context(), a.ID, li); err != nil {
		t.Fatal(err)
	}
	_, err = b.Answer(t.Context(), a.ID)
	is(t, "refused", err, ErrRefused)
	_, err = b.ask(g)
	is(t, "asked again after it was refused", err, ErrRefused)
	b.now = b.now.Add(2 * keepRequests)
	b.gate("gate-002")
	_, err = b.Answer(t.Context(), a.ID)
	is(t, "after weeks", err, ErrUnknown)
}

func TestAGateThatIsReplacedTakesItsNameOver(t *testing.T) {
	b := newBench(t)
	first := b.enrol("gate-001")
	was, _ := b.Lookup("gate-001")
	changed := b.Changed()
	b.now = b.now.Add(time.Hour)
	second := b.enrol("gate-001")
	now, _ := b.Lookup("gate-001")
	select {
	case <-changed:
	default:
		t.Error("nobody is told of the change")
	}
	if !b.Revoked(was.Serial) || b.Revoked(now.Serial) || was.Serial == now.Serial {
		t.Errorf("former %s, new %s", was.Serial, now.Serial)
	}
	_, err := b.renew("gate-001", first.key)
	is(t, "the former key renews", err, ErrForged)
	if _, err := b.renew("gate-001", second.key); err != nil {
		t.Error(err)
	}
	g := b.gate("gate-001")
	g.key = first.key
	_, err = b.ask(g)
	is(t, "the former key asks with a new code", err, ErrKey)
}

// A disk that is copied holds the key of its gate.
func TestTwoGatesWithOneKeyAreRefused(t *testing.T) {
	b := newBench(t)
	first := b.enrol("gate-001")
	g := b.gate("gate-002")
	g.key = first.key
	_, err := b.ask(g)
	is(t, "the key of a gate in service", err, ErrKey)
	a, c := b.gate("gate-001"), b.gate("gate-002")
	c.key = a.key
	if _, err := b.ask(a); err != nil {
		t.Fatal(err)
	}
	_, err = b.ask(c)
	is(t, "the key of a gate that waits", err, ErrKey)
}

func TestARevokedGateStaysOutUntilItEnrolsAgain(t *testing.T) {
	b := newBench(t)
	g := b.enrol("gate-001")
	i, _ := b.Lookup("gate-001")
	if err := b.Revoke(t.Context(), "gate-001", li); err != nil {
		t.Fatal(err)
	}
	is(t, "revoked twice", b.Revoke(t.Context(), "gate-001", li), ErrDecided)
	is(t, "a gate without an identity", b.Revoke(t.Context(), "gate-002", li), ErrDecided)
	if i, ok := b.Lookup("gate-001"); !ok || !b.Revoked(i.Serial) || i.RevokedBy != "li" || !i.Revoked.Equal(t0) {
		t.Errorf("%+v", i)
	}
	_, err := b.renew("gate-001", g.key)
	is(t, "it renews", err, ErrRevoked)
	b.open(b.opts.File, b.opts.Authority) // also after a restart
	if !b.Revoked(i.Serial) {
		t.Error("a restart forgets it")
	}
	b.enrol("gate-001")
	if i, _ := b.Lookup("gate-001"); !i.Revoked.IsZero() || b.Revoked(i.Serial) {
		t.Errorf("enrolled again: %+v", i)
	}
}
