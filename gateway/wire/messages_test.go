package wire

import (
	"crypto/ed25519"
	"math"
	"reflect"
	"strings"
	"testing"

	"gatehouse/gateway/fact"
)

// testKey is the key of WIRE.md's worked example: the seed is 00 01 … 1f.
func testKey() ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	return ed25519.NewKeyFromSeed(seed)
}

func publicKey(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

const testStore = "c1a5e0de-7f0a-4c55-8d27-6f1f2a3b4c5d"

func sampleHello() Hello {
	return Hello{V: 1, JID: testJID, First: 1, Last: 42, Term: 1, Nonce: "8f3c0a6d5b214e97", KeyID: "mzxw6ytb",
		Version: "1.0.0"}
}

func sampleAck() Ack {
	return Ack{V: 1, JID: testJID, Through: 42, Ahead: 43, Store: testStore, Term: 1, Nonce: "8f3c0a6d5b214e97"}
}

func sampleCollectorStatus() CollectorStatus {
	return CollectorStatus{V: 1, State: fact.Online, At: At(testTime), Start: "5e0fb1a2c3d4e5f6", Store: testStore,
		Term:    1,
		Version: "1.0.0", Fault: "the disk is full"}
}

func TestAHelloProvesOnlyTheTermThatWasSignedForItsAgentAndStore(t *testing.T) {
	key := testKey()
	a := SignAck(Ack{V: 1, JID: testJID, Through: 42, Store: testStore, Term: 7}, "yuncheng", "gate-017", key)
	forged := a
	forged.Term = math.MaxUint64 - 1
	proves := func(proof *Ack, county, agent, store string) uint64 {
		h := sampleHello()
		h.Proof = proof
		payload, err := Encode(h)
		if err != nil {
			t.Fatal(err)
		}
		if h, err = Decode[Hello](payload); err != nil {
			t.Fatal(err)
		}
		return h.ProvenTerm(county, agent, store, publicKey(key))
	}
	if got := proves(&a, "yuncheng", "gate-017", testStore); got != 7 {
		t.Errorf("a sound proof gives %d", got)
	}
	for what, got := range map[string]uint64{
		"none":                         proves(nil, "yuncheng", "gate-017", testStore),
		"another term than was signed": proves(&forged, "yuncheng", "gate-017", testStore),
		"another agent's":              proves(&a, "yuncheng", "gate-018", testStore),
		"another county's":             proves(&a, "juancheng", "gate-017", testStore),
		"another store's":              proves(&a, "yuncheng", "gate-017", testJID),
	} {
		if got != 0 {
			t.Errorf("%s proves term %d", what, got)
		}
	}
}

func TestTheTermAfterTheHighestIsTheHighest(t *testing.T) {
	for term, want := range map[uint64]uint64{0: 1, 7: 8, math.MaxUint64 - 1: math.MaxUint64,
		math.MaxUint64: math.MaxUint64} {
		if got := NextTerm(term); got != want {
			t.Errorf("after %d comes %d", term, got)
		}
	}
}

func TestAHelloIsCheckedBeforeItIsAnswered(t *testing.T) {
	if err := sampleHello().Check(); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*Hello){
		"no jid":                func(h *Hello) { h.JID = "" },
		"a jid with line break": func(h *Hello) { h.JID = "3f2b8a52-6c1d-4e0f-9a77-0d3c5b1e8f\n2" },
		"a short nonce":         func(h *Hello) { h.Nonce = "123456789012345" },
		"a long nonce":          func(h *Hello) { h.Nonce = strings.Repeat("1", 65) },
		"a nonce in two lines":  func(h *Hello) { h.Nonce = "12345678\n12345678" },
		"a blank in the nonce":  func(h *Hello) { h.Nonce = "12345678 12345678" },
		"a Chinese nonce":       func(h *Hello) { h.Nonce = strings.Repeat("门", 16) },
		"first after last":      func(h *Hello) { h.First = 43 },
		"last too large":        func(h *Hello) { h.Last = MaxSeq + 1 },
	} {
		h := sampleHello()
		edit(&h)
		if h.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

var decodings = map[string]struct {
	payload string
	ok      bool
}{
	"hello": {`{"v":1,"jid":"` + testJID +
		`","first":1,"last":42,"term":1,"nonce":"8f3c0a6d5b214e97","key_id":"k","version":"1.0.0"}`, true},
	"unknown field":  {`{"v":1,"jid":"` + testJID + `","model":"x"}`, true},
	"version 2":      {`{"v":2,"jid":"` + testJID + `"}`, false},
	"no version":     {`{"jid":"` + testJID + `"}`, false},
	"version string": {`{"v":"1"}`, false},
	"negative last":  {`{"v":1,"last":-1}`, false},
	"wrong type":     {`{"v":1,"jid":7}`, false},
	"null":           {`null`, false},
	"array":          {`[]`, false},
	"text":           {`hello`, false},
	"empty":          {``, false},
	"cut off":        {`{"v":1,"jid":"`, false},
	"two messages":   {`{"v":1}{"v":1}`, false},
}

func TestAMessageOfThisVersionIsReadAndNoOther(t *testing.T) {
	for name, c := range decodings {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode[Hello]([]byte(c.payload)); (err == nil) != c.ok {
				t.Errorf("%s: %v", c.payload, err)
			}
		})
	}
	if _, err := Decode[Beat]([]byte(`{"v":1,"at":"yesterday"}`)); err == nil {
		t.Error("a heartbeat of yesterday is read")
	}
}

func TestMessagesComeBackAsTheyWereSent(t *testing.T) {
	comesBack(t, sampleHello())
	comesBack(t, SignAck(sampleAck(), "yuncheng", "gate-017", testKey()))
	comesBack(t, SignCollectorStatus(sampleCollectorStatus(), "yuncheng", testKey()))
	comesBack(t, SignDesk(sampleDesk(), "yuncheng", "gate-017", testKey()))
	comesBack(t, Desk{V: 1, No: 1, At: At(testTime)})
	comesBack(t, Status{V: 1, State: fact.Online, At: At(testTime), JID: testJID, Version: "1.0.0"})
	comesBack(t, Beat{V: 1, At: At(testTime), JID: testJID, Last: 42, Through: 40, UptimeS: 86400,
		Devices: []BeatDevice{{Name: "thermometer", State: "ok"}, {Name: "reader-in", State: "gone", IdleS: 30}}})
}

func comesBack[M Hello | Ack | CollectorStatus | Status | Beat | Desk](t *testing.T, want M) {
	t.Helper()
	payload, err := Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Decode[M](payload); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s came back as %+v, %v", payload, got, err)
	}
}

func FuzzDecodeHello(f *testing.F) {
	for _, c := range decodings {
		f.Add([]byte(c.payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		h, err := Decode[Hello](payload)
		if err != nil {
			return
		}
		comesBack(t, h)
		if h.Check() == nil && strings.ContainsAny(h.JID+h.Nonce, "\r\n") {
			t.Errorf("%+v brings line breaks under a signature", h)
		}
	})
}
