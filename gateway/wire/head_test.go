package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestTheWorkedSignatureOfAHeadFits(t *testing.T) {
	texts, messages := examples(t, "text"), examples(t, "json")
	head := headOf(t, messages["audit"])
	if err := head.Verify(publicKey(testKey())); err != nil {
		t.Errorf("audit head: %v; it should be %s", err, SignAuditHead(head, testKey()).Sig)
	}
	if got := string(head.text()); got != texts["audit-head"][0] {
		t.Errorf("the text under the signature of an audit's head is\n%s", got)
	}
}

func TestAHeadThatWasChangedDoesNotVerify(t *testing.T) {
	key := testKey()
	sign := func() AuditHead {
		return SignAuditHead(AuditHead{County: "qinghe", Store: testStore, N: 41, Hash: strings.Repeat("0a", 32),
			At: At(testTime)}, key)
	}
	if err := sign().Verify(publicKey(key)); err != nil {
		t.Fatal(err)
	}
	for what, edit := range map[string]func(*AuditHead){
		"another county":  func(h *AuditHead) { h.County = "juancheng" },
		"another store":   func(h *AuditHead) { h.Store = testJID },
		"another number":  func(h *AuditHead) { h.N++ },
		"another hash":    func(h *AuditHead) { h.Hash = strings.Repeat("0b", 32) },
		"another time":    func(h *AuditHead) { h.At = At(testTime.Add(1)) },
		"no hash":         func(h *AuditHead) { h.Hash = "" },
		"no signature":    func(h *AuditHead) { h.Sig = "" },
		"a line break":    func(h *AuditHead) { *h = SignAuditHead(*h, key); h.County += "\n" },
		"a short hash":    func(h *AuditHead) { h.Hash = "0a"; *h = SignAuditHead(*h, key) },
		"a number beyond": func(h *AuditHead) { h.N = MaxSeq + 1; *h = SignAuditHead(*h, key) },
	} {
		h := sign()
		edit(&h)
		if err := h.Verify(publicKey(key)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The head has a signature of its own: agents that do not know it verify the rest.
func TestAStatusVerifiesWithAndWithoutAHead(t *testing.T) {
	key := testKey()
	st := SignCollectorStatus(sampleCollectorStatus(), "qinghe", key)
	st.Audit = &AuditHead{County: "qinghe", N: 1}
	if err := VerifyCollectorStatus(st, "qinghe", publicKey(key)); err != nil {
		t.Error(err)
	}
}

// headOf returns the head of an audit among examples of audit records.
func headOf(t *testing.T, audits []string) AuditHead {
	t.Helper()
	for _, text := range audits {
		var a Audit
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatal(err)
		}
		if a.Head != nil {
			return *a.Head
		}
	}
	t.Fatal("WIRE.md has no example of a head")
	return AuditHead{}
}
