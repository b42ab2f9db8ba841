package wire

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"
)

// agentPublic is the public key (DER) of the examples.
func agentPublic(tb testing.TB) []byte {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(agentKey(tb).Public())
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// retireSample is the example of WIRE.md.
func retireSample(tb testing.TB) Retire {
	tb.Helper()
	return Retire{V: 1, ID: "4d5e6f708192a3b4c5d6e7f808192a3b", Key: KeySum(agentPublic(tb)),
		At: At(time.Date(2020, 4, 8, 0, 0, 0, 0, time.UTC))}
}

func retiredSample() Retired {
	return Retired{V: 1, ID: "4d5e6f708192a3b4c5d6e7f808192a3b", At: At(time.Date(2020, 4, 8, 0, 0, 9, 0, time.UTC)),
		JID: "3f2b8a52-6c1d-4e0f-9a77-0d3c5b1e8f42", Through: 41207,
		Destroyed: []string{"journal", "policy.yaml", "roster.csv", "site.key"},
		Next:      []string{"agent.crt", "county-ca.crt", "agent.key", "agent.yaml"}}
}

func TestOnlyTheCountysRetireOfThisGateCounts(t *testing.T) {
	good := SignRetire(retireSample(t), docCounty, docAgent, testKey())
	if err := errors.Join(good.Check(), VerifyRetire(good, docCounty, docAgent, publicKey(testKey()))); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Retire){
		"id":  func(r *Retire) { r.ID = strings.Repeat("0", 32) },
		"key": func(r *Retire) { r.Key = strings.Repeat("0", 64) },
		"at":  func(r *Retire) { r.At = At(r.At.Add(time.Second)) }, "sig": func(r *Retire) { r.Sig = "" },
		"receipt": func(r *Retire) { r.Receipt = strings.Repeat("0", 64) },
	} {
		bad := good
		change(&bad)
		if err := VerifyRetire(bad, docCounty, docAgent, publicKey(testKey())); !errors.Is(err, ErrSignature) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if VerifyRetire(good, docCounty, "gate-018", publicKey(testKey())) == nil ||
		VerifyRetire(good, "other", docAgent, publicKey(testKey())) == nil {
		t.Error("it counts at another gate")
	}
	for _, bad := range []Retire{{}, {ID: good.ID}, {ID: good.ID, Key: good.Key, Receipt: "00"},
		{ID: "x" + good.ID[1:], Key: good.Key}} {
		if bad.Check() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

func TestAReceiptIsTheGatesOwn(t *testing.T) {
	key := agentKey(t)
	public, _ := key.Public().(*ecdsa.PublicKey)
	good, err := SignRetired(retiredSample(), docCounty, docAgent, key)
	if err := errors.Join(err, good.Check(), VerifyRetired(good, docCounty, docAgent, public)); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Retired){
		"through": func(r *Retired) { r.Through++ }, "jid": func(r *Retired) { r.JID = "x" },
		"a file moved": func(r *Retired) { r.Destroyed, r.Next = append(r.Destroyed, r.Next[0]), r.Next[1:] },
		"a line break": func(r *Retired) { r.Next = append(r.Next, "a\nb") },
	} {
		bad := good
		change(&bad)
		if err := VerifyRetired(bad, docCounty, docAgent, public); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Sig = ""
	if err := VerifyRetired(good, docCounty, docAgent, public); !errors.Is(err, ErrUnsigned) {
		t.Error(err)
	}
	if (Retired{ID: good.ID, Destroyed: make([]string, MaxRetiredFiles+1)}).Check() == nil {
		t.Error("it may be endless")
	}
}

func FuzzRetire(f *testing.F) {
	for _, text := range append(examples(f, "json")["retire"], examples(f, "json")["retired"]...) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		if r, err := Decode[Retire](b); err == nil && r.Check() == nil {
			_ = VerifyRetire(r, docCounty, docAgent, publicKey(testKey()))
		}
		if r, err := Decode[Retired](b); err == nil && r.Check() == nil {
			_ = VerifyRetired(r, docCounty, docAgent, nil)
		}
	})
}

func TestTheWorkedRetirementOfWIREFits(t *testing.T) {
	texts, messages := examples(t, "text"), examples(t, "json")
	r, err := Decode[Retire]([]byte(messages["retire"][0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyRetire(r, docCounty, docAgent, publicKey(testKey())); err != nil {
		want, _ := Encode(SignRetire(retireSample(t), docCounty, docAgent, testKey()))
		t.Errorf("%v; it should be %s", err, want)
	}
	if got := string(r.text(docCounty, docAgent)); got != texts["retire"][0] {
		t.Errorf("the text is\n%s", got)
	}
	key := agentKey(t)
	public, _ := key.Public().(*ecdsa.PublicKey)
	x, err := Decode[Retired]([]byte(messages["retired"][0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyRetired(x, docCounty, docAgent, public); err != nil {
		signed, _ := SignRetired(retiredSample(), docCounty, docAgent, key)
		want, _ := Encode(signed)
		t.Errorf("%v; it should be %s", err, want)
	}
	if got := string(x.text(docCounty, docAgent)); got != texts["retired"][0] {
		t.Errorf("the text is\n%s", got)
	}
}
