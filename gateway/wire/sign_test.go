package wire

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
)

func TestAnAcknowledgementIsBelievedOnlyAsItWasSigned(t *testing.T) {
	key := testKey()
	signed := SignAck(sampleAck(), "yuncheng", "gate-017", key)
	if err := VerifyAck(signed, "yuncheng", "gate-017", publicKey(key)); err != nil {
		t.Fatal(err)
	}
	if signed.V++; VerifyAck(signed, "yuncheng", "gate-017", publicKey(key)) != nil {
		t.Error("v is under the signature: Decode refuses other versions before")
	}
	change := func(what string, edit func(*Ack)) {
		a := SignAck(sampleAck(), "yuncheng", "gate-017", key)
		edit(&a)
		if err := VerifyAck(a, "yuncheng", "gate-017", publicKey(key)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
	change("another jid", func(a *Ack) { a.JID = strings.Replace(a.JID, "3", "4", 1) })
	change("a higher through", func(a *Ack) { a.Through++ })
	change("another alarm", func(a *Ack) { a.Ahead = 0 })
	change("another store", func(a *Ack) { a.Store = testJID })
	change("a higher term", func(a *Ack) { a.Term++ })
	change("another nonce", func(a *Ack) { a.Nonce += "0" })
	change("no signature", func(a *Ack) { a.Sig = "" })
	change("half a signature", func(a *Ack) { a.Sig = a.Sig[:40] })
	change("no base64", func(a *Ack) { a.Sig = "?" + a.Sig[1:] })
	change("a bit of the signature", func(a *Ack) {
		b, _ := base64.StdEncoding.DecodeString(a.Sig)
		b[10] ^= 1
		a.Sig = base64.StdEncoding.EncodeToString(b)
	})
	good := SignAck(sampleAck(), "yuncheng", "gate-017", key)
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	for what, err := range map[string]error{
		"another agent":  VerifyAck(good, "yuncheng", "gate-018", publicKey(key)),
		"another county": VerifyAck(good, "juancheng", "gate-017", publicKey(key)),
		"another key":    VerifyAck(good, "yuncheng", "gate-017", publicKey(other)),
		"no key":         VerifyAck(good, "yuncheng", "gate-017", nil),
		"half a key":     VerifyAck(good, "yuncheng", "gate-017", publicKey(key)[:16]),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestALineBreakInASignedFieldIsNeverBelieved(t *testing.T) {
	key := testKey()
	// Signed by a collector that was led to take a line break into a field.
	sign := func(text []byte) string { return base64.StdEncoding.EncodeToString(ed25519.Sign(key, text)) }
	for name, a := range map[string]Ack{
		"jid": {V: 1, JID: "x\ny"}, "store": {V: 1, Store: "x\ny"}, "nonce": {V: 1, Nonce: "x\ny"},
		"carriage return": {V: 1, Nonce: "x\ry"},
	} {
		a.Sig = sign(a.text("yuncheng", "gate-017"))
		if VerifyAck(a, "yuncheng", "gate-017", publicKey(key)) == nil {
			t.Errorf("%s: a line break is believed", name)
		}
	}
	st := sampleCollectorStatus()
	st.Fault = "x\ny"
	st.Sig = sign(st.text("yuncheng"))
	if VerifyCollectorStatus(st, "yuncheng", publicKey(key)) == nil {
		t.Error("a fault with a line break is believed")
	}
}

// A text may be cut inside a character, hold bytes that are no UTF-8, or break
// lines: what was signed is what arrives.
func TestASignatureFitsWhateverTextItCovers(t *testing.T) {
	key := testKey()
	rapid.Check(t, func(t *rapid.T) {
		text := func(what string) string {
			if rapid.Bool().Draw(t, what+" is text") {
				return rapid.String().Draw(t, what)
			}
			return string(rapid.SliceOf(rapid.Byte()).Draw(t, what))
		}
		st := sampleCollectorStatus()
		st.State, st.Start, st.Store = fact.LinkState(text("state")), text("start"), text("store")
		st.Version, st.Fault = text("version"), text("fault")
		payload, err := Encode(SignCollectorStatus(st, "yuncheng", key))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode[CollectorStatus](payload); err != nil ||
			VerifyCollectorStatus(got, "yuncheng", publicKey(key)) != nil {
			t.Fatalf("%q: %v, or its signature does not fit", payload, err)
		}
		a := sampleAck()
		a.JID, a.Store, a.Nonce = text("jid"), text("store"), text("nonce")
		if payload, err = Encode(SignAck(a, "yuncheng", "gate-017", key)); err != nil {
			t.Fatal(err)
		}
		if got, err := Decode[Ack](payload); err != nil ||
			VerifyAck(got, "yuncheng", "gate-017", publicKey(key)) != nil {
			t.Fatalf("%q: %v, or its signature does not fit", payload, err)
		}
	})
}

func TestACollectorsStatusIsBelievedOnlyAsItWasSigned(t *testing.T) {
	key := testKey()
	sign := func() CollectorStatus { return SignCollectorStatus(sampleCollectorStatus(), "yuncheng", key) }
	if err := VerifyCollectorStatus(sign(), "yuncheng", publicKey(key)); err != nil {
		t.Fatal(err)
	}
	for what, edit := range map[string]func(*CollectorStatus){
		"another state":   func(s *CollectorStatus) { s.State = fact.Offline },
		"another time":    func(s *CollectorStatus) { s.At = At(testTime.Add(1)) },
		"another start":   func(s *CollectorStatus) { s.Start = "" },
		"another store":   func(s *CollectorStatus) { s.Store = testJID },
		"another term":    func(s *CollectorStatus) { s.Term++ },
		"another version": func(s *CollectorStatus) { s.Version = "2" },
		"another fault":   func(s *CollectorStatus) { s.Fault = "" },
		"no signature":    func(s *CollectorStatus) { s.Sig = "" },
	} {
		s := sign()
		edit(&s)
		if err := VerifyCollectorStatus(s, "yuncheng", publicKey(key)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if VerifyCollectorStatus(sign(), "juancheng", publicKey(key)) == nil {
		t.Error("another county's status is believed")
	}
	ack := SignAck(sampleAck(), "yuncheng", "gate-017", key)
	s := sign()
	if s.Sig = ack.Sig; VerifyCollectorStatus(s, "yuncheng", publicKey(key)) == nil {
		t.Error("an acknowledgement's signature is taken for a status'")
	}
}
