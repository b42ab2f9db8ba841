package wire

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

func TestTheWorkedSignaturesOfWIREFit(t *testing.T) {
	texts, messages := examples(t, "text"), examples(t, "json")
	public := publicKey(testKey())
	if want := base64.StdEncoding.EncodeToString(public); strings.TrimSpace(texts["public-key"][0]) != want {
		t.Errorf("the public key is %s", want)
	}
	for i, text := range messages["ack"] {
		a, err := Decode[Ack]([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := VerifyAck(a, docCounty, docAgent, public); err != nil {
			t.Errorf("ack %d: %v; it should be %s", i, err, SignAck(a, docCounty, docAgent, testKey()).Sig)
		}
		if i == 0 && string(a.text(docCounty, docAgent)) != texts["ack"][0] {
			t.Errorf("the text under the ack's signature is\n%s", a.text(docCounty, docAgent))
		}
	}
	s, err := Decode[CollectorStatus]([]byte(messages["collector-status"][0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyCollectorStatus(s, docCounty, public); err != nil {
		t.Errorf("collector status: %v; it should be %s", err, SignCollectorStatus(s, docCounty, testKey()).Sig)
	}
	d, err := Decode[Desk]([]byte(messages["desk"][0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Check(), VerifyDesk(d, docCounty, docAgent, public)); err != nil {
		t.Errorf("desk: %v; it should be %s", err, SignDesk(d, docCounty, docAgent, testKey()).Sig)
	}
	if got := string(signed("gatehouse/v1 desk", d.lines(docCounty, docAgent)...)); got != texts["desk"][0] {
		t.Errorf("the text under the desk's signature is\n%s", got)
	}
	checkDocumentedCommands(t, texts["command"], messages["command"])
	checkPolicyExample(t, messages["policy"][0], texts["policy"][0])
	if string(s.text(docCounty)) != texts["collector-status"][0] {
		t.Errorf("the text under the status' signature is\n%s", s.text(docCounty))
	}
}
