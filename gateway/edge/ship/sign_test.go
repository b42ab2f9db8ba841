package ship

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"testing"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// refuse takes from what is on its way to the county all that this key has not signed.
func (w *world) refuse(t *testing.T, key *ecdsa.PublicKey) (refused int) {
	t.Helper()
	for i := 0; i < len(w.toCounty); {
		m := w.toCounty[i]
		var err error
		if m.leaf == wire.LeafHello {
			h, failed := wire.Decode[wire.Hello](m.payload)
			err = errors.Join(failed, wire.VerifyHello(h, "county", "gate", key))
		} else {
			e, failed := wire.OpenBatch(m.payload)
			err = errors.Join(failed, e.Verify("county", key))
		}
		if err == nil {
			i++
			continue
		}
		refused++
		w.toCounty = append(w.toCounty[:i:i], w.toCounty[i+1:]...)
	}
	return refused
}

// deliver delivers what this key has signed until nothing is on its way.
func (w *world) deliver(t *testing.T, key *ecdsa.PublicKey) (refused int) {
	t.Helper()
	for len(w.toCounty)+len(w.toAgent) > 0 {
		refused += w.refuse(t, key)
		if len(w.toCounty) > 0 {
			if err := w.deliverToCounty(0); err != nil {
				t.Fatal(err)
			}
		}
		for len(w.toAgent) > 0 {
			w.deliverToAgent(0)
		}
	}
	return refused
}

// An agent that is enrolled again while it runs signs by its new key, and loses nothing
// of what was refused meanwhile.
func TestAllIsSignedByTheKeyThatCounts(t *testing.T) {
	w, key := newWorld(), newKey(t)
	w.signing.load = func() (crypto.Signer, error) { return key, nil }
	for n := range 10 {
		w.q.add(health(n))
	}
	w.up(w.now)
	w.alarm(w.now, overtaker{w.q.add(&wire.Alarm{ID: "a", Type: "fever", State: fact.AlarmRaised}), true})
	if n := w.deliver(t, &key.PublicKey); n != 0 || w.c.through[testJID] != 11 {
		t.Fatalf("%d messages are not signed, the store has %d records", n, w.c.through[testJID])
	}
	key = newKey(t)
	w.q.add(health(11))
	w.pump(w.now)
	if n := w.deliver(t, &key.PublicKey); n != 1 {
		t.Fatalf("%d messages by the former key", n)
	}
	w.pass(lookEvery)
	if n := w.deliver(t, &key.PublicKey); n != 0 || w.c.through[testJID] != 12 {
		t.Fatalf("%d messages by the former key, the store has %d records", n, w.c.through[testJID])
	}
}

// broken is a key that can't sign now.
type broken struct{ crypto.Signer }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("TPM is busy")
}

// What can't be signed waits: the county would not take it, or could not tell it from
// what somebody else sends.
func TestWhatCannotBeSignedWaits(t *testing.T) {
	w, key := newWorld(), newKey(t)
	w.signing.load = func() (crypto.Signer, error) { return broken{key}, nil }
	w.q.add(health(1))
	w.up(w.now)
	if len(w.toCounty) != 0 {
		t.Fatalf("%d messages were sent without a signature", len(w.toCounty))
	}
	w.signing.load = func() (crypto.Signer, error) { return key, nil }
	w.pass(helloEvery)
	w.pass(helloEvery)
	if w.deliver(t, &key.PublicKey); w.c.through[testJID] != 1 {
		t.Fatal("it was not sent when it could be signed")
	}
	w.signing.load = func() (crypto.Signer, error) { return nil, errors.New("the disk fails") }
	w.pass(askAfter)
	w.q.add(health(2))
	w.pump(w.now)
	if n := w.deliver(t, &key.PublicKey); n != 0 || w.c.through[testJID] != 2 {
		t.Errorf("the key that was read before is forgotten: %d not signed", n)
	}
}
