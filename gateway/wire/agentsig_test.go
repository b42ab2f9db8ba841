package wire

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// repeatable signs the same text with the same signature (RFC 6979), for the examples.
type repeatable struct{ *ecdsa.PrivateKey }

func (k repeatable) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.PrivateKey.Sign(nil, digest, opts)
}

// agentKey is the key of the examples, that of RFC 6979, A.2.5.
func agentKey(tb testing.TB) repeatable {
	tb.Helper()
	d, err := hex.DecodeString("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
	if err != nil {
		tb.Fatal(err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		tb.Fatal(err)
	}
	return repeatable{key}
}

// another returns a key that nobody knows.
func another(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// open opens the message of a batch.
func open(tb testing.TB, b Batch) Envelope {
	tb.Helper()
	payload, err := EncodeBatch(b)
	if err != nil {
		tb.Fatal(err)
	}
	e, err := OpenBatch(payload)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// signedBatch is a batch with two records and a hole, signed for the county of the examples.
func signedBatch(tb testing.TB) Batch {
	tb.Helper()
	b := batch(tb, 1, 5, []Hole{{From: 3, To: 5, Reason: "disk-full", Count: 3}},
		record(tb, 1, sampleCard()), record(tb, 2, samplePassage()))
	b, err := SignBatch(b, docCounty, agentKey(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestABatchIsBelievedOnlyAsItsAgentSignedIt(t *testing.T) {
	key := agentKey(t)
	e := open(t, signedBatch(t))
	if err := e.Verify(docCounty, &key.PublicKey); err != nil || e.Agent() != docAgent {
		t.Fatalf("%s: %v", e.Agent(), err)
	}
	for what, edit := range map[string]func(*Batch){
		"another agent":  func(b *Batch) { b.Agent = "gate-018" },
		"another jid":    func(b *Batch) { b.JID = strings.Replace(b.JID, "3", "4", 1) },
		"another begin":  func(b *Batch) { b.From++ },
		"another end":    func(b *Batch) { b.To++ },
		"no hole":        func(b *Batch) { b.Holes = nil },
		"another hole":   func(b *Batch) { b.Holes[0].From-- },
		"another reason": func(b *Batch) { b.Holes[0].Reason = "damaged" },
		"a line break":   func(b *Batch) { b.Holes[0].Reason = "a\nb" },
		"another record": func(b *Batch) { b.Entries[0].Raw = record(t, 1, sampleMeasurement()) },
		"one record":     func(b *Batch) { b.Entries = b.Entries[:1] },
		"another order":  func(b *Batch) { b.Entries[0], b.Entries[1] = b.Entries[1], b.Entries[0] },
		"half":           func(b *Batch) { b.Sig = b.Sig[:40] },
		"no base64":      func(b *Batch) { b.Sig = "?" + b.Sig[1:] },
		"a long one":     func(b *Batch) { b.Sig += strings.Repeat("A", 1<<10) },
		"a hello's": func(b *Batch) {
			h, err := SignHello(sampleHello(), docCounty, docAgent, key)
			if b.Sig = h.Sig; err != nil {
				t.Fatal(err)
			}
		},
	} {
		b := signedBatch(t)
		edit(&b)
		if err := open(t, b).Verify(docCounty, &key.PublicKey); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, err := range map[string]error{
		"another county": e.Verify("juancheng", &key.PublicKey),
		"another key":    e.Verify(docCounty, &another(t).PublicKey),
		"no key":         e.Verify(docCounty, nil),
	} {
		if !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", what, err)
		}
	}
	b := signedBatch(t)
	if b.Sig = ""; !errors.Is(open(t, b).Verify(docCounty, &key.PublicKey), ErrUnsigned) {
		t.Error("a batch without a signature is not called unsigned")
	}
}

// A copy of an alarm that overtakes is another message than the same record in order.
func TestACopyAheadIsSignedAsThat(t *testing.T) {
	key := agentKey(t)
	b := batch(t, 7, 7, nil, record(t, 7, sampleAlarm()))
	b, err := SignBatch(b, docCounty, key)
	if err != nil {
		t.Fatal(err)
	}
	b.Ahead = true
	if err := open(t, b).Verify(docCounty, &key.PublicKey); !errors.Is(err, ErrForeign) {
		t.Errorf("in order, and sent ahead: %v", err)
	}
}

func TestAHelloIsBelievedOnlyAsItsAgentSignedIt(t *testing.T) {
	key := agentKey(t)
	good, err := SignHello(sampleHello(), docCounty, docAgent, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyHello(good, docCounty, docAgent, &key.PublicKey); err != nil {
		t.Fatal(err)
	}
	for what, edit := range map[string]func(*Hello){
		"another jid":     func(h *Hello) { h.JID = strings.Replace(h.JID, "3", "4", 1) },
		"another begin":   func(h *Hello) { h.First++ },
		"another end":     func(h *Hello) { h.Last++ },
		"another term":    func(h *Hello) { h.Term++ },
		"another nonce":   func(h *Hello) { h.Nonce += "0" },
		"another key id":  func(h *Hello) { h.KeyID = "" },
		"another version": func(h *Hello) { h.Version += "1" },
		"a line break":    func(h *Hello) { h.Version += "\n" },
		"half":            func(h *Hello) { h.Sig = h.Sig[:40] },
	} {
		h := good
		edit(&h)
		if err := VerifyHello(h, docCounty, docAgent, &key.PublicKey); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, err := range map[string]error{
		"another agent":  VerifyHello(good, docCounty, "gate-018", &key.PublicKey),
		"another county": VerifyHello(good, "juancheng", docAgent, &key.PublicKey),
		"another key":    VerifyHello(good, docCounty, docAgent, &another(t).PublicKey),
		"no key":         VerifyHello(good, docCounty, docAgent, nil),
	} {
		if !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if good.Sig = ""; !errors.Is(VerifyHello(good, docCounty, docAgent, &key.PublicKey), ErrUnsigned) {
		t.Error("a hello without a signature is not called unsigned")
	}
}

// Whatever an agent sends, its signature fits what arrives.
func TestAnAgentsSignatureFitsWhatArrives(t *testing.T) {
	key := agentKey(t)
	rapid.Check(t, func(rt *rapid.T) {
		b := drawBatch(t, rt)
		for i := range b.Holes {
			b.Holes[i].Reason += string(rapid.SliceOf(rapid.Byte()).Draw(rt, "bytes"))
		}
		b, err := SignBatch(b, docCounty, key)
		if err != nil {
			rt.Fatal(err)
		}
		payload, err := EncodeBatch(b)
		if err != nil {
			rt.Fatal(err)
		}
		e, err := OpenBatch(payload)
		if err == nil {
			err = e.Verify(docCounty, &key.PublicKey)
		}
		if err != nil {
			rt.Fatalf("%s: %v", payload, err)
		}
		if got, err := e.Batch(); err != nil || !sameBatch(got, b) {
			rt.Errorf("%+v came back as %+v, %v", b, got, err)
		}
	})
}

// FuzzVerifyBatch changes a signed message: what is still believed says the same.
func FuzzVerifyBatch(f *testing.F) {
	key := agentKey(f)
	want := signedBatch(f)
	payload, err := EncodeBatch(want)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload)
	f.Add(bytes.Replace(payload, []byte(`"records"`), []byte(`"x":0,"records"`), 1))
	f.Add(append(bytes.TrimSuffix(payload, []byte("}")), `,"agent":"gate-018"}`...))
	f.Add(append(bytes.TrimSuffix(payload, []byte("}")), `,"x":[]}`...))
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := OpenBatch(reseal(payload))
		if err != nil || e.Verify(docCounty, &key.PublicKey) != nil {
			return
		}
		got, err := e.Batch()
		if got.Sig = want.Sig; err != nil || !sameBatch(got, want) { // a signature has several forms
			t.Errorf("%q is believed as %+v, %v", payload, got, err)
		}
	})
}

func TestTheWorkedSignaturesOfAnAgentFit(t *testing.T) {
	texts, messages := examples(t, "text"), examples(t, "json")
	key := agentKey(t)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if want := base64.StdEncoding.EncodeToString(der); strings.TrimSpace(texts["agent-key"][0]) != want {
		t.Errorf("the agent's public key is %s", want)
	}
	h, err := Decode[Hello]([]byte(messages["hello"][0]))
	if err != nil {
		t.Fatal(err)
	}
	want, err := SignHello(h, docCounty, docAgent, key)
	if err != nil || h.Sig != want.Sig {
		t.Errorf("the hello's signature should be %s, %v", want.Sig, err)
	}
	if got := string(h.text(docCounty, docAgent)); got != texts["hello"][0] {
		t.Errorf("the text under the hello's signature is\n%s", got)
	}
	for i, text := range messages["batch"] {
		var payload bytes.Buffer
		if err := json.Compact(&payload, []byte(text)); err != nil {
			t.Fatal(err)
		}
		e, err := OpenBatch(payload.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		b, err := e.Batch()
		if err != nil {
			t.Fatal(err)
		}
		want, err := SignBatch(b, docCounty, key)
		if err != nil || b.Sig != want.Sig {
			t.Errorf("the signature of batch %d should be %s, %v", i, want.Sig, err)
		}
		if got := string(e.text(docCounty)); i == 0 && got != texts["batch"][0] {
			t.Errorf("the text under the batch's signature is\n%s", got)
		}
	}
}
